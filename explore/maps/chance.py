"""The random control: what a map method must beat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from explore.maps.method import MapMethod
from explore.maps.result import grid_positions
from explore.trace import Token, Trace


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

    seed: int = 0

    def compute(self, trace: Trace, tokens: Sequence[Token]) -> tuple[NDArray[np.float32], None]:
        visual = len(grid_positions(trace.layout))
        rows = [np.random.default_rng([self.seed, token.position]).random(visual, np.float32) for token in tokens]
        return np.stack(rows) if rows else np.empty((0, visual), np.float32), None
