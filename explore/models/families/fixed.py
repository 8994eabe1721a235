"""One square grid of one size per picture, in raster order: LLaVA 1.5, Gemma 3, PaliGemma, Janus and others.

The processor resizes, crops or pads to one size; `explore.models.geometry` follows it back to the picture. How many
patches go into one token (Gemma 3 pools, GOT-OCR convolves) is seen in the number of tokens, not read from a config.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from explore.errors import CheckpointError
from explore.models.families.base import Family, Size
from explore.models.families.grids import GridPlan
from explore.models.geometry import patch_boxes, placement


class FixedGrid(Family):
    """A square of cells per picture, all of one number."""

    def grids(self, sizes: Sequence[Size], inputs: Mapping[str, Any]) -> Sequence[GridPlan]:
        """See `Family.grids`."""
        skip = self.skipped
        count = self.visual_count(inputs) // max(len(sizes), 1) - skip
        side = math.isqrt(count)
        if side * side != count:
            raise CheckpointError(
                f"{count} visual tokens of a picture make no square grid",
                f"{type(self.model).__name__} was expected to have one.",
                "Its family needs another layout in explore/models/families.",
            )
        edge = self.pixels(inputs)
        return [
            GridPlan(number, patch_boxes(side, side, edge / side, self.placed(size)), size, skip=skip)
            for number, size in enumerate(sizes)
        ]

    @property
    def skipped(self) -> int:
        """Visual tokens in front of a picture's grid."""
        return 0

    def pixels(self, inputs: Mapping[str, Any]) -> int:
        """Edge of what the processor makes of a picture, in its pixels."""
        return int(inputs["pixel_values"].shape[-1])

    def placed(self, size: Size) -> Any:
        """Where pixels of the processed picture lie in one of this size, `explore.models.geometry.Placement`."""
        return placement(self.processor.image_processor, size)


class Gemma3(FixedGrid):
    """Gemma 3: 2x2 or more patches pooled to a token; pictures may be cut into crops, which have no grid here."""

    def grids(self, sizes: Sequence[Size], inputs: Mapping[str, Any]) -> Sequence[GridPlan]:
        """See `Family.grids`."""
        if len(inputs["pixel_values"]) != len(sizes):
            raise CheckpointError(
                f"Pan and scan made {len(inputs['pixel_values'])} pictures of {len(sizes)}",
                "The places of its crops are not known here.",
                "Switch it off: runner.processor's image_processor.do_pan_and_scan = False.",
            )
        return super().grids(sizes, inputs)


class PaliGemma(FixedGrid):
    """PaliGemma: prompt and picture see each other both ways, the answer does not."""

    answer_values: ClassVar[Mapping[str, int]] = {"token_type_ids": 1}

    def plain_prompt(self, pictures: str, question: str, system: str | None) -> str:
        """See `Family.plain_prompt`; the processor writes the first token and the last newline itself."""
        return f"{pictures}{system + ' ' if system else ''}{question}"


class VideoLlava(FixedGrid):
    """Video-LLaVA: pictures and films through towers of their own."""

    def pixels(self, inputs: Mapping[str, Any]) -> int:
        """See `FixedGrid.pixels`."""
        for name in ("pixel_values", "pixel_values_images", "pixel_values_videos"):
            if name in inputs:
                return int(inputs[name].shape[-1])
        return super().pixels(inputs)
