"""Points for a segmenter from a similarity map: sure inside, sure outside, and neither."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from explore.errors import ParameterError
from explore.layout import ImageGrid

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
    where: ImageGrid | tuple[int, int],
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

    The map is made coarser and stretched to 0..1; cells that see nothing of the picture never count. Inside points come
    first, best first, then outside ones, then the others; the first `most` are kept.

    Source: READ, arXiv 2412.17741 (SasP); "fixed" thresholds as in its code, "statistical" as in its text.

    Parameters
    ----------
    values
        One map, (rows, cols).
    where
        The grid of the map, `trace.layout.grid()`, whose boxes say where each cell looks. Or (width, height) of a
        picture whose square centre the map shows, as the source has it.
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
    if isinstance(where, ImageGrid):
        size, centres = where.size, _box_centres(where, grid.shape, coarse.shape)
        seen = ((centres >= 0) & (centres < np.array(size))).all(-1)
        padded = np.where(seen, coarse, np.float32(-1))
    else:
        size, padded = where, _padded(coarse, where)
        centres = _frame_centres(padded.shape, size)
    flat = padded.ravel()
    sure = np.flatnonzero(flat >= high)
    never = np.flatnonzero((flat >= 0) & (flat <= low) & (flat < high))
    other = np.flatnonzero((flat > low) & (flat < high))
    order = [*sure[np.argsort(-flat[sure], kind="stable")], *never[np.argsort(flat[never], kind="stable")], *other]
    cells = np.array(order[:most], np.int64)
    labels = np.concatenate([np.ones(len(sure)), np.zeros(len(never)), -np.ones(len(other))]).astype(np.int64)[:most]
    xy = centres.reshape(-1, 2)[cells].astype(np.float32)
    if refine and len(xy):
        xy = _refined(xy, _drawn(grid, where, size))
    return Points(xy, labels, (float(high), float(low)))


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


def _frame_centres(shape: tuple[int, ...], size: tuple[int, int]) -> NDArray[np.float32]:
    """Centres of the cells of a frame over the whole picture, whole pixels, (rows, cols, 2)."""
    x = (np.arange(shape[1]) + 0.5) * size[0] / shape[1]
    y = (np.arange(shape[0]) + 0.5) * size[1] / shape[0]
    centres = np.stack(np.meshgrid(x.clip(0, size[0] - 1), y.clip(0, size[1] - 1)), axis=-1)
    return np.trunc(centres).astype(np.float32)


def _box_centres(grid: ImageGrid, shape: tuple[int, ...], coarse: tuple[int, ...]) -> NDArray[np.float32]:
    """Centres of coarse cells in the picture, (rows, cols, 2), from the boxes of the fine ones."""
    if (grid.rows, grid.cols) != tuple(shape):
        raise ParameterError(
            f"The map has the shape {tuple(shape)}, its grid ({grid.rows}, {grid.cols})", "They must agree."
        )
    left, top = np.moveaxis(grid.boxes[0, 0, :2], -1, 0)
    right, bottom = grid.boxes[-1, -1, 2:]
    x = left + (np.arange(coarse[1]) + 0.5) * (right - left) / coarse[1]
    y = top + (np.arange(coarse[0]) + 0.5) * (bottom - top) / coarse[0]
    return np.stack(np.meshgrid(x, y), axis=-1).astype(np.float32)


def _drawn(
    values: NDArray[np.float32], where: ImageGrid | tuple[int, int], size: tuple[int, int]
) -> NDArray[np.float32]:
    """The map at the size of the picture, (height, width), 0 where no cell looks."""
    unit = _unit(values)
    if not isinstance(where, ImageGrid):
        return _resized(_padded(unit, size, 0), (size[1], size[0]))
    centres = _box_centres(where, values.shape, values.shape)
    across = np.stack([np.interp(np.arange(size[0]) + 0.5, centres[0, :, 0], row) for row in unit])
    drawn = np.stack([np.interp(np.arange(size[1]) + 0.5, centres[:, 0, 1], col) for col in across.T], axis=1)
    return drawn.astype(np.float32)


def _refined(xy: NDArray[np.float32], pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    """Each point at the mean of the pixels, weighted by the map's softmax and a bell of one pixel around the point."""
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
