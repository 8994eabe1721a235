"""Rows of attention multiplied through the layers, a few at a time: no matrix of all positions is ever held.

What methods of several rooms need; it knows tensors by their own methods only, so that it imports without torch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Literal, TypeAlias

from explore.runs import LayerReplayLike

if TYPE_CHECKING:
    from torch import Tensor

_CHUNK_VALUES = 1 << 20  # weights of all heads held at once, 4 MB

Fuse = Literal["mean", "max", "min"]
Chunks: TypeAlias = "Iterable[tuple[range, Tensor]]"
"""Consecutive rows of one layer's weights, each (heads, rows, positions)."""


def roll_rows(
    rows: Tensor, downwards: Iterable[Chunks], fuse: Fuse = "mean", seen: Callable[[Tensor], None] | None = None
) -> Tensor:
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
    seen
        Shown the rows behind each layer.

    Returns
    -------
    (rows, positions), each row as heavy as it was.

    Source: Abnar & Zuidema, Quantifying Attention Flow in Transformers, ACL 2020, arXiv 2005.00928
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
        if seen is not None:
            seen(rows)
    return rows


def weight_chunks(layer: LayerReplayLike) -> Iterator[tuple[range, Tensor]]:
    """A layer's weights a few rows at a time, each (heads, rows, positions)."""
    for which in row_chunks(layer.positions, layer.positions * len(layer.values())):
        yield which, layer.weights(which)


def even_chunks(layer: LayerReplayLike) -> Iterator[tuple[range, Tensor]]:
    """Weights spread evenly over everything a row can see, (1, rows, positions): a layer without preferences."""
    for which, weights in weight_chunks(layer):
        seen = (weights > 0).any(0, keepdim=True).float()
        yield which, seen / seen.sum(-1, keepdim=True)


def row_chunks(positions: int, values: int) -> Iterator[range]:
    """Consecutive positions, so many that what each of them takes, `values` numbers, stays small together."""
    size = max(1, _CHUNK_VALUES // max(1, values))
    for at in range(0, positions, size):
        yield range(at, min(at + size, positions))
