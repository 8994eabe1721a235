"""How sure a mean over items is."""

from __future__ import annotations

import numpy as np


def mean_interval(
    values: np.ndarray, *, level: float = 0.95, resamples: int = 2000, seed: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Means over items with percentile intervals, items drawn again with replacement.

    Source: Efron, Bootstrap methods: another look at the jackknife, Annals of Statistics 1979 (percentile interval).

    Parameters
    ----------
    values
        (items, ...); NaN where an item has no value, which is then left out of the mean.
    level
        Share of the resampled means inside the interval.
    resamples, seed
        How many times items are drawn, and from which seed.

    Returns
    -------
    mean, low, high : np.ndarray
        (...); NaN where no item has a value.
    """
    rows = np.asarray(values, np.float64)
    flat = rows.reshape(len(rows), -1)
    there = np.isfinite(flat)
    filled = np.where(there, flat, 0.0)
    if not len(rows):
        empty = np.full(flat.shape[1], np.nan).reshape(rows.shape[1:])
        return empty, empty, empty
    drawn = np.random.default_rng(seed).multinomial(len(rows), np.full(len(rows), 1 / len(rows)), size=resamples)
    with np.errstate(invalid="ignore", divide="ignore"):
        means = (drawn @ filled) / (drawn @ there)
        mean = filled.sum(axis=0) / there.sum(axis=0)
    edges = np.full((2, flat.shape[1]), np.nan)
    some = there.any(axis=0)
    edges[:, some] = np.nanquantile(means[:, some], [(1 - level) / 2, (1 + level) / 2], axis=0)
    shape = rows.shape[1:]
    return mean.reshape(shape), edges[0].reshape(shape), edges[1].reshape(shape)
