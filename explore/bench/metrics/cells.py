"""From the pixels of a picture to its visual tokens: how much of a mask each token looks at."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import map_coordinates

from explore.errors import ParameterError
from explore.layout import ImageGrid, TokenLayout

ROUNDING = 2e-5
"""Boxes have single precision: a smaller share of a cell than this is an edge that was meant to be another's."""


def mask_areas(mask: ArrayLike, layout: TokenLayout, image: int = 0, frame: int = 0) -> NDArray[np.float64]:
    """Area of a mask that each visual token looks at, exact to fractions of a pixel.

    Boxes may end between pixels, stick out of the picture and overlap (tiles beside a thumbnail): every token is
    measured by itself, and what lies outside the picture has no area.

    Source: Crow, Summed-area tables for texture mapping, SIGGRAPH 1984. Between pixels the table of a mask is bilinear,
    so reading it there by linear interpolation is exact.

    Parameters
    ----------
    mask
        Pixels of the upright picture, bool (height, width).
    layout
        Where each visual token looks.
    image, frame
        The picture the mask belongs to.

    Returns
    -------
    (visual,) in square pixels, over the cells of all grids in order; 0 for cells of other pictures and frames.

    Raises
    ------
    ParameterError
        The layout has no such picture, or the mask is not of its size or not of zeros and ones.
    """
    pixels = check_mask(mask, picture_size(layout, image, frame))
    table = np.pad(pixels.astype(np.float64).cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    x0, y0, x1, y1 = _boxes_inside(layout, image, frame)

    def corner(y: NDArray[np.float64], x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Area of the mask above and left of these points."""
        read: NDArray[np.float64] = map_coordinates(table, [y, x], order=1, mode="nearest")
        return read

    areas, seen = corner(y1, x1) - corner(y0, x1) - corner(y1, x0) + corner(y0, x0), seen_areas(layout, image, frame)
    whole = np.where(areas > (1 - ROUNDING) * seen, seen, areas)
    return np.where(areas < ROUNDING * seen, 0, whole)


def seen_areas(layout: TokenLayout, image: int = 0, frame: int = 0) -> NDArray[np.float64]:
    """Area of the picture that each visual token looks at, (visual,) in square pixels; 0 for padding."""
    x0, y0, x1, y1 = _boxes_inside(layout, image, frame)
    boxes = np.concatenate([grid.boxes.reshape(-1, 4) for grid in layout.grids]).T.astype(np.float64)
    whole, seen = (boxes[2] - boxes[0]) * (boxes[3] - boxes[1]), (x1 - x0) * (y1 - y0)
    return np.where(seen < ROUNDING * whole, 0, seen)


def mask_coverage(mask: ArrayLike, layout: TokenLayout, image: int = 0, frame: int = 0) -> NDArray[np.float64]:
    """Share of what each visual token sees of the picture that a mask covers.

    Parameters and errors as in `mask_areas`.

    Returns
    -------
    (visual,) in 0..1; 0 for tokens that see nothing of the picture.
    """
    hit, seen = mask_areas(mask, layout, image, frame), seen_areas(layout, image, frame)
    return np.divide(hit, seen, out=np.zeros_like(hit), where=seen > 0)


def picture_grids(layout: TokenLayout, image: int = 0, frame: int = 0) -> tuple[ImageGrid, ...]:
    """The grids (tiles) of one picture or frame.

    Raises
    ------
    ParameterError
        The layout has none; the message lists what there is.
    """
    grids = tuple(grid for grid in layout.grids if (grid.image, grid.frame) == (image, frame))
    if not grids:
        have = sorted({(grid.image, grid.frame) for grid in layout.grids})
        raise ParameterError(f"There is no image {image} with frame {frame}", f"(image, frame) there are: {have}.")
    return grids


def picture_size(layout: TokenLayout, image: int = 0, frame: int = 0) -> tuple[int, int]:
    """(width, height) of one picture in pixels."""
    return picture_grids(layout, image, frame)[0].size


def check_mask(mask: ArrayLike, size: tuple[int, int]) -> NDArray[np.bool_]:
    """The mask as bool (height, width), refused unless it fits a picture of this (width, height)."""
    pixels = np.asarray(mask)
    if pixels.shape != (size[1], size[0]):
        raise ParameterError(
            f"A mask of shape {pixels.shape} was given for a picture of {size[0]} x {size[1]} pixels",
            f"It must be (height, width) = {(size[1], size[0])}.",
            "Masks belong to the upright picture at its full size.",
        )
    if pixels.dtype != np.bool_ and not np.isin(pixels, (0, 1)).all():
        raise ParameterError(
            f"A mask of {pixels.dtype} holds other values than 0 and 1", "", "Compare first, for example labels == 3."
        )
    return pixels.astype(bool)


def _boxes_inside(layout: TokenLayout, image: int, frame: int) -> NDArray[np.float64]:
    """x0, y0, x1, y1 of every cell, cut at the picture's border, (4, visual); cells of other pictures are empty."""
    width, height = picture_size(layout, image, frame)
    corners = [
        grid.boxes.reshape(-1, 4).astype(np.float64) * ((grid.image, grid.frame) == (image, frame))
        for grid in layout.grids
    ]
    boxes = np.concatenate(corners).T
    return np.clip(boxes, 0, np.array([width, height, width, height])[:, None])
