"""Molmo 2: the whole picture small, then at the size of a canvas that crops overlap on. Both are stretched.

Tile 0 is the whole picture, tile 1 the canvas. Squares of patches are pooled to a token; where they do not come out
even, the outermost tokens also look past the picture's border.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from explore.models.families.base import Family, Size
from explore.models.families.films import steps_in_time
from explore.models.families.grids import GridPlan
from explore.models.geometry import region_boxes


class Molmo2(Family):
    """Two grids per picture; row ends are text."""

    processor_options: ClassVar[Mapping[str, Any]] = {"return_mm_token_type_ids": True}

    def grids(self, sizes: Sequence[Size], inputs: Mapping[str, Any]) -> Sequence[GridPlan]:
        """See `Family.grids`."""
        own = self.processor.image_processor
        side = int(own.size["height"]) // int(own.patch_size)
        found = []
        for number, (size, grid) in enumerate(zip(sizes, inputs["image_grids"].tolist(), strict=True)):
            small, large = tuple(grid[:2]), tuple(grid[2:])
            found.append(GridPlan(number, _boxes(size, small, (side, side), own.pooling_size), size))
            found.append(GridPlan(number, _boxes(size, large, self._canvas(size), own.pooling_size), size, tile=1))
        return found

    def film(self, sizes: Sequence[Size], inputs: Mapping[str, Any]) -> Sequence[GridPlan]:
        """See `Family.film`; every frame is shown small."""
        own = self.processor.video_processor
        side = int(own.size["height"]) // int(own.patch_size)
        steps, *tokens = (int(each) for each in inputs["video_grids"][0])
        return steps_in_time(sizes[0], len(sizes), steps, _boxes(sizes[0], tokens, (side, side), own.pooling_size))

    def _canvas(self, size: Size) -> tuple[int, int]:
        """Rows and columns of patches on the canvas, by the library's own rule."""
        own = self.processor.image_processor
        *_, height, width = self.rules().compute_crop_geometry(
            size[1], size[0], own.max_crops, own.overlap_margins, int(own.size["height"]), own.patch_size
        )
        return height // own.patch_size, width // own.patch_size


def _boxes(size: Size, tokens: Sequence[int], patches: tuple[int, int], pooled: Sequence[int]) -> Any:
    """Boxes of rows and columns of tokens over a picture of rows and columns of patches."""
    region = []
    for length, count, cells, pool in zip(size[::-1], tokens, patches, pooled, strict=True):
        before = (count * pool - cells) // 2
        region.append((-before * length / cells, (count * pool - before) * length / cells))
    (y0, y1), (x0, x1) = region
    return region_boxes((x0, y0, x1, y1), *tokens)
