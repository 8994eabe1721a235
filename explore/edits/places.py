"""Sets of sequence positions, by name or number, before and after a prompt is known."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from explore.errors import ParameterError
from explore.layout import Role, TokenLayout

Where: TypeAlias = str | int | Sequence[str | int] | np.ndarray
"""A position or the name of several, or a sequence of both; an edit keeps a tuple. `places_of` lists the names."""

NAMES = (*(role.value for role in Role), "last", "prompt", "all")


@dataclass(frozen=True, eq=False)
class Places:
    """Positions of a sequence that may still grow.

    Parameters
    ----------
    named
        Which of the positions known so far, (positions,) bool.
    later
        Whether every position behind them belongs to it.
    """

    named: np.ndarray
    later: bool = False

    def mask(self, positions: np.ndarray) -> np.ndarray:
        """Which of some sequence positions (count,) belong to it, (count,) bool."""
        inside = positions < len(self.named)
        found: np.ndarray = np.where(inside, self.named[np.where(inside, positions, 0)], self.later)
        return found

    @property
    def first(self) -> int:
        """The first position that belongs to it, or the first that is not known yet."""
        found = np.flatnonzero(self.named)
        return int(found[0]) if len(found) else len(self.named)


def checked_where(where: Any) -> str | int | tuple[str | int, ...]:
    """A position set as plain data.

    Parameters
    ----------
    where
        A name, a position, an array of positions, a bool array over positions, or several names and positions.

    Raises
    ------
    ParameterError
        It is nothing of the kind, or a name that is not known.
    """
    if isinstance(where, str):
        bare = where.removeprefix("~")
        if bare not in NAMES and not _numbered(bare):
            raise ParameterError(
                f"The positions {where!r} were asked for",
                f'Names are {", ".join(NAMES)}, "image:0" for one image, and ~ in front for all others.',
            )
        return where
    if isinstance(where, np.ndarray):
        where = np.flatnonzero(where) if where.dtype == bool else where
        if np.issubdtype(where.dtype, np.integer) and where.min(initial=0) >= 0:
            return tuple(where.ravel().tolist())
        where = where.tolist()
    if isinstance(where, Iterable):
        parts = [checked_where(each) for each in where]
        return tuple(one for each in parts for one in (each if isinstance(each, tuple) else (each,)))
    try:
        number = operator.index(where)
    except TypeError:
        number = -1
    if number < 0:
        raise ParameterError(f"The position {where!r} was given", "Positions are whole numbers from 0, or a name.")
    return number


def places_of(where: Where, layout: TokenLayout, prompt_length: int) -> Places:
    """The positions that a set means in one sequence.

    Names are the roles of `explore.layout.Role`, "last" (the prompt's last position, where the answer begins to be
    predicted), "prompt", "all", "image:N" for one image, and any of them behind "~" for all other positions. "answer"
    is everything behind the prompt, generated or given.

    Parameters
    ----------
    where
        As an edit holds it.
    layout
        Of the prompt, or of prompt and answer.
    prompt_length
        Positions of the prompt.

    Raises
    ------
    ParameterError
        A name that no position of this prompt has.
    """
    plain = where if isinstance(where, (str, int, tuple)) else checked_where(where)  # an edit has checked its own
    parts = plain if isinstance(plain, tuple) else (plain,)
    numbers = [part for part in parts if isinstance(part, int)]
    named, later = np.zeros(max([prompt_length, *(number + 1 for number in numbers)]), bool), False
    named[numbers] = True
    for part in (part for part in parts if isinstance(part, str)):
        found, behind = _named(part.removeprefix("~"), layout, prompt_length)
        if part.startswith("~"):
            found, behind = ~found, not behind
        named[:prompt_length] |= found
        named[prompt_length:] |= behind
        later |= behind
    return Places(named, later)


def _named(name: str, layout: TokenLayout, prompt_length: int) -> tuple[np.ndarray, bool]:
    """Which prompt positions a name means, (prompt_length,) bool, and whether all that follow."""
    found = np.zeros(prompt_length, bool)
    if name in ("answer", "all", "prompt"):
        return found | (name != "answer"), name != "prompt"
    if name == "last":
        found[-1] = True
        return found, False
    number = _numbered(name)
    roles = [Role.IMAGE if number else Role(name)]
    for role in roles:
        at = layout.positions(role, int(number) if number else None)
        found[at[at < prompt_length]] = True
    if not found.any():
        have = dict.fromkeys(role.value for role in layout.roles[:prompt_length])
        raise ParameterError(
            f"No position of this prompt is called {name!r}",
            f"It has {', '.join(have)}, and {len(set(layout.image[layout.visual].tolist()))} images.",
        )
    return found, False


def _numbered(name: str) -> str:
    """The number in "image:3", empty where there is none."""
    head, colon, number = name.partition(":")
    return number if head == "image" and colon and number.isdigit() else ""
