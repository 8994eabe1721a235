"""Comprehensiveness and sufficiency: a map's top tokens as the reason of an answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from explore.bench.metrics.faithfulness import FaithfulnessMetric, keep_tokens
from explore.bench.metrics.ordering import rank_tokens
from explore.errors import ParameterError

# 0.1 * 30 is a little more than 3 in binary, and the next whole number above it would be 4.
_ROUNDING = 1e-9


@dataclass(frozen=True)
class _Rationale(FaithfulnessMetric):
    """p(full) less p(changed), mean over several shares of top tokens (area over the perturbation curve)."""

    only: ClassVar[bool]

    shares: tuple[float, ...] = (0.01, 0.05, 0.1, 0.2, 0.5)

    def __post_init__(self) -> None:
        object.__setattr__(self, "shares", tuple(self.shares))
        if not self.shares or not all(0 <= share <= 1 for share in self.shares):
            raise ParameterError(f"{self.name} got shares={self.shares}", "At least one share from 0 to 1 is needed.")

    def variants(self, relevance: ArrayLike, eligible: ArrayLike | None = None) -> NDArray[np.bool_]:
        order = rank_tokens(relevance, eligible)
        visual = len(np.asarray(relevance))
        full = np.ones((1, visual), bool)
        return np.concatenate([full, keep_tokens(order, self.counts(len(order)), visual, first=self.only)])

    def counts(self, tokens: int) -> NDArray[np.int64]:
        """Tokens in each share, rounded up, (shares,)."""
        return np.ceil(np.array(self.shares) * tokens - _ROUNDING).astype(np.int64)

    def value(self, scores: NDArray[np.float64]) -> float:
        return float(np.mean(scores[0] - scores[1:]))


@dataclass(frozen=True)
class Comprehensiveness(_Rationale):
    """How much probability is lost without the top tokens: high where they are all the reason there is.

    Parameters
    ----------
    shares
        Shares of the eligible tokens taken as top tokens, 0 to 1, each rounded up to whole tokens.
    """

    name: ClassVar[str] = "comprehensiveness"
    source: ClassVar[str] = "DeYoung et al., ERASER, ACL 2020, arXiv 1911.03429, on visual tokens"
    best: ClassVar[Literal["high", "low"]] = "high"
    only: ClassVar[bool] = False


@dataclass(frozen=True)
class Sufficiency(_Rationale):
    """How much probability is lost with nothing but the top tokens: low where they are reason enough.

    Parameters
    ----------
    shares
        Shares of the eligible tokens taken as top tokens, 0 to 1, each rounded up to whole tokens.
    """

    name: ClassVar[str] = "sufficiency"
    source: ClassVar[str] = "DeYoung et al., ERASER, ACL 2020, arXiv 1911.03429, on visual tokens"
    best: ClassVar[Literal["high", "low"]] = "low"
    only: ClassVar[bool] = True
