"""What rows are a mixture of, layer by layer: the result of rollout and of ALTI."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from explore.errors import ParameterError
from explore.flow.grouping import PositionGroups
from explore.flow.named_arrays import NamedArrays
from explore.trace import Trace

if TYPE_CHECKING:
    from torch import Tensor

    from explore.runs import ReplayLike


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class MixedSources(NamedArrays):
    """Of which positions some rows of the last layer are mixed, read at the entry of every layer.

    Parameters
    ----------
    layers
        0 to L: at the entry of layer 0 positions are inputs, at L each row is itself.
    rows
        Sequence positions of the rows.
    shares
        (layers, rows, positions) float32; every row sums to 1.
    baseline
        The same if attention spread evenly over all that a row may see: the control, and what is taken away to see
        what the model prefers, because in causal models mass drifts to the first positions whatever it does.
    missing
        Layers that mix positions otherwise than is known; they are passed by as if they mixed nothing.
    """

    axes: ClassVar = {
        "shares": ("layers", "rows", "positions"),
        "baseline": ("layers", "rows", "positions"),
    }

    layers: NDArray[np.int64]
    rows: NDArray[np.int64]
    shares: NDArray[np.float32]
    baseline: NDArray[np.float32]
    missing: tuple[int, ...] = ()

    @property
    def less_baseline(self) -> NDArray[np.float32]:
        """What is more than even attention would give, (layers, rows, positions); rows sum to 0."""
        return self.shares - self.baseline

    def by_group(self, groups: PositionGroups, *, less_baseline: bool = True) -> NDArray[np.float32]:
        """Added up over groups of positions, (layers, rows, groups)."""
        values = self.less_baseline if less_baseline else self.shares
        found: NDArray[np.float32] = values @ groups.columns
        return found


def predicting_rows(trace: Trace, rows: int | Sequence[int] | None) -> NDArray[np.int64]:
    """Rows asked for, (rows,) int64; None is the one that predicts the first token of the answer.

    Raises
    ------
    ParameterError
        One was not fed to the model, or none was given.
    """
    wanted = np.atleast_1d(np.asarray(trace.prompt_length - 1 if rows is None else rows, np.int64))
    if not len(wanted) or wanted.min() < 0 or wanted.max() >= trace.positions_fed:
        raise ParameterError(
            f"The rows {wanted.tolist()} were asked for", f"Positions fed are 0 to {trace.positions_fed - 1}."
        )
    return wanted


def start_rows(rows: NDArray[np.int64], positions: int, like: Tensor) -> Tensor:
    """A one at the position of each row, (rows, positions) float32, beside another tensor."""
    import torch  # here, because a saved trace opens without it

    found = torch.zeros(len(rows), positions, device=like.device)
    found[range(len(rows)), rows] = 1
    return found


def stacked(downwards: Iterable[Tensor], numbers: Sequence[int], depth: int) -> NDArray[np.float32]:
    """Rows as they are at the entry of every layer 0 to L, (layers, rows, positions).

    Parameters
    ----------
    downwards
        Where they start, then behind each layer of `numbers` from the top down.
    numbers
        The layers that were passed, the last one first; between them nothing changes.
    depth
        Layers of the decoder.
    """
    states = [each.cpu().numpy() for each in downwards]
    at = [sum(number >= layer for number in numbers) for layer in range(depth + 1)]
    return np.stack([states[each] for each in at]).astype(np.float32)


def missing_layers(replay: ReplayLike, *, parts: bool) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """Layers without attention, or with `parts` also those whose attention cannot be taken apart, and why in words."""
    problems = {layer.number: layer.problem if parts else "" for layer in replay.layers}
    absent = [number for number in range(replay.depth) if number not in problems]
    blocked = [number for number, problem in problems.items() if problem]
    notes = []
    if absent:
        notes.append(
            f"Layers {absent} have no attention whose rows are known; they are passed by as if they mixed nothing."
        )
    reasons = dict.fromkeys(problems[number] for number in blocked)
    notes += [
        f"Layers {[number for number in blocked if problems[number] == reason]} cannot be taken apart: {reason}."
        for reason in reasons
    ]
    return tuple(sorted([*absent, *blocked])), tuple(notes)
