"""From a token to the whole word around it."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from typing import Literal

from explore.errors import ParameterError

Growth = Literal["offsets", "legacy"]
_Joins = Callable[[str], bool]

_UNSPACED = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x1000, 0x109F),  # Burmese
    (0x1780, 0x17FF),  # Khmer
    (0x2E80, 0x30FF),  # Han radicals, kana
    (0x3400, 0x9FFF),
    (0xF900, 0xFAFF),
    (0x20000, 0x3FFFF),
)
"""Scripts without spaces between words: growing there would swallow the sentence."""


def whole_word(phrase: str, token: str, span: tuple[int, int] | None = None, mode: Growth = "offsets") -> str:
    """The word of a phrase that a token is a part of.

    Parameters
    ----------
    phrase
        The sentence.
    token
        What the token spells; spaces around it do not count.
    span
        First and last character (exclusive) of the token in the phrase.
    mode
        "offsets" grows the token where it stands, over letters, digits, marks and underscores. "legacy" is the rule of
        the reference code, which knows no place: the first occurrence of the token, upper or lower case, wherever it
        is; also what happens where the span is not known.

    Returns
    -------
    str
        The word; the token itself where it does not occur, or is no letter at all.

    Source: McGill-NLP/latentlens, for "legacy".
    """
    if mode not in ("offsets", "legacy"):
        raise ParameterError(f"mode={mode!r} was given", "Allowed are 'offsets' and 'legacy'.")
    wanted = token.strip()
    if mode == "legacy" or span is None:
        at = phrase.lower().find(wanted.lower()) if wanted else -1
        return wanted if at < 0 else _grown(phrase, at, at + len(wanted), _is_plain, _is_plain)
    first, last = _without_spaces(phrase, *span)
    if first >= last:
        return wanted
    # A hyphen between two words stays a hyphen: only an end that is part of a word is grown.
    return _grown(phrase, first, last, _joins_at(phrase[first]), _joins_at(phrase[last - 1]))


def same_word(one: str, other: str) -> bool:
    """Whether two words are equal but for case, spaces around them, and the way their accents are written."""
    plain = (unicodedata.normalize("NFC", each.strip().casefold()) for each in (one, other))
    return next(plain) == next(plain)


def _grown(phrase: str, first: int, last: int, left: _Joins, right: _Joins) -> str:
    while first > 0 and left(phrase[first - 1]):
        first -= 1
    while last < len(phrase) and right(phrase[last]):
        last += 1
    return phrase[first:last]


def _without_spaces(phrase: str, first: int, last: int) -> tuple[int, int]:
    piece = phrase[first:last]
    return first + len(piece) - len(piece.lstrip()), first + len(piece.rstrip())


def _joins_at(edge: str) -> _Joins:
    return _is_part if _is_part(edge) else _never


def _is_plain(character: str) -> bool:
    return character.isalnum() or character == "_"


def _is_part(character: str) -> bool:
    if any(first <= ord(character) <= last for first, last in _UNSPACED):
        return False
    return _is_plain(character) or unicodedata.category(character).startswith("M")


def _never(character: str) -> bool:
    return False
