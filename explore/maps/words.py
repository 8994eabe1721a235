"""Words and phrases: tokens that belong together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from explore.layout import Role
from explore.trace import Token


@dataclass(frozen=True)
class Word:
    """A word or phrase of the question or the answer, as the tokens it is made of.

    Parameters
    ----------
    text
        As it reads, outer spaces removed.
    tokens
        Its pieces in order.
    """

    text: str
    tokens: tuple[Token, ...]

    @property
    def role(self) -> Role:
        return self.tokens[0].role

    @property
    def positions(self) -> tuple[int, ...]:
        """Sequence positions of the pieces."""
        return tuple(token.position for token in self.tokens)


def group_words(tokens: Iterable[Token]) -> tuple[Word, ...]:
    """Consecutive pieces of one word joined; special tokens, which belong to no word, are left out."""
    spoken = (token for token in tokens if token.word >= 0)
    return tuple(_joined(tuple(pieces)) for _, pieces in groupby(spoken, key=lambda token: (token.role, token.word)))


def find_words(words: Sequence[Word], text: str) -> tuple[Word, ...]:
    """Every place where these words stand one after the other within the question or within the answer.

    Upper and lower case, and punctuation around a word, make no difference.

    Parameters
    ----------
    words
        Words to look through, in order of the text.
    text
        One word or several with spaces between them.

    Returns
    -------
    One `Word` per place, its tokens those of the whole phrase; empty if there is none.
    """
    wanted = [_bare(part) for part in text.split()]
    found = []
    for start in range(len(words) - len(wanted) + 1 if wanted else 0):
        run = words[start : start + len(wanted)]
        if [_bare(word.text) for word in run] == wanted and len({word.role for word in run}) == 1:
            found.append(_joined(tuple(token for word in run for token in word.tokens)))
    return tuple(found)


def _joined(tokens: tuple[Token, ...]) -> Word:
    return Word("".join(token.text for token in tokens).strip(), tokens)


def _bare(text: str) -> str:
    """Lower case without punctuation around it; a text that is all punctuation stays."""
    folded = text.casefold().strip()
    inner = [place for place, character in enumerate(folded) if character.isalnum()]
    return folded[inner[0] : inner[-1] + 1] if inner else folded
