"""Which tokens a logit attribution speaks for and against."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np

from explore.errors import ParameterError
from explore.runs import RunnerLike
from explore.trace import Trace

Token: TypeAlias = int | str | None
"""A token id, or a text that is one token."""

RUNNER_UP = "runner-up"


def contrasted(
    runner: RunnerLike, trace: Trace, number: int, token: Token = None, against: Token = RUNNER_UP
) -> tuple[tuple[int, str], ...]:
    """The token and the one it is held against, each (id, text).

    Parameters
    ----------
    runner, trace
        The model and the run.
    number
        Which answer token is predicted.
    token
        Id or text; None is what was said there.
    against
        Id or text; "runner-up" is the best other one by the recorded logits, None nothing.

    Raises
    ------
    ParameterError
        There is no such answer token, or a text is not one token.
    NotRecordedError
        The runner-up is wanted, and the trace has no logits.
    """
    if not 0 <= number < len(trace.answer_ids):
        raise ParameterError(f"There is no answer token {number}", f"The answer has {len(trace.answer_ids)} tokens.")
    first = int(trace.answer_ids[number]) if token is None else token_id(runner, token)
    found = [first]
    if against == RUNNER_UP:
        logits = np.array(trace.logits_of(number), np.float32)
        logits[first] = -np.inf
        found.append(int(logits.argmax()))
    elif against is not None:
        found.append(token_id(runner, against))
    if len(set(found)) < len(found):
        raise ParameterError(f"Token {first} was to be held against itself", "", "Choose two different tokens.")
    return tuple(zip(found, runner.language.token_texts(found), strict=True))


def token_id(runner: RunnerLike, token: int | str) -> int:
    """The id of a token given by id or text.

    Raises
    ------
    ParameterError
        The text is several tokens, or the vocabulary has no such id.
    """
    if not isinstance(token, str):
        if not 0 <= int(token) < runner.info.vocab:
            raise ParameterError(f"The token {token!r} was given", f"Ids are 0 to {runner.info.vocab - 1}.")
        return int(token)
    ids = runner.language.tokenize([token], special=False)[0].ids
    if len(ids) != 1:
        raise ParameterError(
            f"{token!r} is {len(ids)} tokens", "One token is needed.", "Give its id, or one with a space in front."
        )
    return int(ids[0])
