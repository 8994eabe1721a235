r"""How near a part brings a whole: :math:`\max(\|y\|_1 - \|y - z\|_1, 10^{-5})`, as a share of all parts.

Source: Tufanov et al., LM Transparency Tool, ACL 2024, arXiv 2404.07004, formula only
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from explore.runs import LayerReplayLike, ReplayLike
from explore.written_parts import head_vectors

if TYPE_CHECKING:
    from torch import Tensor

FLOOR = 1e-5
"""No part is further away than this."""


def nearness(whole: Tensor, parts: Tensor) -> Tensor:
    """Proximity of parts (..., width) to a whole (width,), (...)."""
    found: Tensor = (whole.abs().sum() - (whole - parts).abs().sum(-1)).clamp_min(FLOOR)
    return found


def as_shares(near: NDArray[np.float64], cut: float = 0.0) -> NDArray[np.float64]:
    """Proximities (parts,) as shares of their sum; those below `cut` are left out and the rest made whole again."""
    shares = near / near.sum()
    if cut:
        shares = np.where(shares < cut, 0.0, shares)
        shares = shares / max(shares.sum(), FLOOR)
    return shares


def attention_shares(
    layer: LayerReplayLike, stream: Tensor, rows: Sequence[int], cut: float = 0.0
) -> list[tuple[NDArray[np.float64], float]]:
    """Shares of every source through every head, and of the residual stream, in the stream behind attention.

    Parameters
    ----------
    layer
        Its attention.
    stream
        What entered the layer, (positions, width).
    rows
        Sequence positions.
    cut
        See `as_shares`.

    Returns
    -------
    list
        For each row (heads, positions) and the share of the residual stream.
    """
    import torch  # here, because a saved trace opens without it

    at = torch.tensor(list(rows))
    whole, weights = stream[at] + layer.added(at), layer.weights(at).float()
    near = torch.full_like(weights, FLOOR)
    for some, vectors in head_vectors(layer, torch.arange(layer.positions)):
        for place in range(len(rows)):
            parts = weights[:, place, some, None] * vectors
            landed = layer.landed(at[place : place + 1], parts[None])[0]
            near[:, place, some] = nearness(whole[place], landed)
    found = []
    for place, row in enumerate(rows):
        residual = float(nearness(whole[place], stream[row]))
        every = np.append(near[:, place].double().cpu().numpy().ravel(), residual)
        shares = as_shares(every, cut)
        found.append((shares[:-1].reshape(len(weights), -1), float(shares[-1])))
    return found


def behind_shares(
    replay: ReplayLike, layer: LayerReplayLike, rows: Sequence[int], cut: float = 0.0
) -> NDArray[np.float64]:
    """Shares in the stream behind a layer: of the stream behind its attention, of what the layer adds, and of what the
    model inserts there; (rows, 3), the last 0 where it inserts nothing."""
    import torch  # here, because a saved trace opens without it

    at = torch.tensor(list(rows), dtype=torch.long)
    middle, whole = replay.state(layer.number)[at] + layer.added(at), replay.state(layer.number + 1)[at]
    inserted = replay.inserted(layer.number)
    extra = torch.zeros_like(whole) if inserted is None else inserted[at]
    found = np.zeros((len(rows), 3))
    for place in range(len(rows)):
        parts = [middle[place], whole[place] - middle[place] - extra[place], extra[place]]
        parts = parts if bool(extra[place].any()) else parts[:2]
        near = nearness(whole[place], torch.stack(parts)).double().cpu().numpy()
        found[place, : len(parts)] = as_shares(near, cut)
    return found
