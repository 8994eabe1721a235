"""The recursion of ReAGent on plain arrays: importance grows where replacing tokens costs probability.

Source: Zhao & Shan, ReAGent, AAAI-24 ReLM workshop, arXiv 2402.00794; steps as in `specs/information-flow.md` §6.1.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from explore.errors import ParameterError
from explore.flow.token_samplers import Draw

Probe: TypeAlias = Callable[[NDArray[np.bool_], NDArray[np.int64]], tuple[NDArray[np.float64], NDArray[np.int64]]]
"""From units that are replaced (variants, units) and ids to put there (variants, tokens) to the target's probability
and its rank, 0 the best, each (variants,)."""

_NEAR_ONE = 1e-6  # a probability that goes from 0 to 1 would be infinitely important


@dataclass(frozen=True)
class Recursion:
    """Parameters of the recursion.

    Parameters
    ----------
    rate
        Chance of every unit to be replaced in a step.
    steps
        Most steps.
    top
        How many units must suffice for the stop; 0 takes `top_share` of them.
    top_share
        See `top`; rounded up.
    tolerance
        The target must be among so many best predictions.
    probes
        Independent copies.
    overlap
        Units in the top of so many probes form the rationale.
    seed
        Of the random stream.

    Raises
    ------
    ParameterError
        One of them cannot be.
    """

    rate: float = 0.2
    steps: int = 200
    top: int = 0
    top_share: float = 0.2
    tolerance: int = 3
    probes: int = 8
    overlap: int = 2
    seed: int = 0

    def __post_init__(self) -> None:
        if not (0 < self.rate < 1 and 0 < self.top_share <= 1):
            raise ParameterError(
                f"rate={self.rate} and top_share={self.top_share} were given", "Both are shares between 0 and 1."
            )
        if min(self.steps, self.tolerance, self.probes) < 1 or min(self.top, self.overlap, self.seed) < 0:
            raise ParameterError(
                f"{self} was given", "steps, tolerance and probes are at least 1; top, overlap and seed at least 0."
            )

    def top_of(self, units: int) -> int:
        """How many units must suffice."""
        return min(units, self.top or math.ceil(self.top_share * units - 1e-9))


@dataclass(frozen=True, eq=False)
class Recursed:
    """What the recursion found.

    Parameters
    ----------
    by_probe
        (probes, units) float64, each row summing to 1.
    stopped_at
        Step after which each probe's top units sufficed, from 1; 0 where they never did. (probes,) int64
    history
        Mean over probes after every step, (steps, units).
    chances
        The target's probability with units replaced, (steps, probes); NaN once a probe has stopped.
    """

    by_probe: NDArray[np.float64]
    stopped_at: NDArray[np.int64]
    history: NDArray[np.float64]
    chances: NDArray[np.float64]

    @property
    def steps(self) -> int:
        """Steps that were made."""
        return len(self.history)

    @property
    def complete(self) -> bool:
        """Whether any probe stopped; if none did, importance is the mean over all of them."""
        return bool(self.stopped_at.any())

    @property
    def importance(self) -> NDArray[np.float64]:
        """Mean over the probes that stopped, (units,)."""
        found: NDArray[np.float64] = self.by_probe[self.stopped_at > 0 if self.complete else slice(None)].mean(0)
        return found

    def votes(self, top: int) -> NDArray[np.int64]:
        """In how many probes, stopped or not, each unit is among the first `top`, (units,)."""
        return first_units(self.by_probe, top).sum(0)


def recurse(
    probe: Probe,
    units: int,
    draw: Draw,
    before: float,
    settings: Recursion,
    said: Callable[[int], None] | None = None,
) -> Recursed:
    """Run the recursion.

    The random stream is used in this order: the beginning (probes, units); then in every step what is replaced (probes,
    units), ids for it, and ids for the test; all of them for all probes, stopped or not.

    Parameters
    ----------
    probe
        The model, seen from outside.
    units
        How many units there are.
    draw
        The sampler.
    before
        The target's probability with nothing replaced.
    settings
        The parameters.
    said
        Called with the number of each step; may raise to stop.
    """
    rng, count, top = np.random.default_rng(settings.seed), settings.probes, settings.top_of(units)
    scores, stopped = rng.random((count, units)), np.zeros(count, np.int64)
    history: list[NDArray[np.float64]] = []
    chances: list[NDArray[np.float64]] = []
    for step in range(1, settings.steps + 1):
        replaced = rng.random((count, units)) < settings.rate
        filled, tested = draw(rng, count), draw(rng, count)
        going = np.flatnonzero(stopped == 0)
        chance = np.full(count, np.nan)
        chance[going] = probe(replaced[going], filled[going])[0]
        scores[going] += gain(before - chance[going], replaced[going])
        importance = softmax(scores)
        _, ranks = probe(~first_units(importance, top)[going], tested[going])
        stopped[going[ranks < settings.tolerance]] = step
        history.append(importance.mean(0))
        chances.append(chance)
        if said is not None:
            said(step)
        if stopped.all():
            break
    return Recursed(softmax(scores), stopped, np.stack(history), np.stack(chances))


def gain(lost: NDArray[np.float64], replaced: NDArray[np.bool_]) -> NDArray[np.float64]:
    """What a step adds to the scores: logit((d + 1) / 2), d the probability lost where a unit was replaced and the same
    gained where it was not; (probes, units)."""
    signed = np.where(replaced, lost[:, None], -lost[:, None])
    half = np.clip((signed + 1) / 2, _NEAR_ONE, 1 - _NEAR_ONE)
    found: NDArray[np.float64] = np.log(half) - np.log1p(-half)
    return found


def softmax(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Along the last axis."""
    powers = np.exp(scores - scores.max(-1, keepdims=True))
    found: NDArray[np.float64] = powers / powers.sum(-1, keepdims=True)
    return found


def first_units(importance: NDArray[np.float64], top: int) -> NDArray[np.bool_]:
    """Which units are the `top` most important of each row; of equals the first. (rows, units)"""
    found = np.zeros(importance.shape, bool)
    order = np.argsort(-importance, axis=-1, kind="stable")[:, :top]
    np.put_along_axis(found, order, True, axis=-1)
    return found
