"""Names in a text: which words of an answer name a known thing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from explore.bench.metrics.plurals import plural_forms
from explore.errors import ParameterError

_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True)
class NameSpan:
    """A place where a text names something.

    Parameters
    ----------
    start, end
        Characters of the text, end not included.
    name
        The name as it was given to the matcher, whatever form it has in the text.
    """

    start: int
    end: int
    name: str


class NameMatcher:
    """Finds names in texts: equal in lower case, singular or plural, and of several that fit the longest.

    So "hot dog" is a hot dog and "dog" a dog, "two wine glasses" are wine glasses, and "light" alone is no traffic
    light. A name that is written like another's plural wins over it. Hyphens count as spaces.

    Parameters
    ----------
    names
        The names to find, such as the categories of a data set.
    synonyms
        Other words for them, for example {"man": "person"}; none by default.

    Raises
    ------
    ParameterError
        A name has no letter or digit, or a synonym stands for a name that is not there.
    """

    def __init__(self, names: Iterable[str], synonyms: Mapping[str, str] | None = None) -> None:
        self.names = tuple(dict.fromkeys(names))
        meant = {name: name for name in self.names} | dict(synonyms or {})
        unknown = sorted(set(meant.values()) - set(self.names))
        if unknown:
            raise ParameterError(f"Synonyms stand for {unknown}", f"Known names are {', '.join(self.names)}.")
        self._phrases: dict[tuple[str, ...], str] = {}
        for wording, name in meant.items():
            if not words_of(wording):
                raise ParameterError(f"The name {wording!r} has no words", "A name has letters or digits.")
            self._phrases.setdefault(words_of(wording), name)
        for wording, name in meant.items():
            for plural in sorted(plural_forms(wording.casefold())):
                self._phrases.setdefault(words_of(plural), name)
        self._longest = max(map(len, self._phrases), default=0)

    def find(self, text: str) -> tuple[NameSpan, ...]:
        """Every name in a text, in order and without overlap."""
        matches = list(_WORD.finditer(text))
        words = [match.group().casefold() for match in matches]
        found, at = [], 0
        while at < len(words):
            length, name = self._at(words, at)
            if name is not None:
                found.append(NameSpan(matches[at].start(), matches[at + length - 1].end(), name))
            at += length
        return tuple(found)

    def _at(self, words: list[str], at: int) -> tuple[int, str | None]:
        """How many words the longest name here has, and the name; one word and None where there is none."""
        for length in range(min(self._longest, len(words) - at), 0, -1):
            name = self._phrases.get(tuple(words[at : at + length]))
            if name is not None:
                return length, name
        return 1, None


def words_of(text: str) -> tuple[str, ...]:
    """Runs of letters and digits in lower case."""
    return tuple(match.group().casefold() for match in _WORD.finditer(text))
