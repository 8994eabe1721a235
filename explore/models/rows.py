"""Attention rows from queries and keys, without ever building the full matrix.

The row recipe: softmax(q_I k^T * scaling + mask_I) with keys repeated for grouped-query attention. One row for all
layers and heads is a few megabytes where eager attention would take gigabytes.
Source: `specs/information-flow.md` §2.4.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from explore.errors import CheckpointError
from explore.models.attention import AttentionCall

_CHUNK_BYTES = 64 << 20  # float32 scores held at once, however many rows were asked for
_BLOCKED = torch.finfo(torch.float32).min


@dataclass(frozen=True, slots=True)
class Step:
    """The wanted queries of one attention call.

    Parameters
    ----------
    query
        (batch, heads, rows, head_width), rotary embedding applied.
    index
        Which queries of the call these rows are, (rows,) int64; None means all of them.
    start, end
        Sequence positions of the call's first query and one past its last.
    keys
        Number of keys of the call; they stand at the positions `end` - `keys` to `end`.
    mask
        (batch, 1 or heads, rows, keys) bool with True = may attend, or float to be added; None means causal if
        `causal`, else everything.
    """

    query: Tensor
    index: Tensor | None
    start: int
    end: int
    keys: int
    mask: Tensor | None
    causal: bool

    def reach(self) -> Tensor:
        """Last position each row may see when there is no mask, (rows,) int64."""
        device = self.query.device
        if not self.causal:
            return torch.full((self.query.shape[2],), self.end - 1, device=device)
        index = torch.arange(self.end - self.start, device=device) if self.index is None else self.index.to(device)
        return index + self.start

    def bias(self, positions: int) -> Tensor:
        """What is added to the scores, (batch or 1, heads or 1, rows, positions) float32."""
        columns = torch.arange(positions, device=self.query.device)
        if self.mask is None:
            seen = (columns >= self.end - self.keys) & (columns <= self.reach()[:, None])
            return torch.zeros(seen.shape, device=columns.device).masked_fill(~seen, _BLOCKED)[None, None]
        bias = torch.full((*self.mask.shape[:3], positions), _BLOCKED, device=columns.device)
        blocked_or_not = torch.zeros(self.mask.shape, device=columns.device)
        added = blocked_or_not.masked_fill(~self.mask, _BLOCKED) if self.mask.dtype == torch.bool else self.mask.float()
        bias[..., self.end - self.keys : self.end] = added
        return bias


@dataclass(slots=True)
class LayerRecord:
    """Queries and keys of one layer, gathered over prefill and decoding."""

    steps: list[Step] = field(default_factory=list)
    keys: list[Tensor] = field(default_factory=list)
    call: AttentionCall | None = None
    seen: int = 0

    def add(
        self, query: Tensor, key: Tensor, mask: Tensor | None, call: AttentionCall, wanted: Tensor | None = None
    ) -> None:
        """Take note of one call. Runs inside the decoding loop, so it keeps references and computes nothing.

        Parameters
        ----------
        query, key, mask, call
            As `explore.models.attention.Tap` gets them.
        wanted
            Which of the queries to keep, (rows,) int64; None keeps all.
        """
        length, keys = query.shape[2], key.shape[2]
        start, end = self.seen, self.seen + length
        self.seen, self.call = end, call
        if keys == end:
            self.keys = [key]  # the cache holds everything: the newest keys contain the older ones
        elif keys < end:
            # A sliding cache forgets. Copies, because a view would keep the whole cache of each step alive.
            self.keys.append(key[:, :, -length:].clone())
        else:
            raise CheckpointError(
                f"The model's cache hands {keys} keys to its attention after {end} positions",
                "Recording needs a cache that grows with the sequence.",
                "Unset cache_implementation in the checkpoint's generation config.",
            )
        if wanted is not None:
            if len(wanted) == 0:
                return
            query = query.index_select(2, wanted.to(query.device))
        if mask is not None:
            mask = mask.expand(-1, -1, length, -1)
            mask = mask if wanted is None else mask.index_select(2, wanted.to(mask.device))
        self.steps.append(Step(query, wanted, start, end, keys, mask, call.causal))

    def rows(self) -> Tensor:
        """Attention weights of all wanted rows, (batch, heads, rows, positions) in at least single precision.

        Columns a row cannot see are zero; the others sum to 1.
        """
        assert self.steps, "no wanted query was seen"
        exact = torch.promote_types(self.keys[0].dtype, torch.float32)
        key = torch.cat(self.keys, dim=2).to(exact)
        query = torch.cat([step.query for step in self.steps], dim=2)
        key = key.repeat_interleave(query.shape[1] // key.shape[1], dim=1)
        bias = self._bias(key.shape[2])
        chunk = max(1, _CHUNK_BYTES // (4 * query.shape[0] * query.shape[1] * key.shape[2]))
        return torch.cat(
            [
                self._weights(query[:, :, at : at + chunk].to(exact), key, bias[:, :, at : at + chunk])
                for at in range(0, query.shape[2], chunk)
            ],
            dim=2,
        )

    def _weights(self, query: Tensor, key: Tensor, bias: Tensor) -> Tensor:
        assert self.call is not None
        scores = query @ key.transpose(2, 3) * self.call.scaling
        if self.call.softcap is not None:
            scores = torch.tanh(scores / self.call.softcap) * self.call.softcap
        return torch.softmax(scores + bias, dim=-1)

    def _bias(self, positions: int) -> Tensor:
        if all(step.mask is None and step.keys == step.end for step in self.steps):
            # The ordinary case, one comparison for all steps: each row sees what stands before it.
            reach = torch.cat([step.reach() for step in self.steps])
            ahead = torch.arange(positions, device=reach.device)[None, :] > reach[:, None]
            return torch.zeros(ahead.shape, device=reach.device).masked_fill(ahead, _BLOCKED)[None, None]
        parts = [step.bias(positions) for step in self.steps]
        batch, heads = max(part.shape[0] for part in parts), max(part.shape[1] for part in parts)
        return torch.cat([part.expand(batch, heads, -1, -1) for part in parts], dim=2)
