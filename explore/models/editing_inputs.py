"""The decoder's inputs from some position on, and whether its variants may begin there."""

from __future__ import annotations

import torch
from torch import Tensor

from explore.errors import CheckpointError
from explore.models.decoder_inputs import DecoderInputs
from explore.models.droppable import require_droppable
from explore.models.drops import numbered
from explore.models.families.base import Family
from explore.models.gathering import gathered


def can_gather(family: Family, inputs: DecoderInputs) -> bool:
    """Whether it is known which of the decoder's inputs belong to which token."""
    try:
        inputs_of(family, inputs, torch.arange(1))
    except CheckpointError:
        return False
    return True


def counts_no_tokens(family: Family) -> bool:
    """Whether no part of the decoder looks at anything but its own token and what attention brings."""
    try:
        require_droppable(family)
    except CheckpointError:
        return False
    return not any("indexer" in name.rpartition(".")[2] for name, _ in family.text_model.named_modules())


def inputs_of(family: Family, inputs: DecoderInputs, index: Tensor) -> DecoderInputs:
    """What the decoder is fed for the tokens `index` alone, at the positions that they have.

    Raises
    ------
    CheckpointError
        It is given something whose tokens are not known.
    """
    given = {**inputs.others, "inputs_embeds": inputs.embeds}
    if given.get("position_ids") is None:
        given["position_ids"] = numbered(family.text_model, inputs.embeds, 0)
    if given.get("attention_mask") is None:
        given["attention_mask"] = torch.ones(inputs.embeds.shape[:2], dtype=torch.long, device=inputs.embeds.device)
    made = gathered(family.text_model, given, index)
    return DecoderInputs(made.pop("inputs_embeds"), made, inputs.request)
