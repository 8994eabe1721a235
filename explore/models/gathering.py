"""Which entries of a decoder's arguments belong to which tokens, and how to take only some tokens' entries.

What is not in the tables is passed on if it is no tensor, and refused otherwise: an argument left at full length would
sometimes be an error of shapes, and sometimes a wrong answer.
Source: `specs/pruning.md` §4.1, §4.4.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from explore.errors import CheckpointError

# Where the tokens are, counted from the last axis, in what decoders and their layers are given.
_TOKEN_AXIS = {
    "hidden_states": -2,
    "image_embeds_position_mask": -1,
    "input_ids": -1,
    "inputs_embeds": -2,
    "mm_token_type_ids": -1,
    "moe_mm_token_type_ids": -1,
    "per_layer_input": -2,
    "per_layer_inputs": -3,
    "ple_input_ids": -1,
    "position_embeddings": -2,
    "position_ids": -1,
    "token_type_ids": -1,
    "vision_mask": -2,
    "visual_pos_masks": -1,
}
# What has an entry per visual token instead, in which axis, and the mask over all tokens that says whose it is.
_VISUAL_AXIS = {
    "deepstack_features": (-2, "vision_mask"),
    "deepstack_visual_embeds": (-2, "visual_pos_masks"),
    "image_embeds": (-2, "image_embeds_position_mask"),
}


def gathered(module: nn.Module, given: dict[str, Any], index: Tensor) -> dict[str, Any]:
    """The arguments of a call that begins a sequence, those of the tokens `index` (kept_tokens,) only.

    Parameters
    ----------
    module
        The decoder or one of its layers.
    given
        All its arguments by name.

    Raises
    ------
    CheckpointError
        It is given a tensor whose token axis is not known.
    """
    made = dict(given)
    for name, value in given.items():
        if name in _VISUAL_AXIS and value is not None:
            axis, owners = _VISUAL_AXIS[name]
            made[name] = _each(value, axis, _own_index(given[owners], index, value))
        elif name == "attention_mask":
            made[name] = gathered_mask(value, index, rows=True)
        elif name in _TOKEN_AXIS:
            made[name] = _each(value, _TOKEN_AXIS[name], index)
        elif _holds_tensors(value):
            raise CheckpointError(
                f"{type(module).__name__} is given {name!r}",
                "Where its tokens are is not known, so none can be dropped from it.",
                "Add it to the tables in explore/models/gathering.py.",
            )
    return made


def gathered_mask(mask: Any, index: Tensor, *, rows: bool) -> Any:
    """A mask, or one per type of layer, less columns, and less rows where it has any and `rows` are wanted.

    Masks are (batch, tokens) or (batch, heads or 1, queries, keys).
    """
    if isinstance(mask, dict):
        return {name: gathered_mask(each, index, rows=rows) for name, each in mask.items()}
    if mask is None:
        return None
    narrow = _each(mask, -1, index)
    return _each(narrow, -2, index) if rows and mask.ndim == 4 else narrow


def _each(value: Any, axis: int, index: Tensor) -> Any:
    """The entries `index` of a tensor's axis, or of every tensor in a container."""
    if isinstance(value, dict):
        return {name: _each(each, axis, index) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_each(each, axis, index) for each in value)
    return value.index_select(axis, index.to(value.device)) if isinstance(value, Tensor) else value


def _own_index(owners: Tensor, index: Tensor, value: Any) -> Tensor:
    """Which visual entries belong to tokens that stay.

    `owners` is (batch, tokens) or (batch, tokens, any) and 1 or True at visual tokens. Features of a batch stand one
    sequence after the other (visual_tokens, width), or have an axis for it (batch, visual_tokens, width).
    """
    own = (owners[..., 0] if owners.ndim == 3 else owners) == 1
    stays = torch.zeros(own.shape[1], dtype=torch.bool, device=own.device)
    stays[index.to(own.device)] = True
    rows = own[:1] if isinstance(value, Tensor) and value.ndim == 3 else own
    return torch.nonzero(stays.expand_as(rows)[rows])[:, 0]


def _holds_tensors(value: Any) -> bool:
    if isinstance(value, (dict, list, tuple)):
        return any(_holds_tensors(each) for each in (value.values() if isinstance(value, dict) else value))
    return isinstance(value, Tensor) and value.ndim > 0
