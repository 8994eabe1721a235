"""Compressors whose pictures keep their shape or are cut up: Idefics2, Aria, DeepSeek-OCR 2."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from torch import nn
from transformers.image_processing_utils import get_patch_output_size, select_best_resolution

from explore.models.families.compressor import Compressor, Size, View
from explore.models.geometry import Placement, patch_boxes, region_boxes, tile_regions

Region = tuple[float, float, float, float]


class Perceiver(Compressor):
    """Idefics2: attention over patches and the queries themselves; pictures keep their shape, and may be quartered.

    Patches that are not wholly picture are masked, so the last pixels of a row or column may be seen by nobody.
    """

    name = "perceiver"
    beside = "the queries themselves"

    @property
    def attentions(self) -> Sequence[nn.Module]:
        """See `Compressor.attentions`."""
        return [each.self_attn for each in self.model.base_model.connector.perceiver_resampler.layers]

    def views(self, sizes: Sequence[Size], inputs: Mapping[str, Any]) -> list[list[View]]:
        """See `Compressor.views`; a quartered picture comes as its quarters, then whole."""
        masks, pixels = inputs.get("pixel_attention_mask"), inputs["pixel_values"][0]
        shown = iter(_shown(pixels if masks is None else masks[0][:, None]))
        count, patch = len(pixels) // max(len(sizes), 1), int(self.model.config.vision_config.patch_size)
        found = []
        for width, height in sizes:
            quarters = _quarters(width, height) if count == 5 else []
            regions = [*enumerate(quarters, 1), (0, (0, 0, width, height))]
            found.append([View(_cut(region, next(shown), patch, math.floor), tile) for tile, region in regions])
        return found


class CrossAttention(Compressor):
    """Aria: one cross-attention; pictures keep their shape in a padded square, and may be cut into several squares."""

    name = "projector"

    @property
    def attentions(self) -> Sequence[nn.Module]:
        """See `Compressor.attentions`."""
        return [self.model.base_model.multi_modal_projector.cross_attn.multihead_attn]

    def views(self, sizes: Sequence[Size], inputs: Mapping[str, Any]) -> list[list[View]]:
        """See `Compressor.views`; a patch with any picture in it is seen."""
        pixels, masks = inputs["pixel_values"], inputs.get("pixel_mask")
        shown = iter(_shown(pixels if masks is None else masks[:, None]))
        count, patch = len(pixels) // max(len(sizes), 1), int(self.model.config.vision_config.patch_size)
        found = []
        for size in sizes:
            regions = self._crops(size, int(pixels.shape[-1]), count)
            views = [View(_cut(region, next(shown), patch, math.ceil), tile) for tile, region in regions]
            found.append(views)
        return found

    def _crops(self, size: Size, edge: int, count: int) -> list[tuple[int, Region]]:
        """Tile number and region of the picture of every view, which may reach over its border."""
        own: Any = self.processor.image_processor
        # What the processor says goes before what its image processor says.
        if not getattr(self.processor, "images_kwargs", {}).get("split_image", own.split_image):
            return [(0, (0, 0, *size))]
        height, width = best = select_best_resolution(size[::-1], own.split_resolutions)
        new_height, new_width = get_patch_output_size(np.empty((3, size[1], size[0])), best, "channels_first")
        where = Placement((1.0, 1.0), (0.0, 0.0)).shrunk(new_width / size[0], new_height / size[1])
        where = where.shifted(-((width - new_width) // 2), -((height - new_height) // 2))
        cells = [
            (x, y, min(x + edge, width), min(y + edge, height))
            for y in range(0, height, edge)
            for x in range(0, width, edge)
        ]
        return [(tile, where.region(cell)) for tile, cell in enumerate(cells[:count], 1)]


class PageEncoder(Compressor):
    """DeepSeek-OCR 2: queries behind the patches in one stack, each sees all patches and the queries before it.

    A large page comes as tiles, stretched to fill them, then as a whole in a grey square; a patch is what four by four
    of the first encoder's patches are made to, by convolutions that reach over its borders.
    """

    name = "encoder"
    beside = "the queries before each"
    joined = True
    after = 1

    @property
    def attentions(self) -> Sequence[nn.Module]:
        """See `Compressor.attentions`."""
        return [each.self_attn for each in self.model.base_model.vision_tower.vision_encoder.layers]

    def views(self, sizes: Sequence[Size], inputs: Mapping[str, Any]) -> list[list[View]]:
        """See `Compressor.views`."""
        own: Any = self.processor.image_processor
        tiles = [int(each) for each in inputs["num_local_patches"]]
        return [
            [*self._tiles(own, size, count), self._page(size, int(inputs["pixel_values"].shape[-1]))]
            for size, count in zip(sizes, tiles, strict=True)
        ]

    def _tiles(self, own: Any, size: Size, count: int) -> Iterator[View]:
        edge, side = int(own.tile_size), self._side(int(own.tile_size))
        if not count:
            return
        rules: Any = sys.modules[type(own).__module__]
        cols, rows = rules.get_optimal_tiled_canvas(size[::-1], (edge, edge), own.min_patches, own.max_patches)
        for tile, region in enumerate(tile_regions(rows, cols, size), 1):
            yield View(region_boxes(region, side, side), tile, self._queries(side))

    def _page(self, size: Size, edge: int) -> View:
        scale, side = edge / max(size), self._side(edge)
        width, height = (round(each * scale) for each in size)
        where = Placement((1.0, 1.0), (0.0, 0.0)).shrunk(width / size[0], height / size[1])
        where = where.shifted(-((edge - width) // 2), -((edge - height) // 2))
        return View(patch_boxes(side, side, edge / side, where), 0, self._queries(side))

    def _side(self, edge: int) -> int:
        """Patches along an edge of so many pixels: two convolutions halve what the first encoder has."""
        patches = edge // int(self.model.config.vision_config.sam_config.patch_size)
        return math.ceil(math.ceil(patches / 2) / 2)

    def _queries(self, side: int) -> int:
        tower = self.model.base_model.vision_tower
        few = tower.query_768_resolution.num_embeddings
        return int(few if side * side <= few else tower.query_1024_resolution.num_embeddings)


def _shown(masks: Any) -> list[tuple[int, int]]:
    """(width, height) in processed pixels of what is picture in every view, from masks (views, 1, height, width).

    Pictures lie at the top left, padding is right of and below them. What is no mask is picture all over.
    """
    found = []
    for each in masks:
        real = np.asarray(each[0]) > 0 if each.shape[0] == 1 else np.ones(each.shape[-2:], bool)
        found.append((int(real.any(axis=0).sum()), int(real.any(axis=1).sum())))
    return found


def _cut(region: Region, shown: Size, patch: int, whole: Callable[[float], int]) -> np.ndarray:
    """Boxes of the patches of a region x0, y0, x1, y1 that was brought to (width, height) processed pixels.

    `whole` makes a number of patches of what may be a fraction, math.floor or math.ceil.
    """
    x0, y0, x1, y1 = region
    where = Placement(((x1 - x0) / shown[0], (y1 - y0) / shown[1]), (x0, y0))
    return patch_boxes(whole(shown[1] / patch), whole(shown[0] / patch), patch, where)


def _quarters(width: int, height: int) -> list[Region]:
    """Regions of the four parts that a picture is cut into at half its pixels, row by row."""
    x, y = width // 2, height // 2
    return [(0, 0, x, y), (x, 0, width, y), (0, y, x, height), (x, y, width, height)]
