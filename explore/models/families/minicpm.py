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
        shapes = iter(_tokens(inputs["target_sizes"], own.downsample_mode))
        return [
            GridPlan(number, region_boxes(region, *next(shapes)), size, tile=tile)
            for number, size in enumerate(sizes)
            for tile, region in enumerate(_regions(own, size))
        ]

    def film(self, sizes: Sequence[Size], inputs: Mapping[str, Any]) -> Sequence[GridPlan]:
        """See `Family.film`; large frames are cut into slices as pictures are."""
        own = self.processor.video_processor
        shapes = iter(_tokens(inputs["target_sizes_videos"], own.downsample_mode))
        return [
            GridPlan(0, region_boxes(region, *next(shapes)), size, frame=frame, tile=tile)
            for frame, size in enumerate(sizes)
            for tile, region in enumerate(_regions(own, size))
        ]


def _regions(own: Any, size: Size) -> list[tuple[float, float, float, float]]:
    """The whole picture and its slices, x0, y0, x1, y1 in its pixels."""
    cut = own.get_sliced_grid((size[1], size[0]), own.max_slice_nums, own.scale_resolution) if own.slice_mode else None
    slices = tile_regions(int(cut[0]), int(cut[1]), size) if cut else []
    return [(0.0, 0.0, float(size[0]), float(size[1])), *slices]


def _tokens(patches: Any, mode: str) -> list[tuple[int, int]]:
    """Rows and columns of tokens of pictures with so many rows and columns of patches."""
    merge = 2 if mode == "4x" else 4
    return [(int(rows) // merge, int(cols) // merge) for rows, cols in patches.tolist()]
