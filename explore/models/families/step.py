"""Step 3: windows of the picture, row by row, each brought to one size, then the whole picture as a square."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from explore.models.families.base import Family, Size
from explore.models.families.grids import GridPlan
from explore.models.geometry import region_boxes


class Step3(Family):
    """Tile 0 is the whole picture, last in the sequence; windows may have another number of tokens than it."""

    def grids(self, sizes: Sequence[Size], inputs: Mapping[str, Any]) -> Sequence[GridPlan]:
        """See `Family.grids`."""
        token = self.processor.image_token
        whole = math.isqrt(self.processor.image_feature_placeholder.count(token))
        part = math.isqrt(self.processor.patch_feature_placeholder.count(token))
        return [plan for number, size in enumerate(sizes) for plan in self._plans(number, size, whole, part)]

    def _plans(self, number: int, size: Size, whole: int, part: int) -> list[GridPlan]:
        own = self.processor.image_processor
        _, cut, window, cols, rows, square = own._plan_patches(*size, int(own.size["height"]), int(own.patch_size))
        # Very long pictures lie in the corner of a square.
        full = (float(max(size)), float(max(size))) if square else (float(size[0]), float(size[1]))
        found = []
        if window:
            scale = (full[0] / cut[0], full[1] / cut[1])
            for tile in range(rows * cols):
                row, col = divmod(tile, cols)
                region = (
                    col * window * scale[0],
                    row * window * scale[1],
                    min((col + 1) * window, cut[0]) * scale[0],
                    min((row + 1) * window, cut[1]) * scale[1],
                )
                found.append(GridPlan(number, region_boxes(region, part, part), size, tile=tile + 1))
        return [*found, GridPlan(number, region_boxes((0, 0, *full), whole, whole), size)]
