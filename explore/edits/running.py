"""What edits are tried on: many variants of one run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np

from explore.edits.states import Part


class VariantsLike(Protocol):
    """Many variants of one run, each a few edits, scored where one answer token is predicted."""

    @property
    def base(self) -> np.ndarray:
        """Logits of the run itself, (vocabulary,) float32."""
        ...

    @property
    def edits(self) -> list[dict[str, Any]]:
        """What is done to all variants and to the run itself, as plain data."""
        ...

    @property
    def reuses(self) -> bool:
        """Whether variants run only from the first position that they change."""
        ...

    @property
    def rows_run(self) -> int:
        """Positions that were run for variants so far, all sequences together."""
        ...

    def logits(
        self,
        variants: Sequence[Any],
        *,
        batch_size: int | None = None,
        measure: Callable[[np.ndarray], np.ndarray] | None = None,
    ) -> np.ndarray:
        """Logits of variants, each an edit or several of `explore.edits`, (variants, vocabulary) float32; or what
        `measure` makes of those of each batch, (variants, ...)."""
        ...

    def attention(self, rows: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Attention of some sets of query rows, mean over heads and rows, each (layers, positions) float32."""
        ...

    def states(self, part: Part, positions: np.ndarray) -> np.ndarray:
        """States of the run itself, (layers, positions, width) float32; of "state" there are L + 1 layers."""
        ...

    def slopes(self, part: Part, positions: np.ndarray, weights: dict[int, float]) -> tuple[np.ndarray, np.ndarray]:
        """States and the gradient of a weighted sum of logits, token id to weight, both shaped as `states`."""
        ...
