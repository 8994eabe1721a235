"""Cells taken from the hottest down: how much of the picture and of the mask they have covered by then."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from explore.bench.metrics.truth import Truth


def areas_from_hottest(heat: NDArray[np.float64], truth: Truth) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Areas covered by all cells at least as hot as each level of heat, hottest level first.

    Cells of equal heat come in together, so that the order of the cells decides nothing: a constant map is one level.

    Returns
    -------
    found, passed
        Square pixels of the mask and of the picture, each (levels + 1,), starting with 0.
    """
    counted = truth.counted
    _, level = np.unique(-heat[counted], return_inverse=True)
    found = np.cumsum(np.bincount(level, truth.hit[counted]))
    passed = np.cumsum(np.bincount(level, truth.seen[counted]))
    return np.concatenate([[0.0], found]), np.concatenate([[0.0], passed])
