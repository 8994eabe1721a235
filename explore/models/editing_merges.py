"""Means of groups of tokens, put in the place of each group's first token before the others leave the sequence."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from explore.errors import CheckpointError
from explore.models.editing_program import Program
from explore.models.families.base import Family


@contextmanager
def merging(family: Family, program: Program) -> Iterator[None]:
    """While this is open, calls that hold all of the prompt's tokens go on with means in the groups' first places.

    To be entered before the tokens are dropped, with the same groups.
    """
    if not program.merged:
        yield
        return
    module = family.layers[program.site] if program.site else family.text_model
    name = "hidden_states" if program.site else "inputs_embeds"
    last = max(group[-1] for group in program.merged)

    def before(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        given = {**dict(zip(inspect.signature(module.forward).parameters, args, strict=False)), **kwargs}
        states = given.get(name)
        if not isinstance(states, Tensor) or given.get("pixel_values") is not None:
            if given.get("input_ids") is not None and given["input_ids"].shape[1] <= last:
                return None  # a step of generation
            raise CheckpointError(
                f"{type(module).__name__} puts pictures into its embeddings by itself",
                "Tokens can be merged where embeddings are handed to the decoder.",
                "Merge them at a later layer.",
            )
        if states.shape[1] <= last:
            return None
        made = states.clone()
        for group in program.merged:
            made[:, group[0]] = states.index_select(1, torch.tensor(group, device=states.device)).mean(dim=1)
        return (), {**given, name: made}

    handle = module.register_forward_pre_hook(before, with_kwargs=True)
    try:
        yield
    finally:
        handle.remove()
