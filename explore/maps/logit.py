"""The raw logit map: the start of token activation maps, and the plainest rival to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from explore.maps.activation import Activation
from explore.maps.method import MapMethod
from explore.maps.tam import TokenActivation
from explore.trace import Token, Trace


@dataclass(frozen=True)
class LogitMap(MapMethod):
    """A token's logit at every visual position, negative ones at 0, normalised together with its text scores.

    This is the class activation map of language models, and token activation maps with both parts switched off.
    """

    name: ClassVar[str] = "logit"
    source: ClassVar[str] = (
        "Baseline of arXiv 2506.23270 (neither interference nor filter); "
        "the logit lens of nostalgebraist, 2020, read at the visual positions of the last layer"
    )

    def compute(self, trace: Trace, tokens: Sequence[Token]) -> tuple[NDArray[np.float32], Activation]:
        return TokenActivation(eci=False, rank_filter=False).compute(trace, tokens)
