"""Sorting many short lists at once.

A filter sorts the few values of every window, and there are tens of thousands of windows. A sorting network does the
same comparisons for all of them, so each comparison is one `minimum` and one `maximum` over a whole plane of windows.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray


@cache
def sorting_network(count: int) -> tuple[tuple[int, int], ...]:
    """Comparisons (low, high) that sort any `count` values when done in order.

    Source: Batcher's merge exchange for any number of elements (Knuth, TAOCP vol. 3, algorithm 5.2.2M).
    """
    comparisons: list[tuple[int, int]] = []
    top = 1 << max(count - 1, 0).bit_length() >> 1
    block = top
    while block:
        stride, offset, distance = top, 0, block
        while distance:
            comparisons += [(low, low + distance) for low in range(count - distance) if low & block == offset]
            distance, stride, offset = stride - block, stride >> 1, block
        block >>= 1
    return tuple(comparisons)


def sort_planes(planes: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    """Sort along the first axis, the fast way for few planes of many values.

    Parameters
    ----------
    planes
        (planes, values) float32, finite. Used as working space: its contents are lost.

    Returns
    -------
    list of `planes` arrays (values,): the smallest value of each list first.
    """
    ordered = list(planes)
    spare = np.empty_like(ordered[0])
    for low, high in sorting_network(len(ordered)):
        np.minimum(ordered[low], ordered[high], out=spare)
        np.maximum(ordered[low], ordered[high], out=ordered[high])
        ordered[low], spare = spare, ordered[low]
    return ordered
