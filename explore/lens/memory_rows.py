"""Rows kept in memory: for tests and for small sets of states that need no bank."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from explore.errors import ParameterError
from explore.lens.quantising import quantised
from explore.lens.query_vectors import unit_vectors
from explore.lens.row_store import StoredPart

Stored = Literal["float32", "float16", "int8"]


class MemoryRows:
    """A `RowStore` of given vectors, made unit vectors.

    Parameters
    ----------
    layers
        Layer to its vectors, (rows, width); layers may differ in rows.
    dtype
        How they are kept; int8 takes a factor per row with it.
    rows_per_part
        Cut every layer into parts of so many rows; None leaves it whole.

    Raises
    ------
    ParameterError
        No layer, vectors of several widths, or one that is zero or not finite.
    """

    def __init__(
        self, layers: Mapping[int, np.ndarray | Tensor], dtype: Stored = "float32", *, rows_per_part: int | None = None
    ) -> None:
        if not layers:
            raise ParameterError("No layer was given", "Rows come as {layer: (rows, width)}.")
        self.layers = tuple(sorted(int(each) for each in layers))
        self.width = int(layers[self.layers[0]].shape[-1])
        self._parts = {each: self._cut(layers[each], dtype, rows_per_part) for each in self.layers}

    def parts(self, layer: int) -> tuple[StoredPart, ...]:
        """The rows of one layer, in order."""
        return self._parts[layer]

    def _cut(self, vectors: np.ndarray | Tensor, dtype: Stored, size: int | None) -> tuple[StoredPart, ...]:
        units = unit_vectors(vectors, self.width, what="row")
        kept, scales = quantised(units) if dtype == "int8" else (units.to(getattr(torch, dtype)), None)
        step = max(1, size or len(kept))
        starts = range(0, len(kept), step)
        return tuple(
            StoredPart(start, kept[start : start + step], None if scales is None else scales[start : start + step])
            for start in starts
        )
