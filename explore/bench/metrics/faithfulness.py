"""Faithfulness: does the model itself miss the tokens that a map calls relevant?"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from explore.bench.metrics.metric import ScalarMetric
from explore.bench.metrics.ordering import random_relevance
from explore.errors import ParameterError

Score = Callable[[NDArray[np.bool_]], Any]
"""Which visual tokens are kept, bool (variants, visual), to the probability of one fixed target in each, (variants,).

How a token is taken away (its attention cut, its pixels blurred) is up to whoever writes the function. The target must
be the same in all variants, as a rule the model's own answer to the full input.
"""


@dataclass(frozen=True)
class FaithfulnessMetric(ScalarMetric):
    """What happens to the model's answer when tokens go in the order of a map.

    `variants` says which inputs must be scored and `value` what their scores mean, so the variants of many maps can go
    to the model in one batch; `measure` does both.
    """

    def measure(self, score: Score, relevance: ArrayLike, eligible: ArrayLike | None = None) -> float:
        """The metric for one map, with one call of the scoring function.

        Parameters
        ----------
        score
            Kept tokens, bool (variants, visual), to probabilities (variants,).
        relevance, eligible
            See `explore.bench.metrics.rank_tokens`. Tokens that are not eligible stay in every variant.

        Raises
        ------
        ParameterError
            Relevance and eligible do not fit, or the scores are not one finite number per variant.
        """
        kept = self.variants(relevance, eligible)
        return self.value(_checked(score(kept), len(kept)))

    def control(
        self, score: Score, visual: int, eligible: ArrayLike | None = None, *, draws: int = 5, seed: int = 0
    ) -> float:
        """Mean of the metric over random orders of the tokens, with one call of the scoring function."""
        if draws < 1:
            raise ParameterError(f"The control got draws={draws}", "It needs at least one random order.")
        kept = [self.variants(relevance, eligible) for relevance in random_relevance(visual, draws, seed)]
        scores = _checked(score(np.concatenate(kept)), sum(map(len, kept)))
        return float(np.mean([self.value(part) for part in np.split(scores, draws)]))

    @abstractmethod
    def variants(self, relevance: ArrayLike, eligible: ArrayLike | None = None) -> NDArray[np.bool_]:
        """The inputs to score: which visual tokens are kept in each, bool (variants, visual)."""

    @abstractmethod
    def value(self, scores: NDArray[np.float64]) -> float:
        """The metric of the scores of its variants, (variants,)."""


def keep_tokens(order: NDArray[np.int64], counts: ArrayLike, visual: int, *, first: bool) -> NDArray[np.bool_]:
    """Variants that lack the first tokens of an order, or hold only these; tokens outside the order always stay.

    Parameters
    ----------
    order
        Places of the eligible tokens, most relevant first.
    counts
        How many of them each variant is about, (variants,).
    visual
        How many visual tokens there are.
    first
        True keeps the first tokens of the order only, False takes them away.

    Returns
    -------
    bool (variants, visual)
    """
    amounts = np.asarray(counts, np.int64)[:, None]
    kept = np.ones((len(amounts), visual), bool)
    among = np.arange(len(order)) < amounts
    kept[:, order] = among if first else ~among
    return kept


def _checked(scores: Any, variants: int) -> NDArray[np.float64]:
    values = np.asarray(scores, np.float64)
    if values.shape != (variants,):
        raise ParameterError(
            f"The scoring function gave an array of shape {values.shape} for {variants} variants",
            f"It must give one probability each, ({variants},).",
        )
    if not np.isfinite(values).all():
        raise ParameterError("The scoring function gave NaN or infinite values", "Probabilities are finite.")
    return values
