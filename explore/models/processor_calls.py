"""One call of the processor for one prompt or several: what a model reads of texts and pictures, and nothing else.

Processors differ in how they take the pictures of several prompts: as a list for each, or all in one list; some read
the two differently, or cannot take several prompts at all. So several prompts are tried, and what comes out is believed
only where every prompt has as many visual tokens as it has alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from PIL import Image

from explore.errors import CheckpointError
from explore.models.failures import processor_failures
from explore.models.families.base import Family
from explore.models.prompts import Prompt

_NOT_INPUTS = ("labels", "video_metadata")


def called(
    family: Family,
    texts: Sequence[str],
    shown: Mapping[str, Any],
    *,
    add_special: bool,
    padding: bool = False,
    **options: Any,
) -> dict[str, Any]:
    """What the processor makes of texts and what they show, with everything the model reads and nothing else.

    Parameters
    ----------
    texts
        Prompts with a placeholder for each picture.
    shown
        The processor's keywords for it, such as "images": all pictures in order, or a list of them for each prompt.
    add_special
        Whether the tokenizer writes its own special tokens.
    padding
        Whether shorter prompts are padded on the left.
    options
        Further switches of the processor.

    Raises
    ------
    CheckpointError
        It could not make inputs of what it was given.
    """
    if padding:
        options |= {"padding": True, "padding_side": "left"}
    with processor_failures(family.processor):
        made = family.processor(
            text=list(texts),
            **shown,
            return_tensors="pt",
            add_special_tokens=add_special,
            **family.processor_options,
            **options,
        )
    # Labels are for training: with them the model would compute a loss over the prompt.
    return {name: value for name, value in made.items() if name not in _NOT_INPUTS}


def called_together(
    family: Family, prompts: Sequence[Prompt], shown: Sequence[Sequence[Image.Image]], visual: Sequence[int]
) -> dict[str, Any] | None:
    """The inputs of several prompts in one batch, padded on the left; None where this processor cannot make them.

    Parameters
    ----------
    prompts, shown
        The prompts and the pictures of each.
    visual
        How many visual tokens each of them has alone.
    """
    texts, each = [prompt.text for prompt in prompts], [list(pictures) for pictures in shown]
    add_special = prompts[0].add_special
    if len(texts) == 1:
        return called(family, texts, {"images": each[0]}, add_special=add_special)
    if not family.together:
        return None
    for images in (each, [picture for pictures in each for picture in pictures]):
        try:
            made = called(family, texts, {"images": images}, add_special=add_special, padding=True)
        except CheckpointError:
            continue  # the other way, or not at all
        if _visual_counts(family, made) == list(visual):
            return made
    return None


def _visual_counts(family: Family, made: dict[str, Any]) -> list[int]:
    """Visual tokens of every prompt of a batch."""
    rows = len(made["input_ids"])
    return [family.visual_count({name: _row(value, row, rows) for name, value in made.items()}) for row in range(rows)]


def _row(value: Any, row: int, rows: int) -> Any:
    """One prompt's part of what has a part for each."""
    return value[row : row + 1] if isinstance(value, torch.Tensor) and value.shape[:1] == (rows,) else value
