"""Rows of unit vectors on disk or in memory, one list of parts per stored layer: what a search scans."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class StoredPart:
    """Some consecutive rows of one layer.

    Parameters
    ----------
    start
        Number of the first of them in the layer.
    rows
        Unit rows, (rows, width) float32, float16, or int8 to be multiplied by `scales`; often memory-mapped.
    scales
        One factor per row, (rows,) float32; None where rows are floats.
    """

    start: int
    rows: Tensor
    scales: Tensor | None = None

    def __len__(self) -> int:
        return len(self.rows)

    def floats(self, first: int, last: int, device: torch.device | str = "cpu") -> Tensor:
        """Rows `first` to `last` (exclusive) of this part as numbers to compute with, (rows, width) float32."""
        found = self.rows[first:last].to(device).float()
        return found if self.scales is None else found * self.scales[first:last, None].to(device)


class RowStore(Protocol):
    """Layers of rows of one width; layers may differ in how many they have."""

    @property
    def layers(self) -> tuple[int, ...]:
        """The stored layers in ascending order."""
        ...

    @property
    def width(self) -> int: ...

    def parts(self, layer: int) -> Sequence[StoredPart]:
        """The rows of one layer, in order."""
        ...
