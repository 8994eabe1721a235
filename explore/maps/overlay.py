"""Maps drawn on the picture a person sees."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from explore.errors import ParameterError
from explore.layout import ImageGrid


def draw_heat(
    picture: Image.Image,
    grids: Sequence[ImageGrid],
    maps: Sequence[NDArray[np.float32]],
    *,
    opacity: float = 0.5,
    colormap: str = "viridis",
    size: int = 480,
    smooth: bool = True,
) -> Image.Image:
    """Blend maps over a picture, each cell where its box lies.

    Parameters
    ----------
    picture
        The upright picture that the boxes refer to.
    grids, maps
        Grids of this picture and a map (rows, cols) in 0..1 for each; where tiles overlap, their mean is drawn.
    opacity
        Of the heat over the picture, 0..1. Pixels that no visual token looks at stay as they are.
    colormap
        A matplotlib colour map.
    size
        Longer side of the result in pixels.
    smooth
        Interpolate between the centres of the cells; off, cells are drawn as blocks.

    Returns
    -------
    RGB picture

    Raises
    ------
    ParameterError
        The colour map is unknown, or opacity or size are out of range.
    """
    if not 0 <= opacity <= 1 or size < 1:
        raise ParameterError(f"Got opacity {opacity} and size {size}", "Opacity is 0..1 and size a number of pixels.")
    scale = size / max(picture.size)
    width, height = (max(1, round(side * scale)) for side in picture.size)
    canvas = np.asarray(picture.convert("RGB").resize((width, height), Image.Resampling.BILINEAR, reducing_gap=2.0))

    heat, cover = np.zeros((height, width)), np.zeros((height, width))
    for grid, values in zip(grids, maps, strict=True):
        # Cells of a grid share their rows' and columns' edges, so one axis is interpolated after the other.
        down = _blend_weights(grid.boxes[:, 0, 1::2] * (height / grid.size[1]), height, smooth)
        across = _blend_weights(grid.boxes[0, :, 0::2] * (width / grid.size[0]), width, smooth)
        heat += down @ values.astype(np.float64) @ across.T
        cover += down.sum(axis=1)[:, None] * across.sum(axis=1)[None, :]
    heat = np.divide(heat, cover, out=heat, where=cover > 0)
    colours = _colour_table(colormap)[(heat.clip(0, 1) * 255).astype(np.uint8)]
    alpha = opacity * (cover > 0)[..., None]
    return Image.fromarray((canvas * (1 - alpha) + colours * alpha).round().astype(np.uint8), "RGB")


def _blend_weights(edges: NDArray[np.floating], length: int, smooth: bool) -> NDArray[np.float64]:
    """How much each cell along one axis counts at each pixel, (pixels, cells); zero rows lie outside all cells.

    Parameters
    ----------
    edges
        Start and end of each cell in pixels, (cells, 2), ascending.
    length
        Pixels along the axis.
    """
    pixels = np.arange(length) + 0.5
    cells = len(edges)
    if smooth:
        place = np.interp(pixels, edges.mean(axis=1), np.arange(cells))
    else:
        place = np.searchsorted(edges[:, 1], pixels, side="right").clip(max=cells - 1).astype(np.float64)
    weights = np.maximum(0, 1 - np.abs(place[:, None] - np.arange(cells)))
    weights[(pixels < edges[0, 0]) | (pixels >= edges[-1, 1])] = 0
    return weights


def _colour_table(name: str) -> NDArray[np.float64]:
    """Red, green and blue in 0..255 for 256 values, (256, 3)."""
    from matplotlib import colormaps  # its tables only: no figure and no backend is touched

    if name not in colormaps:
        raise ParameterError(f"There is no colour map {name!r}", f"Known: {', '.join(sorted(colormaps))}.")
    table: NDArray[np.float64] = colormaps[name](np.arange(256) / 255)[:, :3] * 255
    return table
