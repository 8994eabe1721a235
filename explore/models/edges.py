"""Cutting attention edges: the mask a model made, less the edges that an edit takes away.

Masks are never built from scratch. The one the model hands over knows about padding, windows and blocks that see each
other; edges are only removed from it. A position always keeps the edge to itself, so no row is ever left without a key.
Source: `specs/information-flow.md` §2.2 and §2.5.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import torch
from torch import Tensor

_cut: ContextVar[Tensor | None] = ContextVar("vlmscope_cut", default=None)


@contextmanager
def blocked_keys(blocked: Tensor) -> Iterator[None]:
    """Every watched attention call of this thread goes without these keys, in all layers and heads.

    Parameters
    ----------
    blocked
        (batch, positions) bool: nobody but itself may attend to a True position.
    """
    token = _cut.set(blocked)
    try:
        yield
    finally:
        _cut.reset(token)


def without_cut_edges(
    mask: Tensor | None, queries: int, keys: int, causal: bool, device: torch.device | None = None
) -> Tensor | None:
    """The mask of one attention call with the blocked edges removed; unchanged where nothing is cut.

    Parameters
    ----------
    mask
        As the model made it: None (causal if `causal`, else everything), bool with True = may attend, or float to be
        added; broadcastable to (batch, heads, queries, keys).
    queries, keys
        Lengths of the call; its queries are the last `queries` of the `keys` positions.
    causal
        What None means.
    device
        Where the call computes; None is where the blocked keys were given.

    Returns
    -------
    None, or (batch, heads or 1, queries, keys) bool or float.
    """
    blocked = _cut.get()
    if blocked is None:
        return mask
    blocked = blocked.to(device)
    rows = torch.arange(keys - queries, keys, device=blocked.device)[:, None]
    columns = torch.arange(keys, device=blocked.device)
    cut = blocked[:, None, None, :keys] & (columns != rows)
    if mask is None:
        seen = columns <= rows if causal else torch.ones_like(columns >= rows)
        return seen & ~cut
    if mask.dtype == torch.bool:
        return mask & ~cut
    # Assigned and not added: two lowest numbers added would be minus infinity.
    return mask.masked_fill(cut, torch.finfo(mask.dtype).min)
