"""What every source writes into some rows of the residual stream, as vectors, a few sources at a time.

What methods of several rooms need. Source: `specs/information-flow.md` §5.4 and §5.5.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from explore.runs import LayerReplayLike

if TYPE_CHECKING:
    from torch import Tensor

_CHUNK_VALUES = 1 << 22  # numbers of what was written that are held at once, 16 MB


def head_vectors(layer: LayerReplayLike, columns: Tensor, rows: int = 1) -> Iterator[tuple[Tensor, Tensor]]:
    """What each head would write of some sources at weight one.

    Parameters
    ----------
    layer
        The layer's attention.
    columns
        Sequence positions of the sources, (columns,).
    rows
        How many rows the caller makes of them at once, so that chunks leave room for that.

    Yields
    ------
    columns : Tensor
        Some of the sources, (chunk,).
    vectors : Tensor
        :math:`W_O^h v_j^h`, (heads, chunk, width).
    """
    import torch  # here, because a saved trace opens without it

    values = layer.values()
    width = layer.written(0, values[0, :1]).shape[-1]
    size = max(1, _CHUNK_VALUES // (width * max(len(values), rows)))
    for some in columns.to(values.device).split(size):
        yield some, torch.stack([layer.written(head, values[head, some]) for head in range(len(values))])


def arrivals(
    layer: LayerReplayLike, rows: Tensor, columns: Tensor, *, landed: bool = True
) -> Iterator[tuple[Tensor, Tensor]]:
    """What comes of each source in each row, heads added up.

    Parameters
    ----------
    layer
        The layer's attention.
    rows, columns
        Sequence positions of receivers and sources.
    landed
        As it is in the residual stream, behind the norm that some families put there; else behind the projection.

    Yields
    ------
    columns : Tensor
        Some of the sources, (chunk,).
    vectors : Tensor
        :math:`\\sum_h A_{ij}^h W_O^h v_j^h`, (rows, chunk, width).

    Raises
    ------
    CheckpointError
        `landed`, and the layer has a `problem`.
    """
    weights = layer.weights(rows).float()  # exact models have finer ones, but what is written is in single precision
    for some, vectors in head_vectors(layer, columns, len(rows)):
        # One product for each source: (rows, heads) times (heads, width).
        made = (weights[:, :, some].permute(2, 1, 0) @ vectors.transpose(0, 1)).transpose(0, 1)
        yield some, layer.landed(rows, made) if landed else made


def head_lengths(layer: LayerReplayLike, columns: Tensor) -> Tensor:
    r"""Lengths :math:`\|W_O^h v_j^h\|_2`, (heads, columns), by products of `head_width` instead of the model's width.

    With :math:`G^h = W_O^{hT} W_O^h` made once, a length is :math:`\sqrt{v^T G^h v}`.
    """
    import torch  # here, because a saved trace opens without it

    values = layer.values()[:, columns]
    lengths = []
    for head, own in enumerate(values):
        matrix = layer.written(head, torch.eye(own.shape[-1], device=own.device))
        lengths.append(((own @ (matrix @ matrix.T)) * own).sum(-1).clamp_min(0).sqrt())
    return torch.stack(lengths)
