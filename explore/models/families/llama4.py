"""Llama 4: tiles of one size over the picture padded at the right and below, then the whole picture, stretched."""

from __future__ import annotations

import math

import torch
from transformers.image_utils import SizeDict

from explore.models.families.base import Size
from explore.models.families.tiles import Tiles


class Llama4(Tiles):
    """Tiles row by row, the whole picture last. The tiles keep the picture's shape, the whole one does not."""

    @property
    def vision_cls(self) -> bool:
        """See `Family.vision_cls`; what its tower has stands behind the patches."""
        return False

    @property
    def vision_extra(self) -> tuple[int, int]:
        """See `Family.vision_extra`."""
        return 0, 1

    def cut(self, size: Size) -> tuple[int, int]:
        """See `Tiles.cut`."""
        height, width = self._canvas(size)
        edge = self.processor.image_processor.size
        return height // int(edge["height"]), width // int(edge["width"])

    def area(self, size: Size, cut: tuple[int, int]) -> tuple[float, float]:
        """See `Tiles.area`."""
        width, height = size
        canvas = self._canvas(size)
        own = self.processor.image_processor
        most = canvas
        if not own.resize_to_max_canvas:
            edge = int(own.size["height"])
            most = (min(max(height, edge), canvas[0]), min(max(width, edge), canvas[1]))
        scale_w, scale_h = most[1] / width, most[0] / height
        if scale_w < scale_h:
            new = (most[1], max(min(math.floor(height * scale_w), most[0]), 1))
        else:
            new = (max(min(math.floor(width * scale_h), most[1]), 1), most[0])
        return canvas[1] * width / new[0], canvas[0] * height / new[1]

    def _canvas(self, size: Size) -> tuple[int, int]:
        """(height, width) of the padded picture, by the library's own rule."""
        own, rules = self.processor.image_processor, self.rules()
        allowed = rules.find_supported_resolutions(
            max_num_chunks=own.max_patches, patch_size=SizeDict(**dict(own.size))
        )
        found = rules.get_best_fit(
            (size[1], size[0]), torch.tensor(allowed), resize_to_max_canvas=own.resize_to_max_canvas
        )
        return int(found[0]), int(found[1])
