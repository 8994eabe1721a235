"""The centre prior: photographers put things in the middle, so a map must beat the middle."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from explore.errors import ParameterError
from explore.layout import ImageGrid
from explore.maps.method import Computed, MapMethod, MapRun


@dataclass(frozen=True)
class CentrePrior(MapMethod):
    """A bell around the middle of every picture, the same for every token.

    Parameters
    ----------
    spread
        Standard deviation of the bell as a share of the picture's width and height.
    """

    name: ClassVar[str] = "centre"
    source: ClassVar[str] = "Control without a model: the centre prior of saliency benchmarks, Judd et al., ICCV 2009"
    control: ClassVar[bool] = True

    spread: float = 0.25

    def __post_init__(self) -> None:
        if not self.spread > 0:
            raise ParameterError(f"spread={self.spread!r} was given", "It is a share above 0.")

    def compute(self, run: MapRun) -> Computed:
        bell = np.concatenate([self._bell(grid) for grid in run.trace.layout.grids])
        return np.tile(bell, (len(run.tokens), 1)), None

    def _bell(self, grid: ImageGrid) -> np.ndarray:
        """Value at the centre of every cell, (cells,) float32; the boxes know how the picture was cropped."""
        middle = (grid.boxes[..., :2] + grid.boxes[..., 2:]) / 2 / np.array(grid.size, np.float32)
        far = ((middle - 0.5) / self.spread) ** 2
        value: np.ndarray = np.exp(-far.sum(-1) / 2).astype(np.float32).ravel()
        return value
