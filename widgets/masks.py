"""Masks of a run's pictures by name, and how they travel: an outline to draw and the covered part of every patch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from explore.errors import ParameterError
from explore.layout import TokenLayout
from widgets.codec import pack_array, pack_maps
from widgets.coverage import Cells, covered_part

Named = Mapping[str, Any]
Masks = Named | Sequence[Any] | None
MAX_SIDE = 256
"""Longest side of an outline in the browser: about a pixel of the small pictures it is drawn on."""


@dataclass(frozen=True, eq=False)
class Mask:
    """One mask of one picture.

    Parameters
    ----------
    name
        What it is called; names of one picture differ.
    picture
        Number of the picture.
    pixels
        (height, width) bool.
    cover
        Part of each cell of the layout's grids that it fills, (visual,); NaN for cells that see nothing of the picture.
    """

    name: str
    picture: int
    pixels: NDArray[np.bool_]
    cover: NDArray[np.float64]


def masks_of(masks: Masks, layout: TokenLayout, numbers: Sequence[int]) -> tuple[Mask, ...]:
    """Masks from what a person would give.

    Parameters
    ----------
    masks
        For one picture a mapping from name to (height, width), or such arrays without names; for several pictures a
        sequence of mappings, one for each (None for a picture without).
    layout
        Layout of the run.
    numbers
        Number of the picture behind each grid.

    Raises
    ------
    ParameterError
        A mask of another size than its picture, or of a picture that is not there.
    """
    each = [masks] if isinstance(masks, Mapping) else list(masks) if masks is not None else []
    if each and all(one is not None and not isinstance(one, Mapping) for one in each):
        each = [{f"mask {number}": pixels for number, pixels in enumerate(each)}]
    return tuple(
        _mask(name, picture, pixels, layout, numbers)
        for picture, named in enumerate(each)
        for name, pixels in (named or {}).items()
    )


def cells_of(layout: TokenLayout, numbers: Sequence[int], picture: int) -> Cells:
    """The cells of all grids, cut at the border of one picture; those of others have no area, (visual, 4) float64."""
    cells = [np.empty((0, 4))]
    for grid, number in zip(layout.grids, numbers, strict=True):
        boxes = grid.boxes.reshape(-1, 4).astype(np.float64)
        cells.append(boxes.clip(0, np.tile(grid.size, 2)) if number == picture else np.zeros_like(boxes))
    return np.concatenate(cells)


def mask_state(masks: Sequence[Mask]) -> dict[str, Any]:
    """Masks for ``static/areas.js``: names, outlines as bits, and the covered part of every cell, packed."""
    covers = np.stack([np.nan_to_num(mask.cover) for mask in masks]) if masks else np.empty((0, 0))
    return {"outlines": [_outline(mask) for mask in masks], "covers": pack_maps(covers)}


def _mask(name: object, picture: int, pixels: Any, layout: TokenLayout, numbers: Sequence[int]) -> Mask:
    from explore.bench.metrics.cells import mask_areas  # half a second that only views with masks pay

    grids = [grid for grid, number in zip(layout.grids, numbers, strict=True) if number == picture]
    if not grids:
        raise ParameterError(
            f"The mask {name!r} is of picture {picture}", f"The run has {len(set(numbers))}, counted from 0."
        )
    try:
        frames = sorted({(grid.image, grid.frame) for grid in grids})
        areas = np.sum([mask_areas(pixels, layout, image, frame) for image, frame in frames], axis=0)
    except ParameterError as problem:
        raise ParameterError(f"The mask {name!r}: {problem.received}", problem.allowed, problem.next) from None
    cover = covered_part(areas, cells_of(layout, numbers, picture))
    return Mask(str(name), picture, np.asarray(pixels).astype(bool), cover)


def _outline(mask: Mask) -> dict[str, Any]:
    small = Image.fromarray(mask.pixels.astype(np.uint8) * 255)
    small.thumbnail((MAX_SIDE, MAX_SIDE), Image.Resampling.BOX)
    bits = np.packbits(np.asarray(small) >= 128)
    return {
        "name": mask.name,
        "picture": mask.picture,
        "width": small.width,
        "height": small.height,
        "bits": pack_array(bits),
    }
