"""DeepSeek-VL and Janus: the longer side is brought to one size, the rest of the square is padding."""

from __future__ import annotations

from typing import Any

from explore.models.families.base import Size
from explore.models.families.fixed import FixedGrid
from explore.models.geometry import Placement


class PaddedSquare(FixedGrid):
    """A fixed grid over a picture in the middle of a square."""

    def placed(self, size: Size) -> Any:
        """See `FixedGrid.placed`."""
        own = self.processor.image_processor
        edge, least = int(own.size["height"]), int(own.min_size)
        scale = edge / max(size)
        width, height = (max(round(each * scale), least) for each in size)
        side = max(width, height)
        shrunk = Placement((1.0, 1.0), (0.0, 0.0)).shrunk(width / size[0], height / size[1])
        if not getattr(own, "do_pad", True):
            return shrunk
        return shrunk.shifted(-((side - width) // 2), -((side - height) // 2))
