"""The table of compressors, and those that make one picture of fixed size, or of one shape, out of each picture.

A new compressor is one class and one line below; what it must say is in `explore.models.families.compressor`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import nn

from explore.models.families.compressor import Compressor, Size, View
from explore.models.families.cut_pictures import CrossAttention, PageEncoder, Perceiver
from explore.models.geometry import patch_boxes, placement, region_boxes


class QForming(Compressor):
    """BLIP-2 and InstructBLIP: the cross-attention of a Q-Former, in some of its layers; pictures become squares."""

    name = "Q-Former"
    beside = "the tower's class token"
    before = 1

    @property
    def attentions(self) -> Sequence[nn.Module]:
        """See `Compressor.attentions`."""
        layers = self.model.base_model.qformer.encoder.layer
        return [each.crossattention.attention for each in layers if each.has_cross_attention]

    def views(self, sizes: Sequence[Size], inputs: Mapping[str, Any]) -> list[list[View]]:
        """See `Compressor.views`."""
        images: Any = getattr(self.processor, "image_processor", None) or self.processor.video_processor
        edge, patch = int(inputs["pixel_values"].shape[-1]), int(self.model.config.vision_config.patch_size)
        side = edge // patch
        return [[View(patch_boxes(side, side, patch, placement(images, size)))] for size in sizes]


class Latents(QForming):
    """Kosmos-2: one attention over patches and the queries themselves."""

    name = "image-to-text projection"
    beside = "the tower's class token and the queries themselves"

    @property
    def attentions(self) -> Sequence[nn.Module]:
        """See `Compressor.attentions`."""
        return [self.model.base_model.image_to_text_projection.x_attn]


class ShapedLatents(Latents):
    """Kosmos-2.5: as Kosmos-2, over as many patches as fit a limit in the picture's own shape; padding is not masked.

    The processor says how large it made the picture, which is a whole number of patches.
    """

    beside = "padding and the queries themselves"
    before = 0

    def views(self, sizes: Sequence[Size], inputs: Mapping[str, Any]) -> list[list[View]]:
        """See `Compressor.views`; the first two numbers of every patch are its row and its column, from 1."""
        patches = inputs["flattened_patches"]
        shapes = [(int(each[:, 0].max()), int(each[:, 1].max())) for each in patches]
        return [[View(region_boxes((0, 0, *size), *shape))] for size, shape in zip(sizes, shapes, strict=True)]


COMPRESSORS: dict[str, type[Compressor]] = {
    "aria": CrossAttention,
    "blip-2": QForming,
    "deepseek_ocr2": PageEncoder,
    "idefics2": Perceiver,
    "instructblip": QForming,
    "instructblipvideo": QForming,
    "kosmos-2": Latents,
    "kosmos-2.5": ShapedLatents,
}
"""transformers' model type to its compressor; a type without a line has queries that nobody can look through."""
