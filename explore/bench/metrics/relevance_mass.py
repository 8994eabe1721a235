"""Relevance mass: how much of the heat lies on the thing?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from explore.bench.metrics.metric import LocationMetric
from explore.bench.metrics.truth import Truth


@dataclass(frozen=True)
class RelevanceMass(LocationMetric):
    """Share of a map's heat that lies on the mask, each cell's heat spread evenly over what it sees.

    Heat below zero counts as none. A map without any heat says nothing about places and counts as a constant one,
    which gets the mean coverage of the cells, that is chance; a mask over everything gives 1.
    """

    name: ClassVar[str] = "relevance_mass"
    source: ClassVar[str] = "Relevance mass accuracy of Arras et al., CLEVR-XAI, Information Fusion 2022"
    best: ClassVar[Literal["high", "low"]] = "high"

    def locate(self, heat: NDArray[np.float64], truth: Truth) -> float:
        positive = np.maximum(heat[truth.counted], 0)
        positive = positive / positive.max() if positive.any() else np.ones_like(positive)
        return float(positive @ truth.cover[truth.counted] / positive.sum())
