"""A grid as large as the picture: Qwen-VL, GLM-V, Mistral 3, Kimi, PaddleOCR and many others.

The picture is stretched to whole tokens; a token is a square of merged patches. The grid of patches is an input of the
model (`image_grid_thw`), and how many are merged is seen in the number of tokens. In which order patches go into the
tower does not matter here: tokens come out row by row.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from PIL import Image

from explore.frame_times import FrameTimes
from explore.models.families.base import Family, Size
from explore.models.families.grids import GridPlan
from explore.models.geometry import region_boxes


class DynamicGrid(Family):
    """One grid per picture, over all of it."""

    def grids(self, sizes: Sequence[Size], inputs: Mapping[str, Any]) -> Sequence[GridPlan]:
        """See `Family.grids`."""
        patches = self.patches(inputs)
        merge = self.merge(inputs)
        return [
            self.plan(number, size, rows // merge, cols // merge)
            for number, (size, (rows, cols)) in enumerate(zip(sizes, patches, strict=True))
        ]

    def patches(self, inputs: Mapping[str, Any]) -> list[tuple[int, int]]:
        """Rows and columns of patches, before merging, of every picture."""
        grids = inputs["image_grid_thw"] if "image_grid_thw" in inputs else inputs["image_grid_hw"]
        return [(int(rows), int(cols)) for *_, rows, cols in grids.tolist()]

    def merge(self, inputs: Mapping[str, Any]) -> int:
        """Patches along the side of a token."""
        total = sum(rows * cols for rows, cols in self.patches(inputs))
        return max(1, math.isqrt(total // max(self.visual_count(inputs), 1)))

    def plan(self, number: int, size: Size, rows: int, cols: int) -> GridPlan:
        """The grid of one picture."""
        return GridPlan(number, region_boxes((0, 0, *size), rows, cols), size)


class AskedGrid(DynamicGrid):
    """Muse: a processor that must be asked for what its model reads."""

    processor_options: ClassVar[Mapping[str, Any]] = {"return_metadata": True}


class TypedGrid(DynamicGrid):
    """Cosmos 3 Edge: as `AskedGrid`, and for type ids too."""

    processor_options: ClassVar[Mapping[str, Any]] = {"return_mm_token_type_ids": True, "return_metadata": True}


class FramedRows(DynamicGrid):
    """HunYuan-VL: a visual token more behind each row, one before and one after the picture."""

    together = False  # the library counts pictures on through a batch, and their numbers are an axis of the positions

    def merge(self, inputs: Mapping[str, Any]) -> int:
        """See `DynamicGrid.merge`."""
        return int(self.processor.image_processor.merge_size)

    def plan(self, number: int, size: Size, rows: int, cols: int) -> GridPlan:
        """See `DynamicGrid.plan`."""
        return GridPlan(number, region_boxes((0, 0, *size), rows, cols), size, skip=1, after_row=1, after=1)


class PicturesOnly(DynamicGrid):
    """Nemotron Omni: its films do not run."""

    no_films = "fails on films in transformers 5.23: it joins features that are one tensor already"


class ResizedFilms(DynamicGrid):
    """MiniMax M3: its processor takes films of whole tokens only, unless told to resize them as it does pictures."""

    def film_inputs(self, frames: Sequence[Image.Image], times: FrameTimes) -> dict[str, Any]:
        """See `Family.film_inputs`."""
        return {**super().film_inputs(frames, times), "do_resize": True}


class SizedGrid(DynamicGrid):
    """Mistral 3 and LightOn OCR: the grid is the size of the resized picture, `image_sizes`, in patches."""

    def patches(self, inputs: Mapping[str, Any]) -> list[tuple[int, int]]:
        """See `DynamicGrid.patches`."""
        patch = int(self.model.config.vision_config.patch_size)
        return [(int(height) // patch, int(width) // patch) for height, width in inputs["image_sizes"].tolist()]


class PaddedGrid(DynamicGrid):
    """The picture keeps its shape and is padded to whole tokens at the right and below."""

    def grids(self, sizes: Sequence[Size], inputs: Mapping[str, Any]) -> Sequence[GridPlan]:
        """See `Family.grids`."""
        merge, patch = self.merge(inputs), int(self.processor.image_processor.patch_size)
        found = []
        for number, (size, (rows, cols)) in enumerate(zip(sizes, self.patches(inputs), strict=True)):
            canvas = (cols * patch, rows * patch)
            region = padded_region(size, self.content(size, canvas), canvas)
            found.append(GridPlan(number, region_boxes(region, rows // merge, cols // merge), size))
        return found

    def content(self, size: Size, canvas: Size) -> Size:
        """(width, height) of the resized picture on a canvas (width, height), before padding."""
        return size


def padded_region(size: Size, content: Size, canvas: Size) -> tuple[float, float, float, float]:
    """Where a canvas lies on a picture of this size that was resized to its content and padded; x0, y0, x1, y1."""
    return 0.0, 0.0, canvas[0] * size[0] / content[0], canvas[1] * size[1] / content[1]


class Kimi(PaddedGrid):
    """Kimi K2.5: shrunk to a number of patches, never enlarged."""

    no_films = "fails on films in transformers 5.23: it splits their features before it pools them over time"

    def content(self, size: Size, canvas: Size) -> Size:
        """See `PaddedGrid.content`."""
        own = self.processor.image_processor
        most = int(own.size["max_height"])  # counted in patches, whatever its name
        given = (size[1], size[0], own.patch_size, own.merge_size, own.max_patches, most)
        (height, width), _ = self.rules().navit_resize(*given)
        return width, height
