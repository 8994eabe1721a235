"""Points for a segmenter from a similarity map: sure inside, sure outside, and neither."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from explore.errors import ParameterError

Rule = Literal["fixed", "statistical"]


@dataclass(frozen=True, eq=False)
class Points:
    """Points in pixels of the upright picture.

    Parameters
    ----------
    xy
        (points, 2) float32
    labels
        1 inside, 0 outside, -1 no point, (points,) int64
    thresholds
        Values of the map from which a cell is inside, and up to which it is outside.
    """

    xy: NDArray[np.float32]
    labels: NDArray[np.int64]
    thresholds: tuple[float, float]


def similarity_points(
    values: NDArray[np.floating],
    size: tuple[int, int],
    *,
    rule: Rule = "fixed",
    inside: float = 0.8,
    outside: float = 0.2,
    spread: float = 0.5,
    down: int = 2,
    most: int = 30,
    refine: bool = True,
) -> Points:
    """The cells of a map that are surely inside or surely outside the thing, as points.

    The map is made coarser, stretched to 0..1 and padded with -1 to the picture's shape, so that cells a centre crop
    took away never count. Inside points come first, best first, then outside ones, then the others; the first `most`
    are kept.

    Source: READ, arXiv 2412.17741 (SasP); "fixed" thresholds as in its code, "statistical" as in its text.

    Parameters
    ----------
    values
        One map, (rows, cols), of the square centre of a picture.
    size
        (width, height) of the picture.
    rule
        "fixed": from `inside` up and down to `outside`. "statistical": mean ± `spread` standard deviations.
    down
        How much coarser.
    refine
        Move each point to the mean of nearby pixels weighted by the map, less than a pixel.

    Raises
    ------
    ParameterError
        The map is no grid of finite numbers, or a parameter is out of range.
    """
    grid = np.asarray(values, np.float32)
    if grid.ndim != 2 or not grid.size or not np.isfinite(grid).all():
        raise ParameterError(f"The map has the shape {grid.shape}", "It is a grid of finite numbers (rows, cols).")
    if rule not in ("fixed", "statistical") or down < 1 or most < 1:
        raise ParameterError(
            f"rule={rule!r}, down={down}, most={most} were given", "Rules are 'fixed' and 'statistical'; counts from 1."
        )
    coarse = _unit(_resized(grid, (max(1, grid.shape[0] // down), max(1, grid.shape[1] // down))))
    high, low = (inside, outside) if rule == "fixed" else _around_mean(coarse, spread)
    padded = _padded(coarse, size)
    flat = padded.ravel()
    sure = np.flatnonzero(flat >= high)
    never = np.flatnonzero((flat >= 0) & (flat <= low) & (flat < high))
    other = np.flatnonzero((flat > low) & (flat < high))
    order = [*sure[np.argsort(-flat[sure], kind="stable")], *never[np.argsort(flat[never], kind="stable")], *other]
    cells = np.array(order[:most], np.int64)
    labels = np.concatenate([np.ones(len(sure)), np.zeros(len(never)), -np.ones(len(other))]).astype(np.int64)[:most]
    xy = _centres(cells, padded.shape, size)
    return Points(_refined(xy, grid, size) if refine and len(xy) else xy, labels, (float(high), float(low)))


def _around_mean(grid: NDArray[np.float32], spread: float) -> tuple[float, float]:
    mean, wide = float(grid.mean()), spread * float(grid.std())
    return mean + wide, mean - wide


def _unit(grid: NDArray[np.float32]) -> NDArray[np.float32]:
    low, high = grid.min(), grid.max()
    return (grid - low) / (high - low) if high > low else np.zeros_like(grid)


def _resized(grid: NDArray[np.float32], shape: tuple[int, int]) -> NDArray[np.float32]:
    made = torch.nn.functional.interpolate(torch.from_numpy(grid)[None, None], shape, mode="bilinear")
    found: NDArray[np.float32] = made[0, 0].numpy()
    return found


def _padded(grid: NDArray[np.float32], size: tuple[int, int], value: float = -1) -> NDArray[np.float32]:
    """The grid in the middle of a frame of the picture's shape; half of the excess on each side, cut off."""
    (rows, cols), (width, height) = grid.shape, size
    scale = min(rows / height, cols / width) if width != height else 1.0
    short = min(width, height)
    wide, tall = (int(cols * width / short), int(rows * height / short)) if scale else (cols, rows)
    left, top = (wide - cols) // 2, (tall - rows) // 2
    frame = ((top, tall - rows - top), (left, wide - cols - left))
    return np.pad(grid, frame, constant_values=value).astype(np.float32)


def _centres(cells: NDArray[np.int64], shape: tuple[int, ...], size: tuple[int, int]) -> NDArray[np.float32]:
    rows, cols = np.divmod(cells, shape[1])
    x, y = (cols + 0.5) * size[0] / shape[1], (rows + 0.5) * size[1] / shape[0]
    clipped = np.stack([x.clip(0, size[0] - 1), y.clip(0, size[1] - 1)], axis=-1)
    return np.trunc(clipped).astype(np.float32)


def _refined(xy: NDArray[np.float32], grid: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    """Each point at the mean of the pixels, weighted by the map's softmax and a bell of one pixel around the point."""
    frame = _padded(_unit(grid), size, 0)
    pixels = _resized(frame, (size[1], size[0]))
    weight = np.exp(pixels - pixels.max())
    moved = []
    for x, y in xy.tolist():
        # Eight pixels away the bell is e^-64: nothing further out counts.
        left, top = max(0, int(x) - 8), max(0, int(y) - 8)
        part = weight[top : int(y) + 9, left : int(x) + 9]
        rows, cols = np.arange(top, top + part.shape[0]), np.arange(left, left + part.shape[1])
        near = part * np.exp(-((rows[:, None] - y) ** 2) - (cols[None, :] - x) ** 2)
        moved.append(((near * cols).sum() / near.sum(), (near * rows[:, None]).sum() / near.sum()))
    return np.array(moved, np.float32)
