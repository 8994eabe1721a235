"""LFM2-VL: the picture as it is, stretched to whole tokens; a large one as tiles, then the whole one small."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from explore.models.families.base import Family, Size
from explore.models.families.grids import GridPlan
from explore.models.geometry import region_boxes, tile_regions


class Lfm2(Family):
    """One grid, or tiles row by row and then the whole picture (tile 0), each of the shape `spatial_shapes` says."""

    def grids(self, sizes: Sequence[Size], inputs: Mapping[str, Any]) -> Sequence[GridPlan]:
        """See `Family.grids`."""
        merge = int(self.model.config.downsample_factor)
        shapes = [(-(-int(rows) // merge), -(-int(cols) // merge)) for rows, cols in inputs["spatial_shapes"].tolist()]
        found, at = list[GridPlan](), 0
        for number, size in enumerate(sizes):
            rows, cols, whole = self._cut(size)
            tiles = tile_regions(rows, cols, size) if rows * cols > 1 else []
            regions = list(enumerate(tiles, start=1))
            if whole:
                regions.append((0, (0.0, 0.0, float(size[0]), float(size[1]))))
            for tile, region in regions:
                found.append(GridPlan(number, region_boxes(region, *shapes[at]), size, tile=tile))
                at += 1
        return found

    def _cut(self, size: Size) -> tuple[int, int, bool]:
        """Rows and columns of tiles, by the processor's own rule, and whether the whole picture comes too."""
        own = self.processor.image_processor
        single = own.min_tiles == own.max_tiles == 1 or not own.do_image_splitting
        large = own._is_image_too_large(
            height=size[1],
            width=size[0],
            max_image_tokens=own.max_image_tokens,
            encoder_patch_size=own.encoder_patch_size,
            downsample_factor=own.downsample_factor,
            max_pixels_tolerance=own.max_pixels_tolerance,
        )
        if single or not large:
            return 1, 1, True
        cols, rows, *_ = own._get_grid_layout(
            size[1], size[0], min_tiles=own.min_tiles, max_tiles=own.max_tiles, tile_size=own.tile_size
        )
        return int(rows), int(cols), bool(own.use_thumbnail) or rows * cols == 1
