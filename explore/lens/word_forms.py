"""A word a person typed, as the tokens that could say it."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from explore.errors import ParameterError
from explore.runs import LanguageLike

Combine = Literal["mean", "min", "first"]
"""How the scores of a word's tokens become one."""


def forms_of(language: LanguageLike, text: str) -> list[NDArray[np.int64]]:
    """Token ids of a text as it stands and behind a space, each (tokens,) int64; once where both are the same.

    Most tokenizers have other tokens for a word inside a sentence than at its beginning, and a state may say either.

    Raises
    ------
    ParameterError
        The text is empty or has no token of its own.
    """
    if not text.strip():
        raise ParameterError(f"The word {text!r} was given", "It has at least one letter.")
    made = language.tokenize([text.strip(), f" {text.strip()}"], special=False)
    forms = {tuple(each.ids[~each.special].tolist()): None for each in made}
    found = [np.array(form, np.int64) for form in forms if form]
    if not found:
        raise ParameterError(f"No token of this model spells {text!r}", "", "Type it in another way.")
    return found


def best_form(
    scores: NDArray[np.float32], ids: NDArray[np.int64], forms: list[NDArray[np.int64]], combine: Combine = "mean"
) -> NDArray[np.float32]:
    """Scores of a word from those of its tokens: tokens of a form combined, then the form that fits best.

    Parameters
    ----------
    scores, ids
        Scores of some token ids (..., ids), and the ids in ascending order (ids,).
    forms
        Token ids of every way to spell the word.
    combine
        See `combined`.

    Returns
    -------
    np.ndarray
        (...) float32
    """
    found = [combined(scores[..., np.searchsorted(ids, form)], combine) for form in forms]
    best: NDArray[np.float32] = np.max(found, axis=0)
    return best


def combined(scores: NDArray[np.floating], combine: Combine) -> NDArray[np.float32]:
    """Scores of several parts (..., parts) as one (...): their "mean", their "min", or that of the "first" part.

    Raises
    ------
    ParameterError
        Another way was named.
    """
    if combine not in get_args(Combine):
        raise ParameterError(f"combine={combine!r} was given", f"Allowed are {', '.join(get_args(Combine))}.")
    if combine == "first":
        return scores[..., 0].astype(np.float32)
    found = scores.mean(axis=-1) if combine == "mean" else scores.min(axis=-1)
    return np.asarray(found, np.float32)
