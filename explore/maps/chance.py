"""The random control: what a map method must beat."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from explore.maps.method import Computed, MapMethod, MapRun


@dataclass(frozen=True)
class RandomMap(MapMethod):
    """Uniform noise in 0..1, the same again for the same seed and token position.

    Parameters
    ----------
    seed
        Another seed gives another control.
    """

    name: ClassVar[str] = "random"
    source: ClassVar[str] = "Control without a model: independent uniform values"
    control: ClassVar[bool] = True

    seed: int = 0

    def compute(self, run: MapRun) -> Computed:
        rows = [
            np.random.default_rng([self.seed, token.position]).random(len(run.visual), np.float32)
            for token in run.tokens
        ]
        return np.stack(rows), None
