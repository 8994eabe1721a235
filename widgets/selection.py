"""What is selected in the views of one run: a few integers that the browser owns and Python mirrors."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

import traitlets

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


def _to_wire(value: Selection, _owner: object) -> dict[str, Any]:
    return value.to_json()


def _from_wire(value: dict[str, Any], _owner: object) -> Selection:
    return Selection.from_json(value)


def selection_trait() -> Any:
    """A synced trait that holds a :class:`Selection` and travels as one JSON object."""
    return traitlets.Instance(Selection, args=()).tag(sync=True, to_json=_to_wire, from_json=_from_wire)
