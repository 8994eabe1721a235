"""What all edits have in common: they are plain data, they compose, and they describe themselves as JSON."""

from __future__ import annotations

import hashlib
import operator
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any, ClassVar, TypeAlias

import numpy as np

from explore.edits.places import Where
from explore.errors import ParameterError

Layers: TypeAlias = int | Sequence[int] | None
"""One decoder layer or several; an edit keeps a tuple in ascending order. None means all."""


@dataclass(frozen=True, eq=False)
class Edit:
    """One change to a forward pass. A subclass is a frozen dataclass whose fields say what is changed and where."""

    kind: ClassVar[str]

    def __add__(self, other: Edit | Iterable[Any]) -> Edits:
        return Edits((self, *as_edits(other)))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Edit) and self.to_json() == other.to_json()

    def __hash__(self) -> int:
        return hash(repr(self.to_json()))

    def where(self) -> tuple[Where, ...]:
        """The position sets that are changed; nothing before their first position is."""
        raise NotImplementedError

    def layer_numbers(self, layers: int) -> tuple[int, ...]:
        """The layers it acts in, in a decoder of so many.

        Raises
        ------
        ParameterError
            It names a layer that is not there.
        """
        raise NotImplementedError

    def to_json(self) -> dict[str, Any]:
        """Kind and fields as plain data; an array is told by its shape and hash."""
        return {"kind": self.kind, **{each.name: _plain(getattr(self, each.name)) for each in fields(self)}}


class Edits(tuple[Edit, ...]):
    """Several edits at once, in the order in which they act on the same states."""

    def __add__(self, other: Any) -> Edits:
        return Edits((*self, *as_edits(other)))


def as_edits(*given: Any) -> Edits:
    """Edits, lists of them and sums of them, as one flat sequence.

    Raises
    ------
    ParameterError
        Something else was given.
    """
    found: list[Edit] = []
    for each in given:
        if isinstance(each, Edit):
            found.append(each)
        elif isinstance(each, Iterable) and not isinstance(each, (str, bytes)):
            found += as_edits(*each)
        else:
            raise ParameterError(
                f"{each!r:.80} was given as an edit", "Edits are made by the classes of explore.edits."
            )
    return Edits(found)


def checked_layers(layers: Any, name: str = "layers") -> tuple[int, ...] | None:
    """Layers in ascending order, each once; a single number counts as one of them and None as all.

    Raises
    ------
    ParameterError
        They are not whole numbers from 0, or none is left.
    """
    if layers is None:
        return None
    try:
        found = [operator.index(each) for each in (layers if isinstance(layers, Iterable) else (layers,))]
    except TypeError:
        found = []
    if not found or min(found) < 0:
        raise ParameterError(
            f"{name}={layers!r} was given", "They are whole numbers from 0, at least one; None is all."
        )
    return tuple(sorted(set(found)))


def layers_within(wanted: Layers, last: int) -> tuple[int, ...]:
    """The layers meant, of 0 to `last`.

    Raises
    ------
    ParameterError
        One is not there.
    """
    found = checked_layers(wanted)
    if found is None:
        return tuple(range(last + 1))
    if found[-1] > last:
        raise ParameterError(f"An edit names the layers {list(found)}", f"Here it can act in 0 to {last}.")
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        digest = hashlib.sha256(np.ascontiguousarray(value).tobytes()).hexdigest()[:32]
        return {"shape": list(value.shape), "dtype": str(value.dtype), "sha256": digest}
    return [_plain(each) for each in value] if isinstance(value, tuple) else value
