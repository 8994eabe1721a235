"""AUROC: is a pixel of the thing hotter than one beside it?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from explore.bench.metrics.metric import LocationMetric
from explore.bench.metrics.ranked_areas import areas_from_hottest
from explore.bench.metrics.truth import Truth


@dataclass(frozen=True)
class Auroc(LocationMetric):
    """Chance that a pixel of the mask lies in a hotter cell than a pixel outside it, equal heat counting half.

    Every cell counts as positive with the area of the mask in it and as negative with the rest, so no threshold on the
    coverage is needed; a map at the resolution of the cells reaches 1 only where the mask follows their edges. 0.5 is
    chance and what a constant map gets; any monotone change of the map leaves the value. NaN where the mask covers all
    that is seen: there is nothing beside it.
    """

    name: ClassVar[str] = "auroc"
    source: ClassVar[str] = "Area under the ROC curve (Hanley & McNeil, Radiology 1982), cells weighted by area"
    best: ClassVar[Literal["high", "low"]] = "high"

    def locate(self, heat: NDArray[np.float64], truth: Truth) -> float:
        found, passed = areas_from_hottest(heat, truth)
        missed = passed - found
        if truth.full:
            return float("nan")
        return float(np.trapezoid(found / found[-1], missed / missed[-1]))
