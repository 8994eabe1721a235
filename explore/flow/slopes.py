"""Attribution patching: all cells of a patching estimated from one gradient, and the largest verified by patching."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from explore.edits import Part
from explore.flow.corruption import corrupted
from explore.flow.patch_plan import columns_of, patches_of, require_apart, rows_of, target_of
from explore.runs import Report, RunnerLike
from explore.trace import Trace

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class SlopeGrid:
    """Estimated patching of clean states into the corrupted run, normalised: 0 changes nothing, 1 restores all.

    Parameters
    ----------
    estimate
        (layers, columns) float64.
    layers
        Layers of the rows, (layers,) int64.
    columns, positions
        Names and positions of the columns, those of one column patched together.
    verified
        Rows and columns of the cells that were really patched, (cells, 2) int64, the largest estimates first.
    patched
        What patching them really gave, (cells,) float64.
    clean, corrupt
        Logit differences of the two runs.
    part
        "state", "attention" or "mlp".
    answer_text, foil_text
        The two tokens.
    fingerprint
        What decided the result.
    """

    estimate: np.ndarray
    layers: np.ndarray
    columns: tuple[str, ...]
    positions: tuple[tuple[int, ...], ...]
    verified: np.ndarray
    patched: np.ndarray
    clean: float
    corrupt: float
    part: str
    answer_text: str
    foil_text: str
    fingerprint: dict[str, Any] = field(default_factory=dict, repr=False)

    source = "Attribution patching: Nanda 2023; Syed et al., arXiv 2310.10348; Kramar et al., AtP*, arXiv 2403.00745"

    @property
    def agreement(self) -> float:
        """Correlation of estimated and real values over the verified cells; NaN where there are less than three."""
        estimated = self.estimate[tuple(self.verified.T)]
        if len(estimated) < 3 or not estimated.std() or not self.patched.std():
            return float("nan")
        return float(np.corrcoef(estimated, self.patched)[0, 1])

    def to_frame(self) -> pd.DataFrame:
        """One line for every cell; "patched" is NaN where it was not verified."""
        import pandas as pd

        return pd.DataFrame(list(self._rows()))

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        plain = {name: value for name, value in vars(self).items() if not isinstance(value, np.ndarray)}
        arrays = {name: value.tolist() for name, value in vars(self).items() if isinstance(value, np.ndarray)}
        positions = [list(each) for each in self.positions]
        return {"source": self.source, **plain, "positions": positions, **arrays, "agreement": self.agreement}

    def __repr__(self) -> str:
        return (
            f"<SlopeGrid of {self.part} in {len(self.layers)} layers x {len(self.columns)} positions, "
            f"{self.answer_text!r} against {self.foil_text!r}; {len(self.patched)} cells patched, "
            f"correlation {self.agreement:.2f}>"
        )

    def _rows(self) -> Iterator[dict[str, Any]]:
        real = {tuple(cell): value for cell, value in zip(self.verified.tolist(), self.patched.tolist(), strict=True)}
        for layer, column in np.ndindex(self.estimate.shape):
            yield {
                "layer": int(self.layers[layer]),
                "column": self.columns[column],
                "estimate": float(self.estimate[layer, column]),
                "patched": real.get((layer, column), float("nan")),
            }


def attribution_patching(
    runner: RunnerLike,
    trace: Trace,
    other: Any,
    *,
    part: Part = "state",
    positions: Any = None,
    layers: Sequence[int] | None = None,
    number: int = 0,
    foil: int | None = None,
    verify: int = 20,
    seed: int = 0,
    progress: Report | None = None,
) -> SlopeGrid:
    """All cells of `activation_patching` from clean to corrupt, estimated from one backward pass.

    The estimate is (clean state - corrupted state) . gradient of the logit difference at the corrupted run: good for a
    first look, poor at the lowest layers and where softmax is saturated. So the largest cells are really patched, and
    both numbers stand in the result.

    Source: Nanda, Attribution patching, 2023; Kramar et al., arXiv 2403.00745.

    Parameters
    ----------
    runner, trace, other, part, positions, layers, number, foil, seed
        As for `activation_patching`; "attention" and "mlp" are estimated layer by layer.
    verify
        How many of the largest cells are patched.
    progress
        May raise `Cancelled`.

    Raises
    ------
    ParameterError, CheckpointError
        As `activation_patching` does.
    """
    end = trace.prompt_length + number
    columns, rows = columns_of(positions, trace, end), rows_of(part, trace.layers, layers, 1)
    known = np.unique(np.concatenate(list(columns.values())))
    clean = runner.rerun(trace)
    corrupt = corrupted(runner, trace, clean, other, number=number, draws=1, seed=seed)
    with clean.variants(number=number, reuse=False, progress=progress) as first:
        clean_logits, states, open_edits = first.base, first.states(part, known), first.edits
    with corrupt.rerun.variants(edits=corrupt.edits[0], number=number, reuse=verify > 0, progress=progress) as second:
        target = target_of(trace, number, clean_logits, second.base, foil, "logit_difference")
        best, worst = float(target.of(clean_logits)), float(target.of(second.base))
        require_apart(best, worst)
        own, slopes = second.slopes(part, known, {target.answer: 1.0, target.foil: -1.0})
        single = ((states - own).astype(np.float64) * slopes).sum(axis=-1)[rows.centres] / (best - worst)
        places = [np.searchsorted(known, each) for each in columns.values()]
        estimate = np.stack([single[:, at].sum(axis=1) for at in places], axis=1)
        order = np.argsort(-np.abs(estimate), axis=None, kind="stable")[:verify]
        cells = np.stack(np.unravel_index(order, estimate.shape), axis=1).astype(np.int64)
        named = list(columns.values())
        edits = [patches_of(part, (int(rows.centres[row]),), named[at], states, known) for row, at in cells]
        patched = (target.of(second.logits(edits)) - worst) / (best - worst) if len(edits) else np.empty(0)
    answer_text, foil_text = runner.language.token_texts([target.answer, target.foil])
    told: dict[str, Any] = {
        "part": part,
        "number": number,
        "foil": target.foil,
        "corruption": corrupt.kind,
        "seed": seed,
    }
    told |= {"edits": open_edits, "other": corrupt.trace.fingerprint.get("images"), "layers": rows.centres.tolist()}
    told |= {"columns": {name: each.tolist() for name, each in columns.items()}}
    return SlopeGrid(
        estimate,
        rows.centres,
        tuple(columns),
        tuple(tuple(each.tolist()) for each in columns.values()),
        cells,
        patched,
        best,
        worst,
        part,
        answer_text,
        foil_text,
        trace.fingerprint | {"attribution_patching": told},
    )
