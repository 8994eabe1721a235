"""Insertion and deletion: the area under the answer's probability while tokens come or go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from explore.bench.metrics.faithfulness import FaithfulnessMetric, keep_tokens
from explore.bench.metrics.ordering import rank_tokens
from explore.errors import ParameterError


@dataclass(frozen=True)
class _Curve(FaithfulnessMetric):
    """A curve c_0 … c_n over n steps of as equal a number of tokens as possible, and the area under it."""

    inserting: ClassVar[bool]

    steps: int = 10
    normalised: bool = False

    def __post_init__(self) -> None:
        if self.steps < 1:
            raise ParameterError(f"The {self.name} curve got steps={self.steps}", "It needs at least one step.")

    def variants(self, relevance: ArrayLike, eligible: ArrayLike | None = None) -> NDArray[np.bool_]:
        order = rank_tokens(relevance, eligible)
        return keep_tokens(order, self.counts(len(order)), len(np.asarray(relevance)), first=self.inserting)

    def counts(self, tokens: int) -> NDArray[np.int64]:
        """How many tokens have come or gone at each point of the curve, from 0 to all; (points,)."""
        return np.unique(np.linspace(0, tokens, self.steps + 1).round().astype(np.int64))

    def value(self, scores: NDArray[np.float64]) -> float:
        curve = self.scaled(scores) if self.normalised else scores
        return float((curve.sum() - curve[0] / 2 - curve[-1] / 2) / (len(curve) - 1))

    def scaled(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """The curve with 0 for no token and 1 for all of them; NaN where these two score the same."""
        none, everything = (scores[0], scores[-1]) if self.inserting else (scores[-1], scores[0])
        span = everything - none
        return (scores - none) / span if span else np.full_like(scores, np.nan)


@dataclass(frozen=True)
class Insertion(_Curve):
    """How soon the answer comes when the most relevant tokens are given first.

    Parameters
    ----------
    steps
        Points of the curve less one; fewer where there are fewer tokens.
    normalised
        Measure from the score without any token (0) to that with all of them (1). NaN where the two are equal.
    """

    name: ClassVar[str] = "insertion"
    source: ClassVar[str] = "Petsiuk et al., RISE, BMVC 2018, on visual tokens: (Σc - c_0/2 - c_n/2) / n"
    best: ClassVar[Literal["high", "low"]] = "high"
    inserting: ClassVar[bool] = True


@dataclass(frozen=True)
class Deletion(_Curve):
    """How long the answer stays when the most relevant tokens are taken first.

    Parameters
    ----------
    steps
        Points of the curve less one; fewer where there are fewer tokens.
    normalised
        Measure from the score without any token (0) to that with all of them (1). NaN where the two are equal.
    """

    name: ClassVar[str] = "deletion"
    source: ClassVar[str] = "Petsiuk et al., RISE, BMVC 2018, on visual tokens: (Σc - c_0/2 - c_n/2) / n"
    best: ClassVar[Literal["high", "low"]] = "low"
    inserting: ClassVar[bool] = False
