"""English around a noun: articles, plurals, pairs, verbs, and adjectives in their order."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from random import Random
from typing import Any

from explore.lens.corpora.lexicon import Noun

_PLURALS = {"flamingo": "flamingos", "gecko": "geckos", "burrito": "burritos", "banjo": "banjos", "tuxedo": "tuxedos"}
"""Where most people write another plural than inflect."""
NUMERALS = ("two", "three", "four", "several", "some", "many")


class Dice:
    """Choices that a seed decides, the same with every version of Python: only `Random.random` is promised to stay."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)

    def below(self, count: int) -> int:
        """A number from 0 to `count` - 1."""
        return int(self._random.random() * count)

    def pick(self, options: tuple[str, ...]) -> str:
        """One of them; "" where there are none."""
        return options[self.below(len(options))] if options else ""

    def chance(self, share: float) -> bool:
        """True in this share of the throws."""
        return self._random.random() < share


@dataclass(frozen=True)
class NounPhrase:
    """A noun with its article and adjectives.

    Parameters
    ----------
    text
        All of it: "two small dogs".
    bare
        Without article or numeral: "small dogs".
    plural
        Whether its verb is in the plural.
    """

    text: str
    bare: str
    plural: bool

    @property
    def verb(self) -> str:
        return "are" if self.plural else "is"


def adjectives(noun: Noun, dice: Dice, count: int) -> str:
    """So many adjectives that fit a noun, fewer where it has not as many kinds of them: size, look, colour, material.

    A colour and a material stand for what a thing is; of size and look either is enough.
    """
    group = noun.group
    sized = bool(group.sizes) and noun.number == "count"
    first = group.sizes if sized and dice.chance(0.4) else group.looks
    kinds = [options for options in (first, noun.colours, group.made) if options]
    while len(kinds) > count:
        kinds.pop(dice.below(len(kinds)))
    return " ".join(dice.pick(options) for options in kinds)


def noun_phrase(noun: Noun, dice: Dice, count: int = 1, *, single: bool = False) -> NounPhrase:
    """A noun with an article, mostly an indefinite one, and up to `count` adjectives.

    Parameters
    ----------
    single
        One of it, with "a" or "an" where it can be counted.
    """
    before = adjectives(noun, dice, count)
    one = f"{before} {noun.text}".strip()
    if noun.number == "mass":
        return NounPhrase(f"the {one}" if dice.chance(0.15) else one, one, plural=False)
    if noun.number == "pair":
        of_them = f"a pair of {one}" if dice.chance(0.4) else f"the {one}" if dice.chance(0.3) else one
        return NounPhrase(of_them, one, plural=not of_them.startswith("a "))
    if noun.number == "name":
        return NounPhrase(f"the {one}", one, plural=False)
    if not single and dice.chance(0.28):
        many = f"{before} {plural(noun.text)}".strip()
        return NounPhrase(f"{dice.pick(NUMERALS)} {many}" if dice.chance(0.5) else many, many, plural=True)
    if not single and dice.chance(0.2):
        return NounPhrase(f"the {one}", one, plural=False)
    return NounPhrase(with_article(one), one, plural=False)


@cache
def plural(noun: str) -> str:
    """Several of them."""
    return _PLURALS.get(noun) or str(_engine().plural_noun(noun))


def with_article(words: str) -> str:
    """Words with "a" or "an" before them."""
    first, _, rest = words.partition(" ")
    return " ".join(filter(None, (_with_article(first), rest)))


@cache
def _with_article(word: str) -> str:
    return str(_engine().a(word))


@cache
def _engine() -> Any:
    import inflect  # more than a second of imports

    return inflect.engine()
