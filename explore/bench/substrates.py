"""Ways to take patches from a model, and how probable a word stays without them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from explore.errors import ParameterError
from explore.maps.hiding import hide, painted
from explore.maps.result import grid_positions
from explore.runs import AnswerScores, RunnerLike
from explore.trace import Token, Trace

Substrate = Literal["blocked", "blurred"]
"""What stands where a patch was: nothing, its key being blocked in all layers, or a blurred copy of the picture.

Blocking is what most methods claim to explain, and keeps every position in its place. Blurring changes what the vision
tower sees, neighbours included. Where both agree on the order of methods, the order does not hang on the way.
"""


def word_probability(
    trace: Trace, runner: RunnerLike, tokens: Sequence[Token], substrate: Substrate = "blocked"
) -> Callable[[NDArray[np.bool_]], NDArray[np.float64]]:
    """How probable a word of the answer is when only some visual tokens are kept.

    Parameters
    ----------
    trace, runner
        A run and its model.
    tokens
        Pieces of the word; its probability is the product of theirs, each given the true tokens before it.
    substrate
        What takes the place of the others.

    Returns
    -------
    From kept tokens, bool (variants, visual) over the cells of all grids, to probabilities (variants,).

    Raises
    ------
    ParameterError
        There is no such substrate.
    """
    if substrate not in get_args(Substrate):
        raise ParameterError(f"substrate={substrate!r} was given", f"Allowed are {', '.join(get_args(Substrate))}.")
    scores = _blocked if substrate == "blocked" else _blurred
    numbers = [token.position - trace.prompt_length for token in tokens]

    def score(kept: NDArray[np.bool_]) -> NDArray[np.float64]:
        # Equal variants are scored once: the curves of all methods begin and end with the same ones.
        unique, back = np.unique(kept, axis=0, return_inverse=True)
        logprobs = scores(trace, runner, unique).logprobs[:, numbers].astype(np.float64)
        found: NDArray[np.float64] = np.exp(logprobs.sum(axis=1))[back.ravel()]
        return found

    return score


def _blocked(trace: Trace, runner: RunnerLike, kept: NDArray[np.bool_]) -> AnswerScores:
    blocked = np.zeros((len(kept), trace.positions_fed), bool)
    blocked[:, grid_positions(trace.layout)] = ~kept
    # With no patch left, what sums them up (a class token, row ends) goes too: it would still tell of the picture.
    nothing = np.flatnonzero(~kept.any(axis=1))
    blocked[np.ix_(nothing, trace.layout.visual)] = True
    return runner.rerun(trace).without(blocked)


def _blurred(trace: Trace, runner: RunnerLike, kept: NDArray[np.bool_]) -> AnswerScores:
    fills = [painted(picture, "blur") for picture in trace.images]
    return runner.rerun(trace).with_pictures([hide(trace.images, fills, trace.layout, ~row) for row in kept])
