"""Positions gathered into a few groups, so that flow between them can be drawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from explore.edits import Where, places_of
from explore.edits.places import checked_where
from explore.errors import ParameterError
from explore.trace import Trace

MOST = 12
"""More groups than these are no picture any more."""


@dataclass(frozen=True, eq=False)
class PositionGroups:
    """Which group each fed position belongs to.

    Parameters
    ----------
    names
        Of the groups, in the order of their first positions.
    member
        Number of every position's group, (positions,) int64.
    """

    names: tuple[str, ...]
    member: NDArray[np.int64]

    @property
    def columns(self) -> NDArray[np.float32]:
        """One where a position belongs to a group, (positions, groups); a product with it sums over groups."""
        return np.eye(len(self.names), dtype=np.float32)[self.member]

    @property
    def sizes(self) -> NDArray[np.int64]:
        """Positions of each group, (groups,)."""
        return np.bincount(self.member, minlength=len(self.names))

    def number(self, name: str) -> int:
        """Number of a group.

        Raises
        ------
        ParameterError
            There is none of this name.
        """
        if name not in self.names:
            raise ParameterError(f"The group {name!r} was asked for", f"There are {', '.join(self.names)}.")
        return self.names.index(name)


def position_groups(trace: Trace, parts: Mapping[str, Where] | None = None) -> PositionGroups:
    """Groups of a run's positions; every position is in one.

    Parameters
    ----------
    trace
        The run.
    parts
        Name to positions, as edits take them ("image", "question", "image:1", "last", numbers); a position that is in
        several belongs to the last of them, one that is in none to "others". None makes a group of each role that the
        run has, of each image, and of the prompt's last position.

    Raises
    ------
    ParameterError
        A group is empty, or there are more than twelve.
    """
    if parts is None:
        parts = _roles(trace)
    owner = np.full(trace.positions_fed, -1, np.int64)
    for number, where in enumerate(parts.values()):
        places = places_of(checked_where(where), trace.layout, trace.prompt_length)
        owner[places.mask(np.arange(len(owner)))] = number
    names = [*parts, "others"]
    owner[owner < 0] = len(parts)
    found, first = np.unique(owner, return_index=True)
    empty = [name for number, name in enumerate(parts) if number not in found]
    if empty or len(found) > MOST:
        raise ParameterError(
            f"The groups {', '.join(empty)} have no position of their own" if empty else f"{len(found)} groups",
            f"From 1 to {MOST} groups can be drawn, each with a position at least.",
            "Give parts={name: positions, ...} that do not cover each other.",
        )
    order = found[np.argsort(first)]
    rank = np.full(len(names), -1, np.int64)
    rank[order] = np.arange(len(order))
    return PositionGroups(tuple(names[each] for each in order), rank[owner])


def _roles(trace: Trace) -> dict[str, Where]:
    layout, fed = trace.layout, trace.positions_fed
    found: dict[str, Where] = {}
    images = sorted(set(layout.image[layout.visual].tolist()))
    for role in dict.fromkeys(role.value for role in layout.roles[:fed]):
        if role == "image" and 1 < len(images) <= MOST - 6:
            found |= {f"image {number}": f"image:{number}" for number in images}
        else:
            found[role] = role
    last = trace.prompt_length - 1
    last_role = layout.roles[last]
    if sum(role is last_role for role in layout.roles[:fed]) > 1:
        found["last"] = "last"  # else the role's only position is the last one
    return found
