"""The beginning of a sequence run once, so that variants of it run only from the first position that they change.

Keys and values of every attention call of the whole run are kept. A variant's call is then handed its own last
positions only, and attends to kept keys and its own: as a step of generation does, but under the model's own mask for
these rows and for any number of them, and without a cache, so that windows, shared keys and blocks stay as they were.
Source: `specs/information-flow.md` §4.3.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from explore.models.attention import AttentionCall

_CHUNK_BYTES = 64 << 20  # float32 scores held at once


@dataclass(frozen=True, eq=False)
class KeptCall:
    """One attention call of the whole run: key and value (1, kv_heads, positions, head_width), its mask, None = causal
    if `causal`."""

    key: Tensor
    value: Tensor
    mask: Tensor | None
    causal: bool


@dataclass(eq=False)
class WholeRun:
    """Every attention call of one run over the whole sequence; a `Keeper`."""

    calls: list[KeptCall] = field(default_factory=list)

    def keep(
        self, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, call: AttentionCall, output: Tensor
    ) -> None:
        """See `explore.models.attention.Keeper`."""
        self.calls.append(KeptCall(key, value, mask, call.causal))

    @property
    def complete(self) -> bool:
        """Whether every call had all positions as keys, which a beginning can be taken of."""
        return len({call.key.shape[2] for call in self.calls}) == 1

    def starts(self) -> Tensor:
        """Where a variant may begin: no position before sees one from there on, (positions + 1,) bool."""
        length = self.calls[0].key.shape[2]
        reach = torch.arange(length)
        for mask in {id(call.mask): call.mask for call in self.calls if call.mask is not None}.values():
            seen = mask if mask.dtype == torch.bool else mask > 0.5 * torch.finfo(mask.dtype).min
            seen = seen.expand(-1, -1, length, -1).any(dim=0).any(dim=0).cpu()
            last = (seen * torch.arange(1, length + 1)).amax(dim=-1) - 1
            reach = torch.maximum(reach, last)
        if any(call.mask is None and not call.causal for call in self.calls):
            reach[:] = length - 1
        before = torch.cat([torch.tensor([-1]), reach.cummax(dim=0).values])
        return before < torch.arange(length + 1)


class KeptBeginning:
    """The first `length` positions of a whole run; see `explore.models.attention.Beginning`.

    Parameters
    ----------
    run
        The run.
    length
        How many positions are not run again.
    """

    def __init__(self, run: WholeRun, length: int) -> None:
        self._calls, self._length, self._at = run.calls, length, 0

    @property
    def length(self) -> int:
        """Its positions."""
        return self._length

    @property
    def _call(self) -> KeptCall:
        return self._calls[self._at]

    def begin(self) -> None:
        """The next call is the first of a forward pass."""
        self._at = 0

    def mask(self, device: torch.device) -> Tensor:
        """The whole run's mask of the positions behind the beginning, (1, heads or 1, queries, keys)."""
        call, keys = self._call, self._call.key.shape[2]
        if call.mask is not None:
            return call.mask.expand(-1, -1, keys, -1)[:, :, self._length :].to(device)
        seen = torch.ones(keys - self._length, keys, dtype=torch.bool, device=device)
        return (seen.tril(self._length) if call.causal else seen)[None, None]

    def whole(self, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        """Keys and values of all positions of the call that just ran, (batch, kv_heads, keys, head_width)."""
        call = self._calls[self._at - 1]
        kept = (each[:, :, : self._length].expand(len(key), -1, -1, -1) for each in (call.key, call.value))
        old_key, old_value = kept
        return torch.cat([old_key, key], dim=2), torch.cat([old_value, value], dim=2)

    def attend(self, query: Tensor, key: Tensor, value: Tensor, mask: Tensor, call: AttentionCall) -> Tensor:
        """The output over all keys, (batch, queries, heads, head_width).

        The beginning is the same for all sequences of the batch, so their queries are multiplied with it together.
        """
        kept, self._at = self._call, self._at + 1
        batch, heads, rows = query.shape[:3]
        shared, groups = key.shape[1], heads // key.shape[1]
        old_key, old_value = kept.key[0, :, : self._length], kept.value[0, :, : self._length]
        split = query.unflatten(1, (shared, groups))  # (batch, kv_heads, groups, rows, head_width)
        keys = self._length + key.shape[2]
        chunk = max(1, _CHUNK_BYTES // (4 * batch * heads * keys))
        mask = mask.expand(-1, -1, rows, -1)
        found = query.new_empty(batch, rows, heads, value.shape[3])
        for at in range(0, rows, chunk):
            part = split[:, :, :, at : at + chunk]
            together = part.permute(1, 0, 2, 3, 4).flatten(1, 3)  # (kv_heads, batch * groups * rows, head_width)
            before = (together @ old_key.transpose(1, 2)).unflatten(1, (batch, groups, -1)).transpose(0, 1)
            own = part @ key[:, :, None].transpose(3, 4)
            scores = torch.cat([before, own], dim=-1).float() * call.scaling
            weights = _weights(scores.flatten(1, 2), mask[:, :, at : at + chunk], call).to(query.dtype)
            weights = weights.unflatten(1, (shared, groups))
            written = weights[..., : self._length].transpose(0, 1).flatten(1, 3) @ old_value
            said = written.unflatten(1, (batch, groups, -1)).transpose(0, 1)
            said = said + weights[..., self._length :] @ value[:, :, None]
            found[:, at : at + chunk] = said.flatten(1, 2).transpose(1, 2)
        return found


def _weights(scores: Tensor, mask: Tensor, call: AttentionCall) -> Tensor:
    """Attention weights (batch, heads, rows, keys) of scaled scores."""
    if call.softcap is not None:
        scores = torch.tanh(scores / call.softcap) * call.softcap
    if mask.dtype == torch.bool:
        return torch.softmax(scores.masked_fill(~mask, torch.finfo(scores.dtype).min), dim=-1)
    return torch.softmax(scores + mask, dim=-1)
