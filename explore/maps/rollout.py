"""Attention rollout: attention followed through the layers, as if every layer only mixed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal, TypeAlias

import numpy as np

from explore.errors import ParameterError
from explore.maps.attribution import attributed
from explore.maps.method import Computed, MapMethod, MapRun
from explore.runs import LayerReplayLike

if TYPE_CHECKING:
    from torch import Tensor

_CHUNK_VALUES = 1 << 20  # weights of all heads held at once, 4 MB

Fuse = Literal["mean", "max", "min"]
Chunks: TypeAlias = "Iterable[tuple[range, Tensor]]"
"""Consecutive rows of one layer's weights, each (heads, rows, positions)."""


@dataclass(frozen=True)
class Rollout(MapMethod):
    """Attention of all layers multiplied up, the residual stream counted as half of every step.

    Values and MLPs play no part. In causal models mass drifts to the first positions whatever the model does;
    `minus_uniform` takes away what a model without preferences would give.

    Parameters
    ----------
    start
        First layer of the product.
    fuse
        How heads are joined: "mean", "max" or "min".
    minus_uniform
        Subtract the rollout of attention that spreads evenly over all that a row can see.
    """

    name: ClassVar[str] = "rollout"
    source: ClassVar[str] = "Abnar & Zuidema, Quantifying Attention Flow in Transformers, ACL 2020, arXiv 2005.00928"

    start: int = 0
    fuse: Fuse = "mean"
    minus_uniform: bool = False

    def __post_init__(self) -> None:
        if self.fuse not in ("mean", "max", "min"):
            raise ParameterError(f"fuse={self.fuse!r} was given", "Allowed are 'mean', 'max' and 'min'.")

    @property
    def reruns(self) -> bool:
        return True

    def compute(self, run: MapRun) -> Computed:
        import torch  # here, because a saved trace opens without it

        with run.rerun.replay(progress=run.progress) as replay:
            kept = replay.layers
            if not 0 <= self.start < len(kept):
                raise ParameterError(f"start={self.start} was given", f"Layers count from 0 to {len(kept) - 1}.")
            rows = torch.zeros(len(run.tokens), kept[0].positions, device=kept[0].values().device)
            rows[range(len(run.tokens)), run.predicted_at] = 1
            downwards = [kept[number] for number in range(len(kept) - 1, self.start - 1, -1)]
            found = roll_rows(rows, (weight_chunks(layer) for layer in downwards), self.fuse)
            if self.minus_uniform:
                found = found - roll_rows(rows, (_even(layer) for layer in downwards), self.fuse)
        note = "Less the rollout of even attention." if self.minus_uniform else ""
        return attributed(found.cpu().numpy()[:, run.visual], "share of the row's mixture", note)


def roll_rows(rows: Tensor, downwards: Iterable[Chunks], fuse: Fuse = "mean") -> Tensor:
    r"""Rows of the rollout :math:`\hat A^L \dots \hat A^1` with :math:`\hat A` = rows of fused A + I, normalised.

    Only vectors are multiplied, from the top layer down, so that no product of matrices is ever formed and one layer's
    weights are seen a few rows at a time.

    Parameters
    ----------
    rows
        Where to start, (rows, positions); a one at a position asks for the row of that position.
    downwards
        Weights of the layers, the last layer first.
    fuse
        How heads are joined.

    Returns
    -------
    (rows, positions), each row as heavy as it was.
    """
    for chunks in downwards:
        mixed = rows.new_zeros(rows.shape)
        for which, weights in chunks:
            fused = weights.mean(0) if fuse == "mean" else weights.amax(0) if fuse == "max" else weights.amin(0)
            fused = fused.to(rows.dtype)
            heavy = fused.sum(-1) + 1  # one for the residual stream; "mean" gives two
            taken = rows[:, which.start : which.stop] / heavy
            mixed += taken @ fused
            mixed[:, which.start : which.stop] += taken
        rows = mixed
    return rows


def weight_chunks(layer: LayerReplayLike) -> Iterator[tuple[range, Tensor]]:
    """A layer's weights a few rows at a time, each (heads, rows, positions)."""
    positions = layer.positions
    size = max(1, _CHUNK_VALUES // (positions * len(layer.values())))
    for at in range(0, positions, size):
        which = range(at, min(at + size, positions))
        yield which, layer.weights(which)


def _even(layer: LayerReplayLike) -> Iterator[tuple[range, Tensor]]:
    """Weights spread evenly over everything a row can see."""
    for which, weights in weight_chunks(layer):
        seen = (weights > 0).any(0, keepdim=True).float()
        yield which, seen / seen.sum(-1, keepdim=True)


def full_rollout(weights: Sequence[np.ndarray]) -> np.ndarray:
    """The whole product of head-averaged weights, each (positions, positions); for short sequences and for tests."""
    import torch

    rows = torch.eye(len(weights[0]), dtype=torch.float64)
    layers = [[(range(len(each)), torch.from_numpy(np.array(each))[None].double())] for each in weights[::-1]]
    found: np.ndarray = roll_rows(rows, layers).numpy()
    return found
