"""Obj-IoU, Func-IoU and F1-IoU: the metrics that token activation maps were introduced with."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from explore.bench.metrics.caption_scores import CaptionScores
from explore.bench.metrics.metric import Metric, mean_of

_SOURCE = "TAM, arXiv 2506.23270, Eq. 8-10; eval.py of xmed-lab/TAM 7c7df1d"


@dataclass(frozen=True)
class CaptionMetric(Metric):
    """A metric over the words of captions; its results are `CaptionScores`, one for each caption."""


@dataclass(frozen=True)
class ObjectIoU(CaptionMetric):
    """Overlap of nouns with what they name: mean over all scored nouns of all captions."""

    name: ClassVar[str] = "obj_iou"
    source: ClassVar[str] = _SOURCE
    best: ClassVar[Literal["high", "low"]] = "high"

    def tally(self, results: Iterable[CaptionScores]) -> NDArray[np.float64]:
        return _sum_and_count([scores.objects for scores in results])

    def pool(self, tallies: ArrayLike) -> NDArray[np.float64]:
        return mean_of(tallies)


@dataclass(frozen=True)
class FunctionIoU(CaptionMetric):
    """Darkness of function words: mean over all function words of captions that have a noun."""

    name: ClassVar[str] = "func_iou"
    source: ClassVar[str] = _SOURCE
    best: ClassVar[Literal["high", "low"]] = "high"

    def tally(self, results: Iterable[CaptionScores]) -> NDArray[np.float64]:
        return _sum_and_count([scores.functions for scores in results])

    def pool(self, tallies: ArrayLike) -> NDArray[np.float64]:
        return mean_of(tallies)


@dataclass(frozen=True)
class F1IoU(CaptionMetric):
    """Harmonic mean of Obj-IoU and Func-IoU, each over all captions; 0 where both are 0."""

    name: ClassVar[str] = "f1_iou"
    source: ClassVar[str] = _SOURCE
    best: ClassVar[Literal["high", "low"]] = "high"

    def tally(self, results: Iterable[CaptionScores]) -> NDArray[np.float64]:
        captions = list(results)
        return np.concatenate([ObjectIoU().tally(captions), FunctionIoU().tally(captions)])

    def pool(self, tallies: ArrayLike) -> NDArray[np.float64]:
        columns = np.asarray(tallies, np.float64)
        objects, functions = mean_of(columns[..., :2]), mean_of(columns[..., 2:])
        total = objects + functions
        return np.divide(2 * objects * functions, total, out=np.asarray(total * 0.0), where=total > 0)


def _sum_and_count(scores: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    values = np.concatenate(scores or [np.empty(0)])
    return np.array([values.sum(), len(values)], np.float64)
