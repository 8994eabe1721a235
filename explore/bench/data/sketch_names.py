"""Which words of a text name which things of a scene."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np

from explore.bench.data.example import Target
from explore.bench.metrics.names import NameMatcher
from explore.sketch.language import NUMBERS, reading_order
from explore.sketch.pens import COLOURS
from explore.sketch.scenes import SIZES, Scene
from explore.sketch.things import KINDS

Extent = Literal["noun", "phrase"]
"""Whether the noun alone is a target, or the whole phrase with article, size and colour."""

_WORD = re.compile(r"[^\W_]+")
_ARTICLES = ("a", "an", "the")


@dataclass(frozen=True)
class _Mention:
    """A noun of a kind with the words that stand directly before it."""

    start: int
    end: int
    phrase: int
    kind: str
    plural: bool
    words: frozenset[str]


def find_things(scene: Scene, text: str, extent: Extent = "noun") -> tuple[Target, ...]:
    """Every place where a text names a kind of thing, with the pixels of the things meant.

    Colour and size before the noun decide between things of a kind, as far as any thing fits them; a wrong colour does
    not unname a thing. Things that the text cannot tell apart are matched from left to right, the order of captions,
    if it names as many as there are; otherwise all of them are meant, as they are by a plural. Words in capitals are
    what signs say and name nothing.

    Parameters
    ----------
    scene
        The scene the text is about.
    text
        A caption or another answer, such as the model's own.
    extent
        "noun" or "phrase".

    Returns
    -------
    In order of the text; with an empty mask for kinds that are not in the scene.
    """
    mentions = _mentions(text)
    meant = [tuple(_candidates(scene, mention)) for mention in mentions]
    alike = Counter(things for things, mention in zip(meant, mentions, strict=True) if not mention.plural)
    seen: Counter[tuple[int, ...]] = Counter()
    targets = []
    for mention, things in zip(mentions, meant, strict=True):
        chosen: Sequence[int] = things
        if not mention.plural and len(things) == alike[things]:
            chosen = things[seen[things] : seen[things] + 1]
            seen[things] += 1
        start = mention.phrase if extent == "phrase" else mention.start
        targets.append(Target((start, mention.end), mention.kind, np.any(scene.masks[list(chosen)], axis=0)))
    return tuple(targets)


def _candidates(scene: Scene, mention: _Mention) -> list[int]:
    """Things of the kind, from left to right, narrowed down by colour and size where some fit."""
    things = [index for index in reading_order(scene.things) if scene.things[index].kind == mention.kind]
    for words, part in ((COLOURS, "colour"), (SIZES, "size")):
        fitting = [index for index in things if getattr(scene.things[index], part) in mention.words]
        if fitting and not mention.words.isdisjoint(words):
            things = fitting
    return things


def _mentions(text: str) -> list[_Mention]:
    found = []
    for name in _matcher().find(text):
        if text[name.start : name.end].isupper():
            continue
        begin, words = name.start, list[str]()
        # Walk back over the words of the noun phrase, one space apart.
        for match in reversed(list(_WORD.finditer(text, 0, name.start))):
            word = match.group().casefold()
            if text[match.end() : begin] != " " or word not in (*COLOURS, *SIZES, *NUMBERS, *_ARTICLES):
                break
            begin = match.start()
            words.append(word)
            if word in _ARTICLES or word in NUMBERS:
                break
        several = not set(NUMBERS[2:]).isdisjoint(words)
        plural = several or text[name.start : name.end].casefold() != name.name
        found.append(_Mention(name.start, name.end, begin, name.name, plural, frozenset(words)))
    return found


@cache
def _matcher() -> NameMatcher:
    return NameMatcher(KINDS, {kind.plural: kind.name for kind in KINDS.values() if kind.plural != kind.name})
