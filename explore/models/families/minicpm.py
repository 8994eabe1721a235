"""MiniCPM-V: the whole picture stretched to whole tokens, then slices of it, row by row, each with its own grid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from explore.models.families.base import Family, Size
from explore.models.families.grids import GridPlan
from explore.models.geometry import region_boxes, tile_regions


class MiniCpm(Family):
    """Tile 0 is the whole picture, the others its slices; `target_sizes` has the patches of each."""

    def grids(self, sizes: Sequence[Size], inputs: Mapping[str, Any]) -> Sequence[GridPlan]:
        """See `Family.grids`."""
        own = self.processor.image_processor
        merge = 2 if own.downsample_mode == "4x" else 4
        shapes = [(int(rows) // merge, int(cols) // merge) for rows, cols in inputs["target_sizes"].tolist()]
        found, at = list[GridPlan](), 0
        for number, size in enumerate(sizes):
            cut = own.get_sliced_grid((size[1], size[0]), own.max_slice_nums, own.scale_resolution)
            slices = tile_regions(int(cut[0]), int(cut[1]), size) if own.slice_mode and cut else []
            for tile, region in enumerate([(0.0, 0.0, float(size[0]), float(size[1])), *slices]):
                found.append(GridPlan(number, region_boxes(region, *shapes[at]), size, tile=tile))
                at += 1
        return found
