"""Relevance rank: are the hottest cells those of the thing?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from explore.bench.metrics.metric import LocationMetric
from explore.bench.metrics.ranked_areas import areas_from_hottest
from explore.bench.metrics.truth import Truth


@dataclass(frozen=True)
class RelevanceRank(LocationMetric):
    """Share of the mask found in the hottest cells, taken until they have the area of the mask.

    The last cell, or all cells of its heat, counts for the part that is still needed. A constant map gets the share of
    the picture that the mask covers, which is also chance; a mask over everything gives 1.
    """

    name: ClassVar[str] = "relevance_rank"
    source: ClassVar[str] = "Relevance rank accuracy of Arras et al., CLEVR-XAI, Information Fusion 2022, by area"
    best: ClassVar[Literal["high", "low"]] = "high"

    def locate(self, heat: NDArray[np.float64], truth: Truth) -> float:
        found, passed = areas_from_hottest(heat, truth)
        return float(np.interp(found[-1], passed, found) / found[-1])
