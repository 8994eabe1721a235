"""Tiles of one size, cut out of the stretched picture, and the whole picture small: InternVL, Aya, Ovis 2, Idefics 3.

Every tile and the whole picture have a grid of their own, all of the same shape. Tile 0 is the whole picture, whatever
its place in the sequence; where a picture is not cut, there is only tile 0.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from explore.errors import CheckpointError
from explore.models.families.base import Family, Size
from explore.models.families.films import square_grids
from explore.models.families.grids import GridPlan
from explore.models.geometry import region_boxes, tile_regions


class Tiles(Family):
    """Tiles row by row, then the whole picture."""

    whole_first = False
    whole_always = False  # a picture of one tile comes twice, whole and as its tile

    def grids(self, sizes: Sequence[Size], inputs: Mapping[str, Any]) -> Sequence[GridPlan]:
        """See `Family.grids`."""
        cuts = [self.cut(size) for size in sizes]
        views = sum(rows * cols + (rows * cols > 1 or self.whole_always) for rows, cols in cuts)
        count = self.visual_count(inputs)
        side = math.isqrt(count // max(views, 1))
        if side * side * views != count:
            raise CheckpointError(
                f"{count} visual tokens do not make {views} square tiles",
                f"The pictures were expected to be cut into {cuts} rows and columns.",
                "Check that processor and model belong together.",
            )
        return [
            plan for number, size in enumerate(sizes) for plan in self.plans(number, size, cuts[number], (side, side))
        ]

    def plans(self, number: int, size: Size, cut: tuple[int, int], cells: tuple[int, int]) -> list[GridPlan]:
        """The grids of one picture in the order of the sequence."""
        width, height = self.area(size, cut)
        whole = GridPlan(number, region_boxes((0, 0, *size), *cells), size)
        if cut == (1, 1) and not self.whole_always:
            return [GridPlan(number, region_boxes((0, 0, width, height), *cells), size)]
        regions = tile_regions(*cut, (width, height))
        tiles = [GridPlan(number, region_boxes(each, *cells), size, tile=k) for k, each in enumerate(regions, start=1)]
        return [whole, *tiles] if self.whole_first else [*tiles, whole]

    def area(self, size: Size, cut: tuple[int, int]) -> tuple[float, float]:
        """(width, height) in pixels of the picture that all tiles together cover; more where there is padding."""
        return float(size[0]), float(size[1])

    def cut(self, size: Size) -> tuple[int, int]:
        """Rows and columns of tiles that the processor cuts a picture into."""
        own = self.processor.image_processor
        if not own.crop_to_patches:
            return 1, 1
        cols, rows = self.best_canvas((size[1], size[0]))
        return rows, cols

    def best_canvas(self, size: tuple[int, int]) -> tuple[int, int]:
        """Columns and rows for (height, width), by the library's own rule."""
        own = self.processor.image_processor
        edges = (own.size["height"], own.size["width"])
        found: tuple[int, int] = self.rules().get_optimal_tiled_canvas(size, edges, own.min_patches, own.max_patches)
        return found


class Ovis2(Tiles):
    """Ovis 2: the whole picture first, and a rule of its own for the number of tiles."""

    whole_first = True

    def best_canvas(self, size: tuple[int, int]) -> tuple[int, int]:
        """See `Tiles.best_canvas`."""
        own = self.processor.image_processor
        if not own.use_covering_area_grid:
            return super().best_canvas(size)
        found: tuple[int, int] = self.rules().get_min_tile_covering_grid(
            size,
            target_patch_size=own.size["height"],
            max_image_tiles=own.max_patches,
            covering_threshold=0.9,  # the processor has no setting for it
        )
        return found


class NamedTiles(Tiles):
    """Idefics 3, SmolVLM and Granite Docling: tiles announced by row and column in the text, the whole picture last."""

    def film(self, sizes: Sequence[Size], inputs: Mapping[str, Any]) -> Sequence[GridPlan]:
        """See `Family.film`; frames are never cut."""
        return square_grids(self, sizes, inputs, stretched=True)

    def cut(self, size: Size) -> tuple[int, int]:
        """See `Tiles.cut`."""
        own = self.processor.image_processor
        if hasattr(own, "get_tile_grid"):
            rows, cols = own.get_tile_grid(size[1], size[0], {})
        else:
            _, rows, cols = own.get_number_of_image_patches(size[1], size[0])
        return max(int(rows), 1), max(int(cols), 1)


class FirstTiles(Tiles):
    """Perception LM: the whole picture first; as many tiles as fit it without shrinking it, else the closest shape."""

    whole_first = True
    whole_always = True

    def cut(self, size: Size) -> tuple[int, int]:
        """See `Tiles.cut`."""
        own = self.processor.image_processor
        if own.vision_input_type == "vanilla":
            return 1, 1
        fitted = own._fit_image_to_canvas(img_width=size[0], img_height=size[1], tile_size=own.tile_size)
        cols, rows = fitted or own._find_closest_aspect_ratio(size[0], size[1], own.tile_size)
        return int(rows), int(cols)
