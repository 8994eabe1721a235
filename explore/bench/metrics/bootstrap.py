"""How sure a mean over scenes is: intervals by drawing the scenes again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from explore.errors import ParameterError

Pool = Callable[[NDArray[np.float64]], NDArray[np.float64]]
"""Added tallies, (..., columns), to the value they mean, (...); `Metric.pool` is one."""


@dataclass(frozen=True)
class Interval:
    """A value over all scenes with its interval; NaN where no scene had a value.

    Parameters
    ----------
    value
        Of all scenes together.
    low, high
        Ends of the interval.
    scenes
        How many scenes it rests on.
    """

    value: float
    low: float
    high: float
    scenes: int


def bootstrap_interval(
    tallies: ArrayLike, pool: Pool, *, level: float = 0.95, resamples: int = 2000, seed: int = 0
) -> Interval:
    """Percentile interval of a pooled value, scenes drawn with replacement.

    Whole scenes are drawn, because the words of one scene share its picture and are no independent cases.

    Source: Efron, Bootstrap methods: another look at the jackknife, Annals of Statistics 1979 (percentile interval).

    Parameters
    ----------
    tallies
        One row of sums for each scene, (scenes, columns), as `Metric.tally` makes them.
    pool
        The value of added tallies.
    level
        Share of the resampled values inside the interval.
    resamples, seed
        How many times the scenes are drawn again, and from which seed: the same seed draws the same scenes.

    Returns
    -------
    Interval

    Raises
    ------
    ParameterError
        There is no scene, or the tallies or parameters are out of range.
    """
    rows = _checked(tallies, level, resamples)
    sampled = pool(_draw(len(rows), resamples, seed) @ rows)
    low, high = _quantiles(sampled, level)
    return Interval(float(pool(rows.sum(axis=0))), low, high, len(rows))


def bootstrap_difference(
    first: ArrayLike, second: ArrayLike, pool: Pool, *, level: float = 0.95, resamples: int = 2000, seed: int = 0
) -> Interval:
    """Interval of first less second on the same scenes, row by row; one that holds 0 shows no difference.

    Much narrower than two intervals side by side, because hard scenes are hard for both. Parameters as in
    `bootstrap_interval`.

    Raises
    ------
    ParameterError
        The two have not the same scenes and columns.
    """
    one, two = _checked(first, level, resamples), _checked(second, level, resamples)
    if one.shape != two.shape:
        raise ParameterError(
            f"Tallies of shapes {one.shape} and {two.shape} cannot be compared", "Both need the same scenes in order."
        )
    drawn = _draw(len(one), resamples, seed)
    low, high = _quantiles(pool(drawn @ one) - pool(drawn @ two), level)
    return Interval(float(pool(one.sum(axis=0)) - pool(two.sum(axis=0))), low, high, len(one))


def _draw(scenes: int, resamples: int, seed: int) -> NDArray[np.float64]:
    """How often each scene is drawn, (resamples, scenes)."""
    rng = np.random.default_rng(seed)
    return rng.multinomial(scenes, np.full(scenes, 1 / scenes), size=resamples).astype(np.float64)


def _quantiles(sampled: NDArray[np.float64], level: float) -> tuple[float, float]:
    """Ends of the middle part of what was sampled; resamples without a value are left out."""
    defined = sampled[~np.isnan(sampled)]
    if not len(defined):
        return float("nan"), float("nan")
    low, high = np.quantile(defined, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def _checked(tallies: ArrayLike, level: float, resamples: int) -> NDArray[np.float64]:
    rows = np.asarray(tallies, np.float64)
    if rows.ndim != 2 or not len(rows) or not np.isfinite(rows).all():
        raise ParameterError(
            f"Tallies of shape {rows.shape} were given", "They are finite and (scenes, columns), at least one scene."
        )
    if not 0 < level < 1 or resamples < 1:
        raise ParameterError(f"Got level={level} and resamples={resamples}", "The level is between 0 and 1.")
    return rows
