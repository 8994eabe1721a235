"""Emu 3: the picture stretched to whole cells, each of which is a code; one more visual token ends each row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from explore.models.families.base import Family, Size
from explore.models.families.grids import GridPlan
from explore.models.geometry import region_boxes


class CodedRows(Family):
    """`image_sizes` are the stretched pictures in pixels; how many make a cell is the codebook's."""

    together = False  # the processor pads pictures of a batch to one size, and padding becomes codes too

    def grids(self, sizes: Sequence[Size], inputs: Mapping[str, Any]) -> Sequence[GridPlan]:
        """See `Family.grids`."""
        # As many cells and row ends as there are tokens, of pictures of these sizes, leave one size for a cell.
        cell = next(each for each in range(1, 4096) if self._tokens(inputs, each) <= self.visual_count(inputs))
        return [
            GridPlan(number, region_boxes((0, 0, *size), int(height) // cell, int(width) // cell), size, after_row=1)
            for number, (size, (height, width)) in enumerate(zip(sizes, inputs["image_sizes"].tolist(), strict=True))
        ]

    def _tokens(self, inputs: Mapping[str, Any], cell: int) -> int:
        """Visual tokens of the pictures if cells are of this size in pixels."""
        return sum(int(height) // cell * (int(width) // cell + 1) for height, width in inputs["image_sizes"].tolist())
