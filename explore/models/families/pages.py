"""Unlimited OCR: tiles of a page laid together as one grid, then the page itself, padded to a square, then a separator.

A newline placeholder follows each row of both grids. Tile 1 are the joined tiles, tile 0 is the page.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from explore.models.families.base import Family, Size
from explore.models.families.grids import GridPlan
from explore.models.geometry import Placement, patch_boxes, region_boxes


class Pages(Family):
    """One or two grids per page."""

    def grids(self, sizes: Sequence[Size], inputs: Mapping[str, Any]) -> Sequence[GridPlan]:
        """See `Family.grids`."""
        edge = int(inputs["pixel_values"].shape[-1])
        tiles = [tuple(each) for each in torch_list(inputs["patches_grid"])]
        side, part = self._sides(inputs, tiles)
        found = []
        for number, (size, (cols, rows)) in enumerate(zip(sizes, tiles, strict=True)):
            if rows * cols > 1:
                boxes = region_boxes((0, 0, *size), rows * part, cols * part)
                found.append(GridPlan(number, boxes, size, tile=1, after_row=1))
            boxes = patch_boxes(side, side, edge / side, self._page(size, edge, rows * cols > 1))
            found.append(GridPlan(number, boxes, size, after_row=1, after=1))
        return found

    def _sides(self, inputs: Mapping[str, Any], tiles: list[Any]) -> tuple[int, int]:
        """Tokens along the side of a page and of a tile: the same number of pixels each."""
        edge = int(inputs["pixel_values"].shape[-1])
        local = inputs.get("pixel_values_local")
        small = int(local.shape[-1]) if local is not None and len(local) else edge
        for side in range(1, 4096):
            part = side * small // edge
            every = (
                part * rows * (part * cols + 1) * (rows * cols > 1) + side * (side + 1) + 1 for cols, rows in tiles
            )
            if sum(every) == self.visual_count(inputs):
                return side, part
        return 1, 1

    def _page(self, size: Size, edge: int, cut: bool) -> Placement:
        """Where the page lies: the longest edge brought to size, the rest grey on both sides."""
        own, whole = self.processor.image_processor, Placement((1.0, 1.0), (0.0, 0.0))
        if not own.crop_to_patches and edge <= 640:
            return whole.shrunk(edge / size[0], edge / size[1])
        scale = edge / max(size)
        width, height = (round(each * scale) for each in size)
        return whole.shrunk(width / size[0], height / size[1]).shifted(-((edge - width) // 2), -((edge - height) // 2))


def torch_list(values: Any) -> list[Any]:
    """A tensor or list of pairs as a list."""
    return list(values.tolist() if hasattr(values, "tolist") else values)
