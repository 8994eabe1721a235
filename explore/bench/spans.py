"""From characters of an answer to the tokens that spell them."""

from __future__ import annotations

import numpy as np

from explore.errors import ParameterError
from explore.layout import Role
from explore.trace import Token, Trace


def span_tokens(trace: Trace, span: tuple[int, int]) -> tuple[Token, ...]:
    """The answer tokens that a stretch of the answer is spelled with.

    Parameters
    ----------
    trace
        A recorded run.
    span
        Start and end character of `trace.answer`, end not included.

    Returns
    -------
    In order; a token that reaches over an end of the span belongs to it. A token without text of its own is part of the
    character that the next one completes.

    Raises
    ------
    ParameterError
        The span is empty or lies outside the answer, or the answer is not what its tokens spell.
    """
    start, end = span
    if not 0 <= start < end <= len(trace.answer):
        raise ParameterError(f"The span {span} was asked for", f"The answer has characters 0 to {len(trace.answer)}.")
    tokens = [token for token in trace.tokens if token.role is Role.ANSWER]
    # Special tokens belong to no word; other pieces without a word are the spaces between.
    texts = ["" if token.word < 0 and token.text.strip() else token.text for token in tokens]
    offset = "".join(texts).find(trace.answer)
    if offset < 0:
        raise ParameterError(f"The answer {trace.answer!r} is not what its tokens spell: {''.join(texts)!r}")
    ends = np.cumsum([len(text) for text in texts]) - offset
    starts = ends - [len(text) for text in texts]
    inside = (starts < end) & ((ends > start) | ((starts == ends) & (starts >= start)))
    return tuple(token for token, chosen in zip(tokens, inside, strict=True) if chosen)
