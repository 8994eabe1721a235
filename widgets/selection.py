"""What is selected in the views of one run: a few integers that the browser owns and Python mirrors."""

from __future__ import annotations

import operator
from dataclasses import asdict, dataclass, field
from typing import Any

import traitlets

from explore.errors import ParameterError

PYTHON = "python"
AUTO = "auto"


@dataclass(frozen=True)
class Selection:
    """The shared selection of all views of one run.

    Parameters
    ----------
    token : int, optional
        Sequence position of the selected token.
    patch : int, optional
        Sequence position of the pinned visual token.
    layer, head : int, optional
        Layer and attention head, counted from 0.
    hovered : dict, optional
        ``{"token": position}`` or ``{"patch": position}`` of what lies under the pointer.
    brush : tuple of int
        Positions of more patches, marked with Shift and a click.

    Raises
    ------
    ParameterError
        For a text, or anything else that is no whole number.

    Examples
    --------
    >>> Selection(token=42).token
    42
    """

    token: int | None = None
    patch: int | None = None
    layer: int | None = None
    head: int | None = None
    hovered: dict[str, int] | None = None
    brush: tuple[int, ...] = ()
    # Who made it: "python", "auto" for a view's own suggestion, or the page that did. A page ignores the echo of its
    # own changes, which would otherwise arrive after newer clicks and undo them. `replace` resets it to "python".
    by: str = field(default=PYTHON, init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        # numpy's integers are welcome, but no page could carry them.
        for name in ("token", "patch", "layer", "head"):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, _whole(name, getattr(self, name)))
        object.__setattr__(self, "brush", tuple(_whole("brush", each) for each in self.brush))
        if self.hovered is not None:
            plain = {kind: _whole(f"hovered {kind}", each) for kind, each in self.hovered.items()}
            object.__setattr__(self, "hovered", plain)

    @classmethod
    def suggested(cls, token: int | None) -> Selection:
        """A first choice that gives way to whatever is selected already."""
        return cls.from_json({"token": token, "by": AUTO})

    def to_json(self) -> dict[str, Any]:
        """Plain values for the wire and for saving."""
        return {**asdict(self), "brush": list(self.brush)}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Selection:
        """The inverse of :meth:`to_json`."""
        made = cls(
            **{name: values.get(name) for name in ("token", "patch", "layer", "head", "hovered")},
            brush=tuple(values.get("brush") or ()),
        )
        object.__setattr__(made, "by", str(values.get("by") or PYTHON))
        return made


def _whole(name: str, value: Any) -> int:
    try:
        return operator.index(value)
    except TypeError:
        raise ParameterError(
            f"{name}={value!r} was selected",
            "Tokens and patches are selected by sequence position, layers and heads by number: whole numbers.",
            "maps.find(text)[0].positions has those of a word.",
        ) from None


def _to_wire(value: Selection, _owner: object) -> dict[str, Any]:
    return value.to_json()


def _from_wire(value: dict[str, Any], _owner: object) -> Selection:
    return Selection.from_json(value)


def selection_trait() -> Any:
    """A synced trait that holds a :class:`Selection` and travels as one JSON object."""
    return traitlets.Instance(Selection, args=()).tag(sync=True, to_json=_to_wire, from_json=_from_wire)
