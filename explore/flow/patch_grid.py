"""Maps over layers and positions: what the prediction becomes when states of another run are put in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

Direction = Literal["clean->corrupt", "corrupt->clean"]
Metric = Literal["logit_difference", "probability"]


@dataclass(frozen=True, eq=False)
class PatchGrid:
    """Patched predictions, one for every layer and column of positions.

    Parameters
    ----------
    values
        The metric after patching, mean over draws, (layers, columns) float64.
    clean, corrupt
        The metric of the two runs, mean over draws.
    layers
        Layers that were patched, the centres of windows where there are any, (layers,) int64.
    columns
        Name of each column: a position as text, or a group's name.
    positions
        Positions of each column that are patched together.
    part
        "state", "attention" or "mlp".
    window
        Layers patched together; 1 for states.
    direction
        "clean->corrupt" puts clean states into the corrupted run: what is enough to restore the answer.
        "corrupt->clean" is the other way: what is needed for it.
    metric
        "logit_difference" of the answer less the foil, or "probability" of the answer.
    answer, foil
        Token ids.
    answer_text, foil_text
        As they are spelled.
    corruption
        "picture" or "noise".
    draws
        How many noises were averaged.
    fingerprint
        What decided the result.
    """

    values: np.ndarray
    clean: float
    corrupt: float
    layers: np.ndarray
    columns: tuple[str, ...]
    positions: tuple[tuple[int, ...], ...]
    part: str
    window: int
    direction: Direction
    metric: Metric
    answer: int
    foil: int
    answer_text: str
    foil_text: str
    corruption: str
    draws: int
    fingerprint: dict[str, Any] = field(default_factory=dict, repr=False)

    source = (
        "Causal tracing of Meng et al., NeurIPS 2022, arXiv 2202.05262; activation patching with normalised logit "
        "difference as in Wang et al., ICLR 2023, arXiv 2211.00593"
    )

    @property
    def normalised(self) -> np.ndarray:
        """The metric on a scale from 0, the corrupted run, to 1, the clean one, (layers, columns)."""
        return (self.values - self.corrupt) / (self.clean - self.corrupt)

    @property
    def total_effect(self) -> float:
        """The metric of the clean run less that of the corrupted one."""
        return self.clean - self.corrupt

    @property
    def indirect_effect(self) -> np.ndarray:
        """What patching changed of the run that was patched, (layers, columns)."""
        return self.values - (self.corrupt if self.direction == "clean->corrupt" else self.clean)

    def to_frame(self) -> pd.DataFrame:
        """One line for every cell."""
        import pandas as pd

        return pd.DataFrame(list(self._rows()))

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        plain = {name: value for name, value in vars(self).items() if not isinstance(value, np.ndarray)}
        arrays = {name: getattr(self, name).tolist() for name in ("values", "normalised", "layers")}
        return {"source": self.source, **plain, "positions": [list(each) for each in self.positions], **arrays}

    def __repr__(self) -> str:
        best = np.unravel_index(np.nanargmax(np.abs(self.indirect_effect)), self.values.shape)
        return (
            f"<PatchGrid {self.direction}, {self.part} in {len(self.layers)} layers x {len(self.columns)} positions, "
            f"{self.answer_text!r} against {self.foil_text!r}: {self.corrupt:.2f} corrupt, {self.clean:.2f} clean; "
            f"strongest at layer {self.layers[best[0]]}, {self.columns[best[1]]}: {self.normalised[best]:.2f}>"
        )

    def _rows(self) -> Iterator[dict[str, Any]]:
        normalised = self.normalised
        for layer, column in np.ndindex(self.values.shape):
            yield {
                "layer": int(self.layers[layer]),
                "column": self.columns[column],
                "value": float(self.values[layer, column]),
                "normalised": float(normalised[layer, column]),
            }
