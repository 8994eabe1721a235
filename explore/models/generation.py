"""Greedy generation through the library's own `generate`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor
from transformers import GenerationConfig

from explore.models.families.base import Family


def greedy_config(family: Family, max_new_tokens: int, **more: bool) -> GenerationConfig:
    """Plain greedy decoding: the checkpoint's sampling and penalties are set aside, its end tokens are kept."""
    ends = end_ids(family)
    tokenizer = family.processor.tokenizer
    pad = tokenizer.pad_token_id
    return GenerationConfig(
        do_sample=False,
        num_beams=1,
        max_new_tokens=max_new_tokens,
        repetition_penalty=1.0,
        temperature=1.0,
        top_p=1.0,
        top_k=50,
        use_cache=True,
        cache_implementation="dynamic",
        eos_token_id=list(ends) or None,
        pad_token_id=pad if pad is not None else (ends[0] if ends else 0),
        **more,
    )


def end_ids(family: Family) -> tuple[int, ...]:
    """Token ids that end an answer; the tokenizer's own first where it is one of them."""
    configured = getattr(family.model.generation_config, "eos_token_id", None)
    own = family.processor.tokenizer.eos_token_id
    found = [] if configured is None else [configured] if isinstance(configured, int) else list(configured)
    if own is not None and (not found or own in found):
        found.insert(0, own)
    return tuple(dict.fromkeys(int(each) for each in found))


def generate(family: Family, tensors: dict[str, Any], max_new_tokens: int, *, logits: bool) -> tuple[list[int], Tensor]:
    """Generate one answer.

    Parameters
    ----------
    family
        The loaded model.
    tensors
        The prompt's inputs on the model's device, batch of one.
    max_new_tokens
        Most tokens the answer may have.
    logits
        Whether to keep the logits that predicted each token.

    Returns
    -------
    ids : list of int
        The answer's tokens, the end token included where one was made.
    logits : Tensor
        (answer_tokens, vocabulary) float32 raw logits; empty if they were not wanted.
    """
    config = greedy_config(family, max_new_tokens, return_dict_in_generate=True, output_logits=logits)
    with _nothing_else(family):
        made = family.model.generate(**tensors, generation_config=config)
    prompt = tensors["input_ids"].shape[1]
    ids = made.sequences[0, prompt:].tolist()
    return ids, torch.cat(made.logits)[: len(ids)] if logits else torch.empty(0)


def generate_batch(
    family: Family, tensors: dict[str, Any], max_new_tokens: int, room: Sequence[int] | None = None
) -> list[str]:
    """Answers of a left-padded batch, special tokens and outer spaces removed.

    Parameters
    ----------
    room
        Tokens the context has left for each answer: every one is cut off where it would be alone.
    """
    room = [max_new_tokens] * len(tensors["input_ids"]) if room is None else room
    config = greedy_config(family, min(max_new_tokens, max(room)))
    with _nothing_else(family):
        made = family.model.generate(**tensors, generation_config=config)
    new = made[:, tensors["input_ids"].shape[1] :]
    cut = [row[:most] for row, most in zip(new.tolist(), room, strict=True)]
    return [text.strip() for text in family.processor.tokenizer.batch_decode(cut, skip_special_tokens=True)]


@contextmanager
def _nothing_else(family: Family) -> Iterator[None]:
    """Set the checkpoint's own generation config aside.

    The library fills every field that ours leaves open from it: a checkpoint's penalties, forbidden words or minimal
    lengths would change what is called greedy.
    """
    own, family.model.generation_config = family.model.generation_config, GenerationConfig()
    try:
        yield
    finally:
        family.model.generation_config = own


@contextmanager
def checked_layers(layers: Sequence[Any], check: Callable[[], None]) -> Iterator[None]:
    """Call `check` before every decoder layer, so that a run can be stopped in the middle."""

    def before_layer(module: Any, args: Any) -> None:
        check()

    with ExitStack() as stack:
        for layer in layers:
            stack.callback(layer.register_forward_pre_hook(before_layer).remove)
        yield
