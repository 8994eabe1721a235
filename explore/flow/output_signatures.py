"""What the distributions behind an answer look like: sorted profiles, and where the said token stands in them.

Source: LLM Output Signatures (LOS-Net), arXiv 2503.14043, features only; Min-K % of Shi et al., ICLR 2024, arXiv
2310.16789; Min-K %++ of Zhang et al., ICLR 2025, arXiv 2404.02936.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from explore.errors import ParameterError
from explore.flow.named_arrays import NamedArrays, about
from explore.trace import Trace

_SOURCE = "LLM Output Signatures (LOS-Net), arXiv 2503.14043"


@dataclass(frozen=True, eq=False)
class Signatures:
    """Features of some distributions and of the token said in each.

    Parameters
    ----------
    profile
        Log-probabilities in falling order, z-scored with their own row's mean and (unbiased) deviation over the
        vocabulary, the first k; (tokens, k) float32.
    actual
        The said token's, z-scored the same, (tokens,) float64.
    rank
        How many tokens are more likely than it, (tokens,) int64.
    logprob
        Its log-probability, (tokens,).
    entropy
        Of the distribution, in nats, (tokens,).
    gap
        Log-probability of the best token over the second, (tokens,).
    standardised
        The said token's log-probability less the distribution's own mean, over its own deviation (both weighted by
        probability): what Min-K %++ averages; (tokens,).
    """

    profile: NDArray[np.float32]
    actual: NDArray[np.float64]
    rank: NDArray[np.int64]
    logprob: NDArray[np.float64]
    entropy: NDArray[np.float64]
    gap: NDArray[np.float64]
    standardised: NDArray[np.float64]

    @property
    def mean_logprob(self) -> float:
        """Mean over the tokens."""
        return float(self.logprob.mean())

    def min_k(self, share: float = 0.2) -> float:
        """Mean of the lowest `share` of log-probabilities: low where some tokens surprise (Min-K %)."""
        return _lowest(self.logprob, share)

    def min_k_plus_plus(self, share: float = 0.2) -> float:
        """Mean of the lowest `share` of standardised log-probabilities (Min-K %++)."""
        return _lowest(self.standardised, share)

    def rank_quantiles(self, at: tuple[float, ...] = (0.5, 0.9, 1.0)) -> tuple[float, ...]:
        """Quantiles of the ranks."""
        return tuple(float(each) for each in np.quantile(self.rank, at))


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class OutputSignatures(NamedArrays):
    """Signatures of an answer's tokens.

    Parameters
    ----------
    tokens
        Their sequence positions, (tokens,).
    ranks
        Places of the profile, from 0.
    of
        All features, with their summaries.
    profile, actual, rank, logprob, entropy, gap, standardised
        As in `of`.
    """

    axes: ClassVar = {
        "logprob": ("tokens",),
        "actual": ("tokens",),
        "rank": ("tokens",),
        "entropy": ("tokens",),
        "gap": ("tokens",),
        "standardised": ("tokens",),
        "profile": ("tokens", "ranks"),
    }

    tokens: NDArray[np.int64]
    ranks: NDArray[np.int64]
    of: Signatures

    @property
    def profile(self) -> NDArray[np.float32]:
        return self.of.profile

    @property
    def actual(self) -> NDArray[np.float64]:
        return self.of.actual

    @property
    def rank(self) -> NDArray[np.int64]:
        return self.of.rank

    @property
    def logprob(self) -> NDArray[np.float64]:
        return self.of.logprob

    @property
    def entropy(self) -> NDArray[np.float64]:
        return self.of.entropy

    @property
    def gap(self) -> NDArray[np.float64]:
        return self.of.gap

    @property
    def standardised(self) -> NDArray[np.float64]:
        return self.of.standardised


def answer_signatures(trace: Trace, k: int = 1000) -> OutputSignatures:
    """Signatures of the answer from the run's recorded logits, one row for each answer token.

    Parameters
    ----------
    trace
        The run, its logits recorded.
    k
        Length of the sorted profiles; the vocabulary where that is shorter.

    Raises
    ------
    NotRecordedError
        The plan left logits out.
    ParameterError
        k is below 1.
    """
    logits = np.stack([trace.logits_of(number) for number in range(len(trace.answer_ids))])
    made = signatures(logits, trace.answer_ids, k)
    notes = ("Row i is the distribution that predicted answer token i; raw logits, before any sampling.",)
    return OutputSignatures(
        tokens=trace.answer_positions,
        ranks=np.arange(made.profile.shape[1]),
        of=made,
        **about(trace, "output_signatures", notes, k=k, source=_SOURCE),
    )


def signatures(logits: ArrayLike, said: ArrayLike, k: int = 1000) -> Signatures:
    """Signatures of distributions.

    Parameters
    ----------
    logits
        (tokens, vocabulary); ids that a model never says (the lowest number of its type) count as not there.
    said
        The token said at each row, (tokens,).
    k
        Length of the sorted profiles.

    Raises
    ------
    ParameterError
        Shapes that do not fit, or k below 1.

    Source: LLM Output Signatures (LOS-Net), arXiv 2503.14043
    """
    raw, ids = np.asarray(logits), np.asarray(said, np.int64)
    if raw.ndim != 2 or ids.shape != raw.shape[:1] or not len(ids) or k < 1:
        raise ParameterError(
            f"Logits {raw.shape}, said {ids.shape} and k={k} were given",
            "They are (tokens, vocabulary) and (tokens,), at least one token, and k from 1.",
        )
    spoken = _spoken(raw, ids)
    logp = _log_softmax(np.where(spoken, raw.astype(np.float64), -np.inf)[:, spoken.any(0)])
    own = logp[np.arange(len(ids)), np.searchsorted(np.flatnonzero(spoken.any(0)), ids)]
    finite = np.isfinite(logp)
    kept = np.where(finite, logp, 0.0)
    count = finite.sum(-1)
    mean = kept.sum(-1) / count
    square = (np.where(finite, logp - mean[:, None], 0.0) ** 2).sum(-1)
    deviation = np.sqrt(square / np.maximum(count - 1, 1))
    likely = np.exp(logp)
    centre = (likely * kept).sum(-1)
    weighted = np.sqrt((likely * np.where(finite, logp - centre[:, None], 0.0) ** 2).sum(-1))
    falling = -np.sort(-logp, axis=-1)[:, : int(min(k, count.min()))]
    best = -np.sort(-logp, axis=-1)[:, :2]
    return Signatures(
        profile=((falling - mean[:, None]) / _some(deviation)[:, None]).astype(np.float32),
        actual=(own - mean) / _some(deviation),
        rank=(logp > own[:, None]).sum(-1),
        logprob=own,
        entropy=-centre,
        gap=best[:, 0] - best[:, -1],
        standardised=(own - centre) / _some(weighted),
    )


def _spoken(logits: NDArray[np.floating], said: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which logits stand for something that can be said; what was said can."""
    number = logits.dtype if np.issubdtype(logits.dtype, np.floating) else np.dtype(np.float64)
    # Recorded in half precision, the lowest number of another type has become an infinity.
    found = np.isfinite(logits) & (logits > 0.1 * float(np.finfo(number).min))
    found[np.arange(len(said)), said] = True
    return found


def _log_softmax(values: NDArray[np.float64]) -> NDArray[np.float64]:
    ahead = values - values.max(-1, keepdims=True)
    found: NDArray[np.float64] = ahead - np.log(np.exp(ahead).sum(-1, keepdims=True))
    return found


def _some(deviation: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.maximum(deviation, 1e-12)


def _lowest(values: NDArray[np.float64], share: float) -> float:
    if not 0 < share <= 1:
        raise ParameterError(f"share={share} was given", "It is a share from 0 to 1, such as 0.2.")
    count = max(1, math.floor(share * len(values) + 1e-9))
    return float(np.sort(values)[:count].mean())
