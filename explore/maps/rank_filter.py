"""The rank Gaussian filter: between median and mean, by how unsteady a neighbourhood is."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from explore.errors import ParameterError
from explore.maps.sorting import sort_planes

# exp(-60) is nothing beside the median's weight of one, and products of it stay clear of slow denormal numbers.
_STEEPEST = np.float32(60.0)
# Cells worked on at once: the planes of one block stay in a core's cache.
_BLOCK = 1 << 13

Flat = Literal["keep", "zero"]


def rank_gaussian_filter(maps: ArrayLike, kernel: int = 3, *, flat: Flat = "keep") -> NDArray[np.float32]:
    r"""Smooth maps by rank: each cell becomes a weighted mean of its sorted neighbourhood.

    For the window values :math:`x_0 \le … \le x_{n-1}` of a cell (edges reflected without repeating the border) with
    mean :math:`\mu` and population deviation :math:`s`, the weights are :math:`g_m \propto \exp(-(m-c)^2 / 2σ^2)` with
    :math:`c = (n-1)/2` and :math:`σ = s/\mu`. A steady window gives its median, an unsteady one tends to its mean, and
    a lone bright cell is damped. Windows whose mean is not positive give 0.

    Source: TAM, "Token Activation Map to Visually Explain Multimodal LLMs", arXiv 2506.23270 (rank Gaussian filter);
    reference `rank_guassian_filter` in tam.py of xmed-lab/TAM 7c7df1d.

    Parameters
    ----------
    maps
        (..., rows, cols), finite; the last two axes are filtered.
    kernel
        Side of the square window in cells, odd; the method uses 3.
    flat
        What a window of equal non-zero values gives: its value ("keep", the limit of the formula), or 0 ("zero"; the
        reference divides 0 by 0 there and its NaN becomes 0 in the image).

    Returns
    -------
    (..., rows, cols) float32

    Raises
    ------
    ParameterError
        The kernel is not an odd positive number.
    """
    if kernel < 1 or kernel % 2 == 0:
        raise ParameterError(f"The filter got a kernel of {kernel}", "It is an odd number of cells.", "Use 3.")
    values = np.asarray(maps, np.float32)
    rows, cols = values.shape[-2:]
    if values.size == 0:
        return values.copy()
    stack = values.reshape(-1, rows, cols)
    reach = kernel // 2
    padded = np.pad(stack, ((0, 0), (reach, reach), (reach, reach)), mode="reflect")
    filtered = np.empty_like(stack)
    step = max(1, _BLOCK // (rows * cols))
    for start in range(0, len(stack), step):
        windows = _windows(padded[start : start + step], rows, cols, kernel)
        filtered[start : start + step] = _rank_mean(windows, flat).reshape(-1, rows, cols)
    return filtered.reshape(values.shape)


def _windows(padded: NDArray[np.float32], rows: int, cols: int, kernel: int) -> NDArray[np.float32]:
    """The kernel² neighbours of every cell as planes, (kernel², maps · rows · cols)."""
    planes = np.empty((kernel, kernel, len(padded), rows, cols), np.float32)
    for down in range(kernel):
        for right in range(kernel):
            planes[down, right] = padded[:, down : down + rows, right : right + cols]
    return planes.reshape(kernel * kernel, -1)


def _rank_mean(windows: NDArray[np.float32], flat: Flat) -> NDArray[np.float32]:
    """The filter's value for windows (window, cells), which are used up; (cells,)."""
    count = np.float32(len(windows))
    mean = windows.sum(axis=0) / count
    spread = windows - mean
    variance = np.einsum("wc,wc->c", spread, spread) / count
    ordered = sort_planes(windows)

    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        steepness = mean * mean / (2 * variance)  # 1 / 2σ²; infinite for a flat window: all weight on the median
    steepness = np.fmin(steepness, _STEEPEST)
    centre = len(ordered) // 2
    weighted, total = ordered[centre].copy(), np.ones_like(mean)
    for distance in range(1, centre + 1):
        weight = np.exp(-np.minimum(steepness * np.float32(distance * distance), _STEEPEST))
        weighted += weight * (ordered[centre - distance] + ordered[centre + distance])
        total += 2 * weight
    weighted /= total
    weighted[mean <= 0] = 0
    if flat == "zero":
        weighted[ordered[0] == ordered[-1]] = 0
    return weighted
