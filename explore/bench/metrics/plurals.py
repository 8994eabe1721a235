"""Plurals of nouns and of names of several words."""

from __future__ import annotations

from functools import cache
from typing import Any


@cache
def plural_forms(name: str) -> frozenset[str]:
    """How several of these are called: "hot dog" gives {"hot dogs"}, "cactus" {"cactuses", "cacti"}.

    Plurals are made of names rather than singulars of words, because the way back is guesswork ("buses", "glasses").

    Parameters
    ----------
    name
        A noun or a name that ends in one, in lower case.
    """
    engine = _engine()
    if not any(letter.isalpha() for letter in name):
        return frozenset()
    forms = set()
    for classical in (False, True):
        engine.classical(all=classical)
        forms.add(str(engine.plural_noun(name)))
    return frozenset(forms)


def same_noun(first: str, second: str) -> bool:
    """Whether two words are one noun: equal in lower case without hyphens, or one the plural of the other."""
    one, two = (word.casefold().replace("-", "") for word in (first, second))
    return one == two or one in plural_forms(two) or two in plural_forms(one)


@cache
def _engine() -> Any:
    import inflect  # more than a second of imports

    return inflect.engine()
