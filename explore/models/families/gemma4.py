"""Gemma 4: the picture enlarged or shrunk to a number of patches, stretched to whole tokens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from explore.models.families.dynamic import DynamicGrid


class PositionedGrid(DynamicGrid):
    """The grid is in `image_position_ids`: (x, y) of every patch, -1 where there is none."""

    def patches(self, inputs: Mapping[str, Any]) -> list[tuple[int, int]]:
        """See `DynamicGrid.patches`."""
        return [(int(each[:, 1].max()) + 1, int(each[:, 0].max()) + 1) for each in inputs["image_position_ids"]]
