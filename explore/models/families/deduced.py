"""The layout of a model type without a line in the table, deduced from what its processor makes."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

from explore.models.families.base import Family, Size
from explore.models.families.dynamic import DynamicGrid
from explore.models.families.fixed import FixedGrid
from explore.models.families.grids import Plan, QueryPlan
from explore.models.families.queries import Queries


class Deduced(Family):
    """A dynamic grid if the model is told of grids, a fixed one if every picture has a square of tokens, else none.

    None means that tokens are known to belong to a picture, but not where in it they look. A deduced grid fits the
    number of tokens. Whether padding or another order of tokens lies behind it, `explore.models.deduced_grids` finds
    out when a model loads; where it does, there is no grid.
    """

    trusted = True

    together = False  # nobody has looked whether it may

    def trust(self, holds: bool) -> None:
        """Note whether the grid held; a grid that did not is never shown, and said to be missing."""
        self.trusted = holds
        if not holds:
            warnings.warn(
                f"Where the visual tokens of the model type {self.model.config.model_type!r} look is not known: a grid "
                "was guessed, and did not hold. They are shown without places. notebooks/12_new_model_family.ipynb "
                "shows how to add the type.",
                stacklevel=2,
            )

    def grids(self, sizes: Sequence[Size], inputs: Mapping[str, Any]) -> Sequence[Plan]:
        """See `Family.grids`."""
        kind = self._kind(len(sizes), inputs)
        return kind.grids(kind(self.model, self.processor), sizes, inputs)

    def film(self, sizes: Sequence[Size], inputs: Mapping[str, Any]) -> Sequence[Plan]:
        """See `Family.film`; where pictures have no grid, the frames of a film have none either."""
        return super().film(sizes, inputs) if self.trusted else [QueryPlan(0, self.visual_count(inputs), sizes[0])]

    def _kind(self, pictures: int, inputs: Mapping[str, Any]) -> type[Family]:
        if not self.trusted:
            return Queries
        if "image_grid_thw" in inputs or "image_grid_hw" in inputs:
            patches = sum(
                math.prod(each[-2:]) for each in inputs.get("image_grid_thw", inputs.get("image_grid_hw")).tolist()
            )
            merged = patches / max(self.visual_count(inputs), 1)
            return DynamicGrid if merged >= 1 and math.isqrt(int(merged)) ** 2 == merged else Queries
        pixels: Any = inputs.get("pixel_values")
        each, rest = divmod(self.visual_count(inputs), max(pictures, 1))
        plain = getattr(pixels, "ndim", 0) == 4 and len(pixels) == pictures
        return FixedGrid if plain and not rest and math.isqrt(each) ** 2 == each else Queries
