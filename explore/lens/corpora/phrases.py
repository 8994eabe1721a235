"""The default corpus: short English phrases about things one can see, made by a grammar, copied from nowhere."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import cached_property
from typing import Any

from explore.errors import ParameterError
from explore.lens.corpora.lexicon import Noun, all_nouns
from explore.lens.corpora.patterns import PATTERNS
from explore.lens.corpora.wording import Dice

MOST = 400_000
"""Phrases that the grammar is sure to have."""
_SHORTEST, _LONGEST = 2, 12
_TRIES = 60  # for a new phrase of one noun
_MAY_REPEAT = frozenset(("a", "an", "the", "and", "of", "in", "on", "with", "to"))


class PhraseCorpus:
    """So many different phrases, made while they are read; every noun comes as often as the others.

    A smaller corpus of the same seed is the beginning of a larger one.

    Parameters
    ----------
    phrases
        How many.
    seed
        Another seed gives other phrases.

    Raises
    ------
    ParameterError
        None were asked for, or more than there are.
    """

    def __init__(self, phrases: int = 20_000, seed: int = 0) -> None:
        if not 1 <= phrases <= MOST:
            raise ParameterError(f"phrases={phrases} was given", f"The grammar makes 1 to {MOST}.")
        self.phrases, self.seed = phrases, seed
        self.name = f"phrases-{phrases}" if seed == 0 else f"phrases-{phrases}-seed-{seed}"

    def __len__(self) -> int:
        return self.phrases

    def __iter__(self) -> Iterator[str]:
        dice, seen, left = Dice(self.seed), set[str](), self.phrases
        while left:
            for noun in _shuffled(all_nouns(), dice):
                phrase = _new_phrase(noun, dice, seen)
                if phrase:
                    seen.add(phrase)
                    yield phrase
                    left -= 1
                    if not left:
                        return

    @cached_property
    def fingerprint(self) -> dict[str, Any]:
        """What identifies it: the text itself, whatever made it."""
        hashed = hashlib.sha256()
        for phrase in self:
            hashed.update(phrase.encode() + b"\n")
        return {"kind": "phrases", "phrases": self.phrases, "seed": self.seed, "sha256": hashed.hexdigest()}


def default_corpus(phrases: int = 20_000, seed: int = 0) -> PhraseCorpus:
    """Phrases about things one can see, for banks of text states; parameters as of `PhraseCorpus`."""
    return PhraseCorpus(phrases, seed)


def _shuffled(nouns: tuple[Noun, ...], dice: Dice) -> list[Noun]:
    """Fisher and Yates' shuffle."""
    order = list(nouns)
    for last in range(len(order) - 1, 0, -1):
        other = dice.below(last + 1)
        order[last], order[other] = order[other], order[last]
    return order


_TICKETS = [pattern for pattern, weight in PATTERNS.items() for _ in range(weight)]


def _new_phrase(noun: Noun, dice: Dice, seen: set[str]) -> str:
    """A phrase about a noun that was not made yet; "" where none was found."""
    for _ in range(_TRIES):
        phrase = _TICKETS[dice.below(len(_TICKETS))](noun, dice)
        if phrase and phrase not in seen and _well_formed(phrase):
            return phrase
    return ""


def _well_formed(phrase: str) -> bool:
    """Neither too short nor too long, and no word of meaning twice: no table stands next to a table."""
    words = phrase.replace(",", "").split()
    meaning = [word.removesuffix("'s") for word in words if word not in _MAY_REPEAT]
    return _SHORTEST <= len(words) <= _LONGEST and len(set(meaning)) == len(meaning)
