"""Layouts for metrics: a grid over a picture, tiles, padding, several pictures, without any model."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from explore.layout import ImageGrid, Role, TokenLayout


def grid(
    rows: int,
    cols: int,
    size: tuple[int, int],
    *,
    box: tuple[float, float, float, float] | None = None,
    image: int = 0,
    frame: int = 0,
    tile: int = 0,
) -> ImageGrid:
    """Equal cells over a box (x0, y0, x1, y1), by default over the whole picture; positions are set by `layout`."""
    x0, y0, x1, y1 = box or (0, 0, *size)
    across, down = np.linspace(x0, x1, cols + 1), np.linspace(y0, y1, rows + 1)
    left, top = np.meshgrid(across[:-1], down[:-1])
    right, bottom = np.meshgrid(across[1:], down[1:])
    boxes = np.stack([left, top, right, bottom], axis=-1)
    return ImageGrid(image, frame, tile, np.arange(rows * cols).reshape(rows, cols), boxes, size)


def layout(*grids: ImageGrid) -> TokenLayout:
    """The grids one after the other, with a question token behind them."""
    placed, start = [], 0
    for each in grids:
        placed.append(ImageGrid(each.image, each.frame, each.tile, each.positions + start, each.boxes, each.size))
        start += each.positions.size
    return TokenLayout((*[Role.IMAGE] * start, Role.QUESTION), tuple(placed))


def plain(rows: int, cols: int, cell: int = 10) -> TokenLayout:
    """One picture cut into square cells of whole pixels."""
    return layout(grid(rows, cols, (cols * cell, rows * cell)))


def box_mask(size: tuple[int, int], x0: int, y0: int, x1: int, y1: int) -> np.ndarray:
    """A box of true pixels, bool (height, width)."""
    mask = np.zeros((size[1], size[0]), bool)
    mask[y0:y1, x0:x1] = True
    return mask


def cells_on(layout: TokenLayout, places: Sequence[int]) -> np.ndarray:
    """A map with 1 at these places and 0 elsewhere."""
    heat = np.zeros(len(layout.visual))
    heat[list(places)] = 1
    return heat
