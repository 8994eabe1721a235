"""Decoders with several residual streams: GLM-5 Next, Qwen 4, Gemma 3n. Their hidden states are the mean of these.

What enters the first layer is the same in all streams, so that hidden(0) is the decoder's input as ever; what the head
reads is another mixture, which no single state gives.
"""

from __future__ import annotations

import math

from torch import Tensor

from explore.models.families.base import Size
from explore.models.families.dynamic import DynamicGrid, PaddedGrid
from explore.models.families.fixed import FixedGrid


class StackedStreams(PaddedGrid):
    """GLM-5 Next: (batch, positions, streams, width)."""

    streams = 2

    def content(self, size: Size, canvas: Size) -> Size:
        """See `PaddedGrid.content`: enlarged only where the picture has too few tokens."""
        own = self.processor.image_processor
        scale = min(canvas[0] / size[0], canvas[1] / size[1])
        if size[0] * size[1] >= own.min_image_tokens * (own.patch_size * own.merge_size) ** 2:
            scale = min(scale, 1.0)
        width, height = (max(1, min(most, math.floor(each * scale))) for each, most in zip(size, canvas, strict=True))
        return width, height

    def stream(self, states: Tensor) -> Tensor:
        """See `Family.stream`."""
        return states.mean(dim=-2) if states.ndim == 4 else states


class JoinedStreams(DynamicGrid):
    """Qwen 4: streams side by side along the width; a mixer of streams takes the place of the final norm."""

    streams = 2

    def stream(self, states: Tensor) -> Tensor:
        """See `Family.stream`."""
        return states.unflatten(-1, (-1, int(self.text_config.hidden_size))).mean(dim=-2)


class LeadingStreams(FixedGrid):
    """Gemma 3n: (streams, batch, positions, width)."""

    streams = 2

    def stream(self, states: Tensor) -> Tensor:
        """See `Family.stream`."""
        return states.mean(dim=0) if states.ndim == 4 else states
