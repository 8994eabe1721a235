"""What readings of flow have in common: arrays whose axes have names, as a table, as JSON, with what decided them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from explore.layout import TokenLayout
from explore.trace import Trace

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False, kw_only=True)
class NamedArrays:
    """Arrays over named axes.

    Parameters
    ----------
    layout
        What each sequence position is.
    texts
        What each position reads, (positions,).
    notes
        What a reader has to know: how the numbers were made, what is missing.
    fingerprint
        The run's fingerprint with the method and its parameters.
    """

    axes: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    """Array -> its axes; the labels of an axis stand in the field of that name. The table is made of the first array
    and all others with the same axes."""

    layout: TokenLayout
    texts: tuple[str, ...]
    notes: tuple[str, ...] = ()
    fingerprint: Mapping[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        shapes = [
            f"{name} ({', '.join(f'{axis} {size}' for axis, size in zip(own, getattr(self, name).shape, strict=True))})"
            for name, own in self.axes.items()
            if getattr(self, name) is not None
        ]
        return f"<{type(self).__name__}: {'; '.join(shapes)}>"

    def labels(self, axis: str) -> list[Any]:
        """Labels along an axis, in order."""
        if axis == "positions":
            return list(range(len(self.texts)))
        found = getattr(self, axis)
        return list(found.tolist() if isinstance(found, np.ndarray) else found)

    def to_frame(self) -> pd.DataFrame:
        """One line for every number of the main array; a sequence position comes with its role and text."""
        import pandas as pd

        axes = next(iter(self.axes.values()))
        named = {name: getattr(self, name) for name, own in self.axes.items() if own == axes}
        arrays = {name: values for name, values in named.items() if values is not None}
        index = pd.MultiIndex.from_product([self.labels(axis) for axis in axes], names=axes)
        table = pd.DataFrame({name: np.asarray(each).ravel() for name, each in arrays.items()}, index)
        table = table.reset_index()
        if "positions" in axes:
            places = table["positions"].to_numpy()
            table["role"] = np.array([role.value for role in self.layout.roles])[places]
            table["text"] = np.array(self.texts)[places]
        return table

    def to_json(self) -> dict[str, Any]:
        """Every array as plain lists with its axes and their labels; numbers that are not there are None."""
        axes = dict.fromkeys(axis for own in self.axes.values() for axis in own)
        return {
            "arrays": {
                name: {"axes": list(own), "values": _plain(getattr(self, name))}
                for name, own in self.axes.items()
                if getattr(self, name) is not None
            },
            "labels": {axis: self.labels(axis) for axis in axes},
            "notes": list(self.notes),
            "fingerprint": dict(self.fingerprint),
        }


def about(trace: Trace, method: str, notes: tuple[str, ...] = (), **parameters: Any) -> dict[str, Any]:
    """The fields of `NamedArrays` that tell of a run: layout, texts, notes and fingerprint."""
    return {
        "layout": trace.layout,
        "texts": tuple(token.text for token in trace.tokens[: trace.positions_fed]),
        "notes": notes,
        "fingerprint": {**trace.fingerprint, "flow": {"method": method, **parameters}},
    }


def _plain(values: NDArray[Any]) -> Any:
    if not np.issubdtype(values.dtype, np.floating):
        return values.tolist()
    known = np.isfinite(values)
    return values.tolist() if known.all() else np.where(known, values.astype(object), np.array(None)).tolist()
