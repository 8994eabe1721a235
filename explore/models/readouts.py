"""What a state's parts say for single tokens: norm and head at one position, as directions.

Source: `specs/information-flow.md` §5.6.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from explore.models.heads import OutputHead
from explore.models.linear_norms import linearised
from explore.models.placement import readable

_UNIT_ROWS = 64  # unit vectors that go through a head at once whose weights cannot be read


@dataclass(frozen=True, eq=False)
class LinearReadout:
    """See `explore.runs.ReadoutLike`; made by `Replay.readout`."""

    directions: Tensor
    constant: Tensor
    logits: Tensor
    cap: float | None


def readout_at(head: OutputHead, norm: nn.Module, state: Tensor, normed: Tensor, ids: Sequence[int]) -> LinearReadout:
    """Norm and head held still at one state.

    Parameters
    ----------
    head, norm
        Of the model.
    state, normed
        Before and after the final norm, (width,), in the model's number type.
    ids
        Token ids.

    Raises
    ------
    CheckpointError
        It is no norm that can be held still.
    """
    still = linearised(norm, state[None])
    weight, bias = _columns(head.module, torch.tensor([int(each) for each in ids]), normed)
    factor = head.squash.factor
    directions = still.backwards(weight.to(state.device)) * factor
    constant = (weight @ still.shift.to(weight.device) + bias) * factor
    logits = (weight @ normed.float().to(weight.device) + bias) * factor
    return LinearReadout(directions, constant.to(state.device), logits.to(state.device), head.squash.cap)


def _columns(module: nn.Module, ids: Tensor, like: Tensor) -> tuple[Tensor, Tensor]:
    """The head's rows (ids, width) and bias (ids,) of some tokens, float32."""
    plain = readable(module)
    if plain is not None:
        ids = ids.to(plain.weight.device)
        weight = plain.weight.detach().index_select(0, ids).float()
        bias = weight.new_zeros(len(ids)) if plain.bias is None else plain.bias.detach().index_select(0, ids).float()
        return weight, bias
    width, parts = like.shape[-1], list[Tensor]()
    bias = module(torch.zeros_like(like)[None])[0][ids.to(like.device)].float()
    for at in range(0, width, _UNIT_ROWS):
        units = torch.eye(width, device=like.device, dtype=like.dtype)[at : at + _UNIT_ROWS]
        parts.append(module(units)[:, ids.to(like.device)].float() - bias)
    return torch.cat(parts).T, bias
