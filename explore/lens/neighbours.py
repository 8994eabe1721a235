"""What every search returns: the nearest rows of every query, and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass
from math import floor

import numpy as np

from explore.errors import ParameterError


@dataclass(frozen=True, eq=False, repr=False)
class Neighbours:
    """The most similar rows of every query, best first; ties lie in the order of layer, then row.

    Parameters
    ----------
    similarities
        Cosines, (queries, k) float32. k is less than asked for where the searched layers have fewer rows in all.
    layers, rows
        The layer and the number in that layer of each row, (queries, k) int64.
    exact
        Whether every row of the searched layers was compared.
    method
        How it was searched, in words.
    recall
        Of an approximate search: the share of the exact `k` rows that it found, measured on some of the queries.
    checked
        How many queries that was measured on.

    Raises
    ------
    ParameterError
        An approximate result without a measured recall.
    """

    similarities: np.ndarray
    layers: np.ndarray
    rows: np.ndarray
    exact: bool = True
    method: str = "every row compared"
    recall: float | None = None
    checked: int = 0

    def __post_init__(self) -> None:
        if not self.exact and self.recall is None:
            raise ParameterError(
                f"An approximate result of '{self.method}' came without its recall",
                "Every approximate result says how many of the exact neighbours it finds.",
            )

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def k(self) -> int:
        """Neighbours per query."""
        return int(self.rows.shape[1])

    @property
    def quality(self) -> str:
        """How far to trust it: "exact", or "approximate, overlap@5 0.97 on 100 queries"."""
        if self.exact:
            return "exact"
        # Rounded down: 1.00 is said of nothing less.
        share = floor(round(100 * (self.recall or 0.0), 6)) / 100
        return f"approximate, overlap@{self.k} {share:.2f} on {self.checked} queries"

    def __repr__(self) -> str:
        return f"Neighbours({len(self)} queries, k={self.k}, {self.quality}; {self.method})"

    def overlap(self, other: Neighbours) -> float:
        """Mean share of the rows of `other` that are here too, query by query; 1 where there are none at all."""
        if not other.rows.size:
            return 1.0
        here, there = (each.rows + (each.layers << 40) for each in (self, other))
        return float((there[:, :, None] == here[:, None, :]).any(axis=2).mean())
