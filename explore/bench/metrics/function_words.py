"""Function words: which words of an answer should light up nothing."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Literal

from explore.bench.metrics.closed_classes import CLOSED_CLASSES

WordKind = Literal["noun", "function", "other"]
Tagger = Callable[[str], WordKind]
"""A word by itself, as it stands in the text, to its kind."""

_FUNCTION = frozenset[str]().union(*CLOSED_CLASSES.values())
_WORD = re.compile(r"&|'?[^\W\d_]+(?:['’][^\W\d_]+)*")


def tag_closed_class(word: str) -> WordKind:
    """ "function" for the words of `CLOSED_CLASSES` and contractions that begin with one, else "other".

    A tagger without any model: it knows no nouns. Whoever scores words gets these from the names of things.
    """
    bare = word.casefold().replace("’", "'").strip(' \t\n.,;:!?"()[]▁')
    return "function" if bare in _FUNCTION or bare.partition("'")[0] in _FUNCTION else "other"


def function_word_spans(text: str, tag: Tagger = tag_closed_class) -> tuple[tuple[int, int], ...]:
    """Start and end of every function word of a text, in order."""
    return tuple(match.span() for match in _WORD.finditer(text) if tag(match.group()) == "function")
