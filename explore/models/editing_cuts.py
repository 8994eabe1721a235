"""Cut edges in one attention call: the model's mask less what is cut, or the output less what cut values brought.

As in `explore.models.edges`, masks are never built from scratch: edges are only taken from the one the model made.
Source: `specs/information-flow.md` §2.2, §2.5 and §4.4.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from explore.models.attention import AttentionCall
from explore.models.editing_program import Cut

_CHUNK_BYTES = 64 << 20  # float32 weights held at once where values are zeroed


def edges_of(
    cuts: Sequence[Cut], rows: np.ndarray, columns: np.ndarray, heads: int, variants: int | None, device: torch.device
) -> Tensor | None:
    """The edges of one call that are cut.

    Parameters
    ----------
    cuts
        Of the layer that is running.
    rows, columns
        Sequence positions of the call's queries and keys.
    heads
        Query heads.
    variants
        Sequences of the batch with cuts of their own; None where all have the same.

    Returns
    -------
    None, or (variants or 1, heads or 1, queries, keys) bool, True = cut.
    """
    whole = variants is not None and any(cut.row is not None for cut in cuts)
    split = any(cut.edit.heads is not None for cut in cuts)
    shape = (variants if whole and variants else 1, heads if split else 1, len(rows), len(columns))
    found, any_cut = np.zeros(shape, bool), False
    for cut in cuts:
        looking, seen = np.flatnonzero(cut.target.mask(rows)), cut.source.mask(columns)
        if not len(looking) or not seen.any():
            continue
        any_cut = True
        edges = np.broadcast_to(seen, (len(looking), len(seen)))
        if not cut.edit.own:
            edges = edges & (columns != rows[looking, None])
        of = slice(None) if cut.row is None else slice(cut.row, cut.row + 1)
        heads_cut = slice(None) if cut.edit.heads is None else np.asarray(cut.edit.heads)
        for row in range(*of.indices(shape[0])):
            part = found[row]
            part[np.ix_(np.arange(shape[1])[heads_cut], looking)] |= edges
    return torch.from_numpy(found).to(device) if any_cut else None


def without_edges(mask: Tensor | None, cut: Tensor, rows: Tensor, columns: Tensor, causal: bool) -> Tensor:
    """The mask of a call less cut edges; a row that would see nothing keeps the edge to itself.

    Parameters
    ----------
    mask
        As the model made it: None (causal if `causal`, else everything), bool with True = may attend, or float to be
        added; broadcastable to (batch, heads, queries, keys).
    cut
        (batch or 1, heads or 1, queries, keys) bool.
    rows, columns
        Sequence positions of queries and keys, (queries,) and (keys,).
    """
    own = columns == rows[:, None]
    if mask is None:
        mask = (columns <= rows[:, None])[None, None] if causal else torch.ones_like(own)[None, None]
    lowest = torch.finfo(mask.dtype).min if mask.dtype != torch.bool else 0.0
    seen = mask if mask.dtype == torch.bool else mask > 0.5 * lowest
    cut = cut & ~(own & ~(seen & ~cut).any(dim=-1, keepdim=True))
    # Assigned and not added: two lowest numbers added would be minus infinity.
    return mask & ~cut if mask.dtype == torch.bool else mask.masked_fill(cut, lowest)


def less_values(
    output: Tensor, query: Tensor, key: Tensor, value: Tensor, mask: Tensor, cut: Tensor, call: AttentionCall
) -> Tensor:
    """What the heads say when values of cut edges are zero and their weights stay, (batch, queries, heads, head_width).

    Parameters
    ----------
    output
        What they said with all of them.
    query, key, value, mask, call
        Of the call, as `explore.models.attention.Tap` gets them; the mask is bool or float.
    cut
        (batch or 1, heads or 1, queries, keys) bool.
    """
    looking = torch.nonzero(cut.any(dim=-1).any(dim=0).any(dim=0))[:, 0]
    groups = query.shape[1] // key.shape[1]
    keys, values = (each.repeat_interleave(groups, dim=1).float() for each in (key, value))
    mask = mask.expand(-1, -1, query.shape[2], -1)
    chunk = max(1, _CHUNK_BYTES // (4 * query.shape[0] * query.shape[1] * key.shape[2]))
    made = output.clone()
    for at in range(0, len(looking), chunk):
        rows = looking[at : at + chunk]
        scores = query[:, :, rows].float() @ keys.transpose(2, 3) * call.scaling
        if call.softcap is not None:
            scores = torch.tanh(scores / call.softcap) * call.softcap
        own = mask[:, :, rows]
        scores = scores.masked_fill(~own, torch.finfo(scores.dtype).min) if own.dtype == torch.bool else scores + own
        # Made anew and not taken off: a norm behind attention would blow up the rounding that a difference leaves.
        left = torch.softmax(scores, dim=-1).masked_fill(cut[:, :, rows], 0.0) @ values
        lost = cut[:, :, rows].any(dim=-1, keepdim=True).transpose(1, 2)
        made[:, rows] = torch.where(lost, left.transpose(1, 2).to(made), made[:, rows])
    return made
