"""From visual tokens to pixels: a map as a picture."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from explore.bench.metrics.cells import picture_grids, seen_areas
from explore.layout import ImageGrid, TokenLayout


def pixel_map(heat: NDArray[np.floating], layout: TokenLayout, image: int = 0, frame: int = 0) -> NDArray[np.float64]:
    """Maps over the visual tokens, interpolated between the centres of the cells to every pixel of a picture.

    Where the cells cut the picture into equal parts this is the usual bilinear resize (half-pixel centres, edges
    extended). Where tiles overlap, their mean is taken; cells that see nothing of the picture have no say.

    Parameters
    ----------
    heat
        (..., visual), over the cells of all grids in order.
    layout
        Where each visual token looks.
    image, frame
        The picture wanted.

    Returns
    -------
    (..., height, width) float64, NaN where no visual token looks.

    Raises
    ------
    ParameterError
        The layout has no such picture.
    """
    width, height = picture_grids(layout, image, frame)[0].size
    counted = seen_areas(layout, image, frame) > 0
    values = np.where(counted, heat, 0).astype(np.float64)
    total, cover = np.zeros((*heat.shape[:-1], height, width)), np.zeros((height, width))
    start = 0
    for grid in layout.grids:
        cells = slice(start, start + grid.positions.size)
        start = cells.stop
        if counted[cells].any():
            down, across = _weights(grid, axis=1, length=height), _weights(grid, axis=0, length=width)
            total += down @ values[..., cells].reshape(*heat.shape[:-1], grid.rows, grid.cols) @ across.T
            cover += down @ counted[cells].reshape(grid.rows, grid.cols).astype(np.float64) @ across.T
    drawn = np.divide(total, cover, out=np.full_like(total, np.nan), where=cover > 0)
    # Weights add up to one but for rounding; a constant map must stay constant to the last bit, or noise has a peak.
    own = values[..., None, counted]
    return np.clip(drawn, own.min(-1, keepdims=True), own.max(-1, keepdims=True))


def _weights(grid: ImageGrid, axis: int, length: int) -> NDArray[np.float64]:
    """How much each row (axis 1) or column (axis 0) counts at each pixel of that axis, (pixels, cells).

    Cells of a grid share the edges of their row and column, so the two axes can be interpolated one after the other.
    Rows of zeros are pixels outside all cells.
    """
    edges = (grid.boxes[0, :, axis::2] if axis == 0 else grid.boxes[:, 0, axis::2]).astype(np.float64)
    pixels, centres = np.arange(length) + 0.5, edges.mean(axis=1)
    weights = np.stack([np.interp(pixels, centres, lone) for lone in np.eye(len(centres))], axis=1)
    weights[(pixels < edges[0, 0]) | (pixels >= edges[-1, 1])] = 0
    return weights
