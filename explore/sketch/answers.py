"""What an answer claims, read back from its words, so that answers are judged by content and not by wording."""

from __future__ import annotations

import re
from collections import Counter

from explore.sketch.language import COLUMNS, NUMBERS, ROWS
from explore.sketch.pens import COLOURS
from explore.sketch.things import KINDS

_SINGULAR = {kind.plural: kind.name for kind in KINDS.values()} | {name: name for name in KINDS}
_KIND = re.compile(r"\b(" + "|".join(sorted(map(re.escape, _SINGULAR), key=len, reverse=True)) + r")\b")
_NUMBERS = {**{word: word for word in NUMBERS}, "no": "none", "zero": "none"}
_WORDS = (*COLOURS, "middle", "nothing", "yes", *(word for word in (*ROWS, *COLUMNS) if word))
_TEXT = re.compile(r"(?:^|says )\"?([A-Z1-9]{1,6})\"?\.?$")


def kinds_named(text: str) -> Counter[str]:
    """Kinds of things mentioned in a text, with how often; plurals count as their singular."""
    return Counter(_SINGULAR[match] for match in _KIND.findall(text.lower()))


def mentions(text: str) -> list[tuple[str, int]]:
    """Every kind named in a text with the index of the character after its name."""
    return [(_SINGULAR[match.group()], match.end()) for match in _KIND.finditer(text.lower())]


def claims(question_type: str, answer: str) -> Counter[str]:
    """The content words of an answer that its question type asks about.

    For "sign" the text that was read (case matters), for "count" the number, for "yes/no" that word, for "where" the
    words of the place, for the others kinds and colours. Two answers agree when their claims are equal.
    """
    if question_type == "sign":
        found = _TEXT.search(answer.strip())
        return Counter([found.group(1)] if found else [])
    words = re.findall(r"[a-z]+", answer.lower())
    if question_type == "count":
        return Counter(_NUMBERS[word] for word in words if word in _NUMBERS)
    if question_type == "yes/no":
        return Counter(word for word in words if word in ("yes", "no"))
    if question_type == "where":
        return Counter(word for word in words if word in (*ROWS, *COLUMNS, "middle"))
    said = Counter(word for word in words if word in _WORDS)
    return said if question_type == "colour" else said + kinds_named(answer)


def is_right(question_type: str, answer: str, truth: str) -> bool:
    """Whether an answer claims exactly what the truth claims."""
    return claims(question_type, answer) == claims(question_type, truth)
