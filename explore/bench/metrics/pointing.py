"""The pointing game: does the hottest place of a map lie on the thing?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from explore.bench.metrics.metric import LocationMetric
from explore.bench.metrics.truth import Truth
from explore.errors import ParameterError

_SAME = 1e-9
"""Share of a map's range below which two pixels are equally hot."""


@dataclass(frozen=True)
class PointingGame(LocationMetric):
    """1 where the hottest pixel of the map lies on the mask or close to it, else 0.

    The map is interpolated to the picture first. Of several hottest pixels the first in reading order is the point, so
    a constant map points at the upper left corner.

    Parameters
    ----------
    tolerance
        Pixels of the picture. A pixel of the mask must be strictly nearer to the point than this.
    """

    name: ClassVar[str] = "pointing"
    source: ClassVar[str] = (
        "Zhang et al., Top-down neural attention by excitation backprop, ECCV 2016; details as in TorchRay"
    )
    best: ClassVar[Literal["high", "low"]] = "high"

    tolerance: float = 15.0

    def __post_init__(self) -> None:
        if not self.tolerance > 0:
            raise ParameterError(
                f"The pointing game got a tolerance of {self.tolerance}",
                "It is a number of pixels above 0.",
                "With 1, only the mask itself counts.",
            )

    def locate(self, heat: NDArray[np.float64], truth: Truth) -> float:
        picture = truth.pixels(heat)
        low, high = np.nanmin(picture), np.nanmax(picture)
        # Between two equal cells interpolation is equal but for rounding, which must not choose the point.
        row, col = np.unravel_index(int(np.argmax(picture >= high - _SAME * (high - low))), picture.shape)
        rows, cols = np.nonzero(truth.mask)
        return float(((rows - row) ** 2 + (cols - col) ** 2).min() < self.tolerance**2)


@dataclass(frozen=True)
class CellPointing(LocationMetric):
    """1 where the hottest visual token looks at the mask, else 0.

    Better suited to coarse grids, whose patches may be larger than any tolerance in pixels. Of several hottest tokens
    the first in the order of the sequence is the point.

    Parameters
    ----------
    least
        The mask must cover more than this share of what the token sees, 0 to 1.
    """

    name: ClassVar[str] = "pointing_cells"
    source: ClassVar[str] = "The pointing game of Zhang et al., ECCV 2016, on the grid of visual tokens"
    best: ClassVar[Literal["high", "low"]] = "high"

    least: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.least < 1:
            raise ParameterError(f"The pointing game got least={self.least}", "It is a share from 0 to below 1.")

    def locate(self, heat: NDArray[np.float64], truth: Truth) -> float:
        point = int(np.argmax(np.where(truth.counted, heat, -np.inf)))
        return float(truth.cover[point] > self.least)
