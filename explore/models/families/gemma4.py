"""Gemma 4: the picture enlarged or shrunk to a number of patches, stretched to whole tokens."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from explore.models.families.base import Size
from explore.models.families.dynamic import DynamicGrid
from explore.models.families.films import steps_in_time
from explore.models.families.grids import GridPlan
from explore.models.geometry import region_boxes


class PositionedGrid(DynamicGrid):
    """The grid is in `image_position_ids`: (x, y) of every patch, -1 where there is none."""

    def patches(self, inputs: Mapping[str, Any]) -> list[tuple[int, int]]:
        """See `DynamicGrid.patches`."""
        return [_shape(each) for each in inputs["image_position_ids"]]

    def film(self, sizes: Sequence[Size], inputs: Mapping[str, Any]) -> Sequence[GridPlan]:
        """See `Family.film`."""
        rows, cols = _shape(inputs["video_position_ids"].reshape(-1, 2))
        merge = math.isqrt(rows * cols * len(sizes) // max(self.visual_count(inputs), 1))
        boxes = region_boxes((0, 0, *sizes[0]), rows // merge, cols // merge)
        return steps_in_time(sizes[0], len(sizes), len(sizes), boxes)


def _shape(positions: Any) -> tuple[int, int]:
    """Rows and columns of patches at these places (patches, 2), columns first."""
    return int(positions[:, 1].max()) + 1, int(positions[:, 0].max()) + 1
