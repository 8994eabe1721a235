"""LLaVA-NeXT, OneVision and Granite Vision: the whole picture small, then its tiles joined, without their padding.

The picture is brought to one of some sizes without changing its shape, padded around, and cut into tiles. Their tokens
are laid together again as one grid, rows or columns that hold nothing but padding are taken off, and a newline token
follows each row. Tile 0 is the whole picture, tile 1 the joined ones.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from transformers.image_processing_utils import select_best_resolution

from explore.models.families.base import Family, Size
from explore.models.families.grids import GridPlan
from explore.models.geometry import Placement, region_boxes


class AnyResolution(Family):
    """Two grids per picture."""

    def grids(self, sizes: Sequence[Size], inputs: Mapping[str, Any]) -> Sequence[GridPlan]:
        """See `Family.grids`."""
        edge = int(inputs["pixel_values"].shape[-1])
        side = self.side(edge)
        found = [plan for number, size in enumerate(sizes) for plan in self._plans(number, size, edge, side)]
        if sum(plan.length for plan in found) == self.visual_count(inputs):
            return found
        # Several pictures in one prompt may be left whole, with a newline behind each.
        return [GridPlan(n, region_boxes((0, 0, *size), side, side), size, after=1) for n, size in enumerate(sizes)]

    def side(self, edge: int) -> int:
        """Tokens along the side of a tile of so many pixels."""
        return edge // int(self.model.config.vision_config.patch_size)

    def shrunk(self, rows: int, cols: int, side: int) -> tuple[int, int]:
        """Rows and columns of the joined tiles as the decoder gets them."""
        return rows, cols

    def _plans(self, number: int, size: Size, edge: int, side: int) -> list[GridPlan]:
        width, height = size
        best = select_best_resolution((height, width), self.processor.image_processor.image_grid_pinpoints)
        rows, cols = best[0] // edge * side, best[1] // edge * side
        # What is taken off is decided on the exact shape, what is padded on whole pixels: two rules, both followed.
        top = left = 0
        if width / height > cols / rows:
            top = (rows - int(round(height * (cols / width), 7))) // 2
        else:
            left = (cols - int(round(width * (rows / height), 7))) // 2
        where, cell = _padded(size, best), edge / side
        x0, y0 = _original(where, left * cell, top * cell)
        x1, y1 = _original(where, (cols - left) * cell, (rows - top) * cell)
        shape = self.shrunk(rows - 2 * top, cols - 2 * left, side)
        return [
            GridPlan(number, region_boxes((0, 0, *size), side, side), size),
            GridPlan(number, region_boxes((x0, y0, x1, y1), *shape), size, tile=1, after_row=1),
        ]


class OneVision(AnyResolution):
    """LLaVA-OneVision: very large pictures are shrunk once more, as a grid of tokens."""

    def shrunk(self, rows: int, cols: int, side: int) -> tuple[int, int]:
        """See `AnyResolution.shrunk`."""
        most = int(str(self.processor.vision_aspect_ratio).removeprefix("anyres_max_"))
        ratio = math.sqrt(rows * cols / (most * side**2))
        return (int(rows // ratio), int(cols // ratio)) if ratio > 1.1 else (rows, cols)


class GraniteVision(AnyResolution):
    """Granite 4 Vision: squares of patches become one token each; features enter between decoder layers."""

    def side(self, edge: int) -> int:
        """See `AnyResolution.side`."""
        up, down = (int(each) for each in str(self.model.config.downsample_rate).split("/"))
        return super().side(edge) * up // down


def _padded(size: Size, best: tuple[int, int]) -> Placement:
    """Where the canvas (height, width) lies on the picture: resized to fit, then in the middle."""
    width, height = size
    scale_w, scale_h = best[1] / width, best[0] / height
    if scale_w < scale_h:
        new = (best[1], min(math.ceil(height * scale_w), best[0]))
    else:
        new = (min(math.ceil(width * scale_h), best[1]), best[0])
    where = Placement((1.0, 1.0), (0.0, 0.0)).shrunk(new[0] / width, new[1] / height)
    return where.shifted(-((best[1] - new[0]) // 2), -((best[0] - new[1]) // 2))


def _original(where: Placement, x: float, y: float) -> tuple[float, float]:
    return x * where.scale[0] + where.offset[0], y * where.scale[1] + where.offset[1]
