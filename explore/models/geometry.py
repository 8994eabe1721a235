"""From the processor's pixels back to the picture.

Image processors pad, resize and crop. A `Placement` says where a pixel of the result lies in the upright original, so
that the box of a patch lands where a person sees it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Placement:
    """original = processed * scale + offset, per axis (x, y), in pixels."""

    scale: tuple[float, float]
    offset: tuple[float, float]

    def shifted(self, x: float, y: float) -> Placement:
        """As if the processed picture now began at (x, y) of the former one (negative for padding)."""
        return Placement(self.scale, (self.offset[0] + x * self.scale[0], self.offset[1] + y * self.scale[1]))

    def shrunk(self, x: float, y: float) -> Placement:
        """As if the processed picture was resized by these factors (new size / old size)."""
        return Placement((self.scale[0] / x, self.scale[1] / y), self.offset)

    def region(self, box: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
        """Where a box x0, y0, x1, y1 of the processed picture lies in the original."""
        x0, y0, x1, y1 = box
        (scale_x, scale_y), (left, top) = self.scale, self.offset
        return x0 * scale_x + left, y0 * scale_y + top, x1 * scale_x + left, y1 * scale_y + top


def placement(image_processor: Any, size: tuple[int, int]) -> Placement:
    """Follow a CLIP-type image processor: optional padding to a square, resize, centre crop, final padding.

    Parameters
    ----------
    image_processor
        A processor with transformers' usual attributes (do_resize, size, do_center_crop, crop_size, do_pad).
    size
        (width, height) of the upright picture in pixels.
    """
    width, height = size
    where = Placement((1.0, 1.0), (0.0, 0.0))
    if getattr(image_processor, "do_pad", None) and hasattr(image_processor, "pad_to_square"):
        side = max(width, height)
        where = where.shifted(-((side - width) // 2), -((side - height) // 2))
        width = height = side
    if getattr(image_processor, "do_resize", None):
        new_width, new_height = resized(width, height, image_processor.size)
        where = where.shrunk(new_width / width, new_height / height)
        width, height = new_width, new_height
    if getattr(image_processor, "do_center_crop", None):
        crop, early = image_processor.crop_size, getattr(image_processor, "backend", "pil") == "torchvision"
        left, top = (_crop_start(width, _get(crop, "width"), early), _crop_start(height, _get(crop, "height"), early))
        where = where.shifted(left, top)
    return where


def resized(width: int, height: int, size: Any) -> tuple[int, int]:
    """(width, height) after transformers' resize rule for this `size` setting, rounding included."""
    shortest, longest = _get(size, "shortest_edge"), _get(size, "longest_edge")
    if shortest and longest:
        ratio = max(width, height) / min(width, height)
        if ratio * shortest > longest:
            exact = longest * min(width, height) / max(width, height)
            short, factor = round(exact), exact
        else:
            short, factor = shortest, float(shortest)
        return _with_short_edge(width, height, short, factor)
    if shortest:
        return _with_short_edge(width, height, shortest, float(shortest))
    if _get(size, "max_height") and _get(size, "max_width"):
        factor = min(_get(size, "max_height") / height, _get(size, "max_width") / width)
        return int(width * factor), int(height * factor)
    return _get(size, "width"), _get(size, "height")


def patch_boxes(rows: int, cols: int, patch: float, where: Placement) -> np.ndarray:
    """Boxes x0, y0, x1, y1 of a grid of square patches, in pixels of the upright picture; (rows, cols, 4) float32."""
    x = np.arange(cols + 1) * patch * where.scale[0] + where.offset[0]
    y = np.arange(rows + 1) * patch * where.scale[1] + where.offset[1]
    boxes = np.empty((rows, cols, 4), np.float32)
    boxes[..., 0], boxes[..., 2] = x[:-1], x[1:]
    boxes[..., 1], boxes[..., 3] = y[:-1, None], y[1:, None]
    return boxes


def region_boxes(region: tuple[float, float, float, float], rows: int, cols: int) -> np.ndarray:
    """Boxes of an even grid over a region x0, y0, x1, y1 of the upright picture, (rows, cols, 4) float32."""
    x0, y0, x1, y1 = region
    x, y = np.linspace(x0, x1, cols + 1), np.linspace(y0, y1, rows + 1)
    boxes = np.empty((rows, cols, 4), np.float32)
    boxes[..., 0], boxes[..., 2] = x[:-1], x[1:]
    boxes[..., 1], boxes[..., 3] = y[:-1, None], y[1:, None]
    return boxes


def tile_regions(rows: int, cols: int, size: tuple[float, float]) -> list[tuple[float, float, float, float]]:
    """Regions x0, y0, x1, y1 of `rows` x `cols` equal tiles of an area (width, height), row by row."""
    width, height = size[0] / cols, size[1] / rows
    return [
        (col * width, row * height, (col + 1) * width, (row + 1) * height) for row in range(rows) for col in range(cols)
    ]


def _with_short_edge(width: int, height: int, short: int, factor: float) -> tuple[int, int]:
    if width <= height:
        return (width, height) if width == short else (short, int(factor * height / width))
    return (width, height) if height == short else (int(factor * width / height), short)


def _crop_start(length: int, wanted: int, early: bool) -> int:
    """First pixel of a centre crop; negative where the crop is larger and pads, the odd pixel behind if `early`."""
    if length >= wanted:
        return (length - wanted) // 2
    return -((wanted - length) // 2) if early else -math.ceil((wanted - length) / 2)


def _get(size: Any, name: str) -> Any:
    return size.get(name) if isinstance(size, dict) else getattr(size, name, None)
