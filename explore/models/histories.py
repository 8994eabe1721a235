"""Earlier turns of a conversation: what may be given as one, and what is made of it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeAlias

from explore.errors import ParameterError

History: TypeAlias = tuple[tuple[str, str], ...]
"""Question and answer of every earlier turn, the first turn first."""

_ALLOWED = "A history is a list of (question, answer) pairs of text, the first turn first."
_GO_ON = "To go on from a recorded run, give history=trace.turns."


def checked_history(history: Any) -> History:
    """The earlier turns, outer spaces removed; None means that there are none.

    Parameters
    ----------
    history
        Pairs of text, such as `explore.Trace.turns`.

    Raises
    ------
    ParameterError
        It is no list of pairs of text, or one of the texts is empty.
    """
    if history is None:
        return ()
    if isinstance(history, str | bytes | dict) or not isinstance(history, Iterable):
        raise ParameterError(f"The history was given as {type(history).__name__}", _ALLOWED, _GO_ON)
    return tuple(_checked_turn(number, turn) for number, turn in enumerate(history, start=1))


def _checked_turn(number: int, turn: Any) -> tuple[str, str]:
    if isinstance(turn, str):
        raise ParameterError(
            f"Turn {number} of the history is the text {turn!r:.60}",
            _ALLOWED,
            "A single turn is given as history=[(question, answer)].",
        )
    if not isinstance(turn, tuple | list) or len(turn) != 2 or not all(isinstance(text, str) for text in turn):
        raise ParameterError(f"Turn {number} of the history is {turn!r:.80}", _ALLOWED, _GO_ON)
    question, answer = (text.strip() for text in turn)
    for name, text in (("question", question), ("answer", answer)):
        if not text:
            raise ParameterError(
                f"The {name} of turn {number} of the history is empty",
                "Every text of a history has at least one character.",
                "Fill it in, or leave the turn out.",
            )
    return question, answer
