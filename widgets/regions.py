"""Part of a picture: a box or a named mask, as the browser and Python both read and set it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import traitlets

from explore.errors import ParameterError

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Region:
    """Part of one picture of a run.

    Parameters
    ----------
    box : tuple of float, optional
        x0, y0, x1, y1 in pixels of the upright picture, as `ImageGrid.boxes` counts them: x1 and y1 lie outside.
    mask : str
        Name of a mask instead.
    picture : int
        Which picture, counted from 0 over those the view shows.

    Raises
    ------
    ParameterError
        Neither a box nor a mask, both, or a box without area.

    Examples
    --------
    >>> view.region = Region(box=(20, 30, 90, 110))
    >>> view.region = "house"
    >>> view.region = None
    """

    box: Box | None = None
    mask: str = ""
    picture: int = 0

    def __post_init__(self) -> None:
        if (self.box is None) == (self.mask == ""):
            raise ParameterError(f"box={self.box} and mask={self.mask!r}", "A region is either a box or a mask.")
        if self.box is not None:
            object.__setattr__(self, "box", _checked(self.box))

    def to_json(self) -> dict[str, Any]:
        """Plain values for the wire."""
        return {**asdict(self), "box": list(self.box) if self.box else None}


def region_of(value: Any) -> Region | None:
    """A region from what a person would write: a region, a box of four numbers, the name of a mask, or nothing.

    Raises
    ------
    ParameterError
        Anything else.
    """
    if value is None or isinstance(value, Region):
        return value
    if isinstance(value, str):
        return Region(mask=value)
    if isinstance(value, Mapping):
        return Region(**value)
    return Region(box=value)


def region_trait() -> Any:
    """A synced trait that holds a `Region` or None and takes whatever `region_of` takes."""
    return _RegionTrait(allow_none=True, default_value=None).tag(sync=True, to_json=_to_wire, from_json=_from_wire)


class _RegionTrait(traitlets.TraitType[Any, Any]):
    info_text = "a Region, a box (x0, y0, x1, y1), the name of a mask, or None"

    def validate(self, _owner: Any, value: Any) -> Region | None:
        return region_of(value)


def _to_wire(value: Region | None, _owner: object) -> dict[str, Any] | None:
    return value.to_json() if value else None


def _from_wire(value: dict[str, Any] | None, _owner: object) -> Region | None:
    return region_of(value)


def _checked(box: Sequence[float]) -> Box:
    """Four plain numbers that enclose something."""
    try:
        x0, y0, x1, y1 = (float(each) for each in box)
    except (TypeError, ValueError):
        raise ParameterError(
            f"{box!r} was given as a region",
            "Allowed are a Region, a box (x0, y0, x1, y1) in pixels, the name of a mask, and None.",
        ) from None
    if not (x0 < x1 and y0 < y1):
        raise ParameterError(f"The box {(x0, y0, x1, y1)} has no area", "x0 < x1 and y0 < y1, in pixels.")
    return x0, y0, x1, y1
