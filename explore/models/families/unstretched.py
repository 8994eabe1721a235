"""Grids of patches over the picture's own pixels: Fuyu, Inkling. Nothing is stretched, what is left over is padding."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from explore.errors import CheckpointError
from explore.models.families.base import Family, Size
from explore.models.families.grids import GridPlan
from explore.models.geometry import region_boxes


class Unstretched(Family):
    """Patches of one size from the upper left; rows and columns are as many as it takes."""

    spare = 1  # a picture as wide as its patches gets an empty column more

    def grids(self, sizes: Sequence[Size], inputs: Mapping[str, Any]) -> Sequence[GridPlan]:
        """See `Family.grids`."""
        return [self._plan(number, size) for number, size in enumerate(sizes)]

    def scale(self, size: Size) -> tuple[float, float]:
        """Pixels of the picture for each pixel of the processor's, (x, y).

        Raises
        ------
        CheckpointError
            The processor was told to resize pictures by a rule that is not known here.
        """
        if getattr(self.processor.image_processor, "rescale_image_frac", None):
            raise CheckpointError(
                "The processor resizes pictures (rescale_image_frac)",
                "The places of its patches are known only without.",
                "Set image_processor.rescale_image_frac to None.",
            )
        return 1.0, 1.0

    def patch(self) -> int:
        """Edge of a patch in the processor's pixels."""
        return int(self.processor.image_processor.size["height"])

    def _plan(self, number: int, size: Size) -> GridPlan:
        patch, (x, y) = self.patch(), self.scale(size)
        width, height = round(size[0] / x), round(size[1] / y)
        rows, cols = -(-height // patch), (width // patch + 1 if self.spare else -(-width // patch))
        return GridPlan(number, region_boxes((0, 0, cols * patch * x, rows * patch * y), rows, cols), size)


class Fuyu(Unstretched):
    """Fuyu: shrunk if too large, never enlarged; newlines behind rows are text, and the picture comes before bos."""

    spare = 0
    pictures = 1
    marks_pictures = False

    def patch(self) -> int:
        """See `Unstretched.patch`."""
        return int(self.processor.image_processor.patch_size["height"])

    def scale(self, size: Size) -> tuple[float, float]:
        """See `Unstretched.scale`."""
        most = self.processor.image_processor.size
        factor = min(1.0, most["width"] / size[0], most["height"] / size[1])
        if factor == 1.0:
            return 1.0, 1.0
        return size[0] / int(size[0] * factor), size[1] / int(size[1] * factor)
