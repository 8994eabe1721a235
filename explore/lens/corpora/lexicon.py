"""What there is and what may be said of it: nouns in groups, every group with its own attributes.

A table holds groups; each begins with "# name" and has lines "field: one, two, three", which may go on indented:

- ``nouns``: "car", "lemon=yellow/green" with colours of its own, "~bread" of which there is no plural, "+scissors" of
  which there are pairs, "!letter A" of which there is the one;
- ``sizes``, ``looks``, ``colours``, ``made``: adjectives, in the order in which English puts them;
- ``does``: what it does, with -ing or as a participle; ``at``: where it is; ``with``: what it has;
- ``parts``: its parts; ``beside``: nouns that may stand next to it; ``wears``: what a person may have on;
- ``handled``: what a person does with it; ``says``: what may be written on it.

Whatever fields a group has fit every noun of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import Literal

from explore.lens.corpora.belongings import BELONGINGS
from explore.lens.corpora.creatures import CREATURES
from explore.lens.corpora.eating import EATING
from explore.lens.corpora.indoors import INDOORS
from explore.lens.corpora.outdoors import OUTDOORS

Number = Literal["count", "mass", "pair", "name"]
"""Whether there is one and two of it, only some of it, pairs of it, or the one of this name."""

_MARKS: dict[str, Number] = {"~": "mass", "+": "pair", "!": "name"}


@dataclass(frozen=True)
class Group:
    """Nouns of which the same can be said; see the module's text for the fields."""

    name: str
    category: str
    sizes: tuple[str, ...] = ()
    looks: tuple[str, ...] = ()
    colours: tuple[str, ...] = ()
    made: tuple[str, ...] = ()
    does: tuple[str, ...] = ()
    at: tuple[str, ...] = ()
    having: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    wears: tuple[str, ...] = ()
    handled: tuple[str, ...] = ()
    says: tuple[str, ...] = ()


@dataclass(frozen=True)
class Noun:
    """One thing one can say something of.

    Parameters
    ----------
    text
        The noun in the singular, or of pairs in the plural; it may be several words.
    number
        See `Number`.
    colours
        What colours it has.
    group
        What else can be said of it.
    """

    text: str
    number: Number
    colours: tuple[str, ...]
    group: Group = field(repr=False)


@cache
def all_nouns() -> tuple[Noun, ...]:
    """Every noun of every table, each once, in the order of the tables."""
    found: dict[str, Noun] = {}
    for table in (CREATURES, EATING, INDOORS, BELONGINGS, OUTDOORS):
        for block in table.strip().split("\n\n"):
            for noun in _group_nouns(block):
                found.setdefault(noun.text, noun)
    return tuple(found.values())


def _group_nouns(block: str) -> list[Noun]:
    title, *lines = block.replace("\n    ", " ").splitlines()
    rows = {name: _listed(rest) for name, _, rest in (line.partition(":") for line in lines)}
    nouns, (category,) = rows.pop("nouns"), rows.pop("category")
    if "with" in rows:  # no name a field can have in Python
        rows["having"] = rows.pop("with")
    group = Group(title.removeprefix("# "), category, **rows)
    return [_noun(entry, group) for entry in nouns]


def _noun(entry: str, group: Group) -> Noun:
    text, _, own = entry.partition("=")
    number = _MARKS.get(text[0], "count")
    return Noun(text.lstrip("".join(_MARKS)), number, tuple(own.split("/")) if own else group.colours, group)


def _listed(text: str) -> tuple[str, ...]:
    return tuple(" ".join(each.split()) for each in text.split(","))
