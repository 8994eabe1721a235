"""What a map is measured against: a mask of the picture, and what each visual token sees of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from explore.bench.metrics.cells import check_mask, mask_areas, picture_size, seen_areas
from explore.bench.metrics.pixels import pixel_map
from explore.errors import ParameterError
from explore.layout import TokenLayout


@dataclass(frozen=True, eq=False)
class Truth:
    """Where a thing is, in pixels and in visual tokens; one serves every map and metric.

    Visual tokens that see nothing of the picture (padding, other pictures, other frames) can be neither right nor
    wrong: every metric leaves them out.

    Parameters
    ----------
    mask
        Pixels of the thing in the upright picture, bool (height, width). It may be empty: then every metric is NaN.
    layout
        Where each visual token looks.
    image, frame
        The picture the mask belongs to.

    Raises
    ------
    ParameterError
        The layout has no such picture, or the mask does not fit it.
    """

    mask: NDArray[np.bool_]
    layout: TokenLayout
    image: int = 0
    frame: int = 0

    def __post_init__(self) -> None:
        size = picture_size(self.layout, self.image, self.frame)
        object.__setattr__(self, "mask", check_mask(self.mask, size))

    @cached_property
    def hit(self) -> NDArray[np.float64]:
        """Area of the mask each visual token looks at, (visual,) in square pixels."""
        return mask_areas(self.mask, self.layout, self.image, self.frame)

    @cached_property
    def seen(self) -> NDArray[np.float64]:
        """Area of the picture each visual token looks at, (visual,) in square pixels."""
        return seen_areas(self.layout, self.image, self.frame)

    @cached_property
    def counted(self) -> NDArray[np.bool_]:
        """Visual tokens that see some of the picture, (visual,)."""
        return self.seen > 0

    @cached_property
    def cover(self) -> NDArray[np.float64]:
        """Share of what each token sees that the mask covers, (visual,) in 0..1."""
        return np.divide(self.hit, self.seen, out=np.zeros_like(self.hit), where=self.counted)

    @property
    def empty(self) -> bool:
        """Whether no visual token looks at any of the mask."""
        return not self.hit.any()

    @property
    def full(self) -> bool:
        """Whether the mask covers all that any visual token looks at."""
        return bool((self.hit == self.seen).all())

    def check(self, heat: ArrayLike) -> NDArray[np.float64]:
        """A map over the visual tokens of this layout, (visual,).

        Raises
        ------
        ParameterError
            It has another shape, or holds NaN or infinite values at tokens that count.
        """
        values = np.asarray(heat, np.float64)
        if values.shape != self.seen.shape:
            raise ParameterError(
                f"A map of shape {values.shape} was given for {len(self.seen)} visual tokens",
                f"It must be ({len(self.seen)},): the cells of all grids one after the other.",
                "Use TokenMaps.flat(token).",
            )
        if not np.isfinite(values[self.counted]).all():
            raise ParameterError("A map holds NaN or infinite values", "Metrics compare finite numbers.")
        return values

    def pixels(self, heat: ArrayLike) -> NDArray[np.float64]:
        """A map as a picture, (height, width), NaN where no visual token looks."""
        return pixel_map(self.check(heat), self.layout, self.image, self.frame)
