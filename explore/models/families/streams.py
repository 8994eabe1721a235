"""Decoders with several residual streams: GLM-5 Next, Qwen 4, Gemma 3n. Their hidden states are the mean of these.

What enters the first layer is the same in all streams, so that hidden(0) is the decoder's input as ever; what the head
reads is another mixture, which no single state gives.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor

from explore.models.families.base import Size
from explore.models.families.dynamic import DynamicGrid, PaddedGrid, padded_region
from explore.models.families.films import steps_in_time
from explore.models.families.fixed import FixedGrid
from explore.models.families.grids import GridPlan
from explore.models.geometry import region_boxes


class StackedStreams(PaddedGrid):
    """GLM-5 Next: (batch, positions, streams, width)."""

    streams = 2

    def content(self, size: Size, canvas: Size) -> Size:
        """See `PaddedGrid.content`: enlarged only where the picture has too few tokens."""
        own = self.processor.image_processor
        least = own.min_image_tokens * (own.patch_size * own.merge_size) ** 2
        return _shrunk(size, canvas, size[0] * size[1] >= least)

    def film(self, sizes: Sequence[Size], inputs: Mapping[str, Any]) -> Sequence[GridPlan]:
        """See `Family.film`: padded as pictures are, but the whole film counts."""
        own, size = self.processor.video_processor, sizes[0]
        merge, patch = int(own.merge_size), int(own.patch_size)
        steps, rows, cols = (int(each) for each in inputs["video_grid_thw"][0])
        # The processor evens out the number of frames before it looks at their size.
        pixels = steps * own.temporal_patch_size * size[0] * size[1]
        least = own.min_image_tokens * own.temporal_patch_size * (patch * merge) ** 2
        canvas = (cols * patch, rows * patch)
        region = padded_region(size, _shrunk(size, canvas, pixels >= least), canvas)
        return steps_in_time(size, len(sizes), steps, region_boxes(region, rows // merge, cols // merge))

    def stream(self, states: Tensor) -> Tensor:
        """See `Family.stream`."""
        return states.mean(dim=-2) if states.ndim == 4 else states


def _shrunk(size: Size, canvas: Size, large: bool) -> Size:
    """(width, height) of a picture brought onto a canvas without changing its shape; large ones are never enlarged."""
    scale = min(canvas[0] / size[0], canvas[1] / size[1])
    scale = min(scale, 1.0) if large else scale
    width, height = (max(1, min(most, math.floor(each * scale))) for each, most in zip(size, canvas, strict=True))
    return width, height


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
