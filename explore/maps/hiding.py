"""Pictures with some of their cells painted over, for methods that take pixels away."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from explore.errors import ParameterError
from explore.layout import ImageGrid, TokenLayout

Fill = Literal["mean", "blur", "black"]


def painted(picture: Image.Image, fill: Fill) -> Image.Image:
    """What is seen where a picture is hidden: its mean colour, a blurred copy, or black.

    Raises
    ------
    ParameterError
        There is no such fill.
    """
    if fill == "blur":
        return picture.convert("RGB").filter(ImageFilter.GaussianBlur(max(picture.size) / 16))
    if fill == "mean":
        return Image.new("RGB", picture.size, mean_colour(picture))
    if fill == "black":
        return Image.new("RGB", picture.size)
    raise ParameterError(f"fill={fill!r} was given", "Allowed are 'mean', 'blur' and 'black'.")


def mean_colour(picture: Image.Image) -> tuple[int, int, int]:
    """Mean of each channel, rounded."""
    small = np.asarray(picture.convert("RGB").resize((1, 1), Image.Resampling.BOX))
    red, green, blue = (int(value) for value in small[0, 0])
    return red, green, blue


def hide(
    pictures: Sequence[Image.Image], fills: Sequence[Image.Image], layout: TokenLayout, hidden: NDArray[np.bool_]
) -> list[Image.Image]:
    """The pictures with the boxes of hidden cells replaced by the fills' pixels.

    Parameters
    ----------
    pictures, fills
        One per picture of the layout, of the same sizes.
    layout
        Where the cells are.
    hidden
        (visual,) over the cells of all grids, grids one after the other.
    """
    shown = list(pictures)
    at = 0
    for grid in layout.grids:
        part = hidden[at : at + grid.positions.size].reshape(grid.rows, grid.cols)
        at += grid.positions.size
        if part.any():
            for which in grid.pictures(len(pictures)):
                shown[which] = Image.composite(fills[which], shown[which].convert("RGB"), _mask(grid, part))
    return shown


def _mask(grid: ImageGrid, part: NDArray[np.bool_]) -> Image.Image:
    """White where a hidden cell looks, in pixels of the picture."""
    mask = np.zeros((grid.size[1], grid.size[0]), np.uint8)
    for x0, y0, x1, y1 in np.rint(grid.boxes[part]).astype(int).clip(0):
        mask[y0:y1, x0:x1] = 255
    return Image.fromarray(mask)
