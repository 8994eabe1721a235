"""What an intervention does to the prediction of one token, in five measures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Prediction:
    """What the untouched run predicts.

    Parameters
    ----------
    answer, answer_text
        The token whose prediction is followed.
    runner_up, runner_up_text
        The likeliest other one.
    probability
        Of the answer.
    logit_difference
        Logit of the answer less that of the runner-up.
    """

    answer: int
    answer_text: str
    runner_up: int
    runner_up_text: str
    probability: float
    logit_difference: float


@dataclass(frozen=True, eq=False)
class Effects:
    """Five measures of one intervention each, arrays of one shape.

    Parameters
    ----------
    relative_change
        Change of the answer's probability in percent of what it was. Unstable where that was small.
    delta_logit
        Change of the answer's logit less the runner-up's.
    delta_logprob
        Change of the answer's log-probability.
    kl
        Kullback-Leibler divergence of the new prediction from the old, KL(old || new), in nats.
    flip
        Whether another token is now the likeliest although the answer was: 1 or 0.
    """

    relative_change: np.ndarray
    delta_logit: np.ndarray
    delta_logprob: np.ndarray
    kl: np.ndarray
    flip: np.ndarray

    def map(self, change: Callable[[np.ndarray], np.ndarray]) -> Effects:
        """The same change to all five arrays, such as an index or a mean."""
        return Effects(*(np.asarray(change(getattr(self, each.name))) for each in fields(self)))

    def arrays(self) -> dict[str, np.ndarray]:
        """Measure to values."""
        return {each.name: getattr(self, each.name) for each in fields(self)}

    def to_json(self) -> dict[str, Any]:
        """Plain lists."""
        return {name: np.asarray(values, np.float64).tolist() for name, values in self.arrays().items()}


MEASURES = tuple(each.name for each in fields(Effects))


def prediction_of(base: np.ndarray, answer: int, texts: Callable[[Sequence[int]], list[str]]) -> Prediction:
    """What logits (vocabulary,) say about a token; `texts` spells token ids."""
    others = np.array(base, np.float64)
    others[answer] = -np.inf
    runner_up = int(others.argmax())
    own, other = texts([answer, runner_up])
    return Prediction(
        answer, own, runner_up, other, float(np.exp(_logprobs(base)[answer])), float(base[answer] - base[runner_up])
    )


def effects_of(base: np.ndarray, new: np.ndarray, before: Prediction) -> Effects:
    """Measures of interventions.

    Parameters
    ----------
    base
        Logits of the untouched run, (vocabulary,).
    new
        Logits of every intervention, (..., vocabulary).
    before
        What the untouched run predicts.

    Returns
    -------
    Effects
        Arrays of the shape of `new` without its last axis, float64.
    """
    old, now = _logprobs(base), _logprobs(new)
    answer, other = before.answer, before.runner_up
    fell = now[..., answer] - old[answer]
    chance = np.exp(old)
    apart = np.where(chance > 0, chance * (old - now), 0.0).sum(axis=-1)
    difference = np.asarray(new, np.float64)[..., answer] - np.asarray(new, np.float64)[..., other]
    flip = (now.argmax(axis=-1) != answer) & (int(old.argmax()) == answer)
    return Effects(
        100.0 * np.expm1(fell), difference - before.logit_difference, fell, np.maximum(apart, 0.0), flip.astype(float)
    )


def _logprobs(logits: np.ndarray) -> np.ndarray:
    """Log-probabilities over the last axis, float64."""
    values = np.asarray(logits, np.float64)
    values = values - values.max(axis=-1, keepdims=True)
    found: np.ndarray = values - np.log(np.exp(values).sum(axis=-1, keepdims=True))
    return found
