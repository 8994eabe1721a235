"""The attention function that lets a run be watched without changing it.

Models are never asked for their attentions: that would make them build (heads, N, N) weights in every layer. Instead
one attention function is registered with transformers under its own name. It hands the work to SDPA and, only while a
`Tap` listens, shows it the queries and keys (after rotary embedding and cache update), from which the wanted rows are
computed later (`explore.models.rows`).

A mask function is registered under the same name; without one transformers passes no mask at all, and padding and
image blocks would silently be ignored.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

from explore.errors import CheckpointError
from explore.models.attention_roles import AttentionCall, Beginning, Editor, Keeper, Tap
from explore.models.edges import without_cut_edges

NAME = "vlmscope"

# Extra inputs that change the weights in ways neither SDPA nor the row recipe knows. Ignoring one would be a wrong
# answer that looks right.
_UNKNOWN = ("s_aux", "sinks", "cache", "head_mask", "block_mask")


_listening: ContextVar[Tap | None] = ContextVar("vlmscope_tap", default=None)
_keeping: ContextVar[Keeper | None] = ContextVar("vlmscope_keeper", default=None)
_editing: ContextVar[Editor | None] = ContextVar("vlmscope_editor", default=None)
_beginning: ContextVar[Beginning | None] = ContextVar("vlmscope_beginning", default=None)


def watched_attention(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float | None = None,
    dropout: float = 0.0,
    softcap: float | None = None,
    sliding_window: int | None = None,
    is_causal: bool | None = None,
    position_bias: Tensor | None = None,
    **kwargs: Any,
) -> tuple[Tensor, None]:
    """SDPA, watched. Shapes as in `Tap.attend`; returns the output as (batch, queries, heads, head_width).

    Raises
    ------
    CheckpointError
        The model passes an input to its attention that neither SDPA nor the recorded rows would honour.
    """
    for name in _UNKNOWN:
        if kwargs.get(name) is not None:
            raise CheckpointError(
                f"{type(module).__name__} passes '{name}' to its attention, which cannot be recorded faithfully",
                "Recording knows masks, sliding windows, scaling and soft caps.",
                "Use a model without it, or run the model outside the toolkit.",
            )
    scale = query.shape[-1] ** -0.5 if scaling is None else scaling
    causal = query.shape[2] > 1 and bool(getattr(module, "is_causal", True) if is_causal is None else is_causal)
    beginning, editor = _beginning.get(), _editing.get()
    keys = key.shape[2]
    if beginning is not None:
        attention_mask, keys = beginning.mask(query.device), keys + beginning.length
    elif position_bias is not None:
        attention_mask = _biased(attention_mask, position_bias, causal)
    attention_mask = without_cut_edges(attention_mask, query.shape[2], keys, causal, query.device)
    if editor is not None:
        attention_mask = editor.mask(query, key, attention_mask, causal, keys)
    call = AttentionCall(scale, softcap, causal)
    tap, keeper = _listening.get(), _keeping.get()
    if tap is not None:
        tap.attend(query, key, attention_mask, call)
    if beginning is not None:
        assert attention_mask is not None
        output = beginning.attend(query, key, value, attention_mask, call)
    elif softcap is not None:
        output = _capped_attention(module, query, key, value, attention_mask, scale, softcap, is_causal)
    else:
        output, _ = sdpa_attention_forward(
            module, query, key, value, attention_mask, dropout=dropout, scaling=scaling, is_causal=is_causal
        )
    if editor is not None and editor.zeroes:
        whole = (key, value) if beginning is None else beginning.whole(key, value)
        output = editor.output(query, *whole, attention_mask, call, output)
    if keeper is not None:
        keeper.keep(query, key, value, attention_mask, call, output)
    return output, None


def _biased(mask: Tensor | None, bias: Tensor, causal: bool) -> Tensor:
    """A mask to be added that holds both what the model blocks and its bias, (batch, heads, queries, keys)."""
    queries, keys = bias.shape[-2:]
    if mask is None and causal:
        mask = torch.ones(queries, keys, dtype=torch.bool, device=bias.device).tril(keys - queries)
    if mask is None:
        return bias
    return torch.where(mask, bias, torch.finfo(bias.dtype).min) if mask.dtype == torch.bool else bias + mask


def _capped_attention(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor | None,
    scaling: float,
    softcap: float,
    is_causal: bool | None,
) -> Tensor:
    """Attention with scores squashed to ±softcap, which SDPA cannot do; (batch, queries, heads, head_width)."""
    groups = query.shape[1] // key.shape[1]
    key, value = key.repeat_interleave(groups, dim=1), value.repeat_interleave(groups, dim=1)
    scores = torch.tanh(query @ key.transpose(2, 3) * (scaling / softcap)) * softcap
    causal = bool(getattr(module, "is_causal", True) if is_causal is None else is_causal)
    if mask is None and causal and query.shape[2] > 1:
        length, width = scores.shape[-2:]
        mask = torch.ones(length, width, dtype=torch.bool, device=scores.device).tril(width - length)
    if mask is not None:
        blocked = torch.finfo(scores.dtype).min
        scores = scores.masked_fill(~mask, blocked) if mask.dtype == torch.bool else scores + mask
    weights = torch.softmax(scores, dim=-1, dtype=torch.float32).to(query.dtype)
    return (weights @ value).transpose(1, 2).contiguous()


# The registries are global to the process, so the name is ours alone and is written once, here.
AttentionInterface.register(NAME, watched_attention)
AttentionMaskInterface.register(NAME, sdpa_mask)


@contextmanager
def watching(tap: Tap) -> Iterator[None]:
    """Let `tap` listen to every watched attention call of this thread."""
    token = _listening.set(tap)
    try:
        yield
    finally:
        _listening.reset(token)


@contextmanager
def keeping(keeper: Keeper) -> Iterator[None]:
    """Let `keeper` keep every watched attention call of this thread."""
    token = _keeping.set(keeper)
    try:
        yield
    finally:
        _keeping.reset(token)


@contextmanager
def editing_attention(editor: Editor) -> Iterator[None]:
    """Let `editor` change every watched attention call of this thread."""
    token = _editing.set(editor)
    try:
        yield
    finally:
        _editing.reset(token)


@contextmanager
def continued_from(beginning: Beginning) -> Iterator[None]:
    """Every watched attention call of this thread goes on from a beginning that is not run again."""
    token = _beginning.set(beginning)
    try:
        yield
    finally:
        _beginning.reset(token)


@contextmanager
def watched(model: nn.Module) -> Iterator[None]:
    """Select the watched attention on this (sub)model, and put back what was selected before, whatever happens.

    Parameters
    ----------
    model
        The text model or the vision tower; other parts of the network keep their attention.

    Raises
    ------
    CheckpointError
        The model does not take its attention from transformers' registry.
    """
    configs = _attention_configs(model)
    before = [config._attn_implementation for config in configs]
    unknown = sorted({str(name) for name in before} - {"sdpa", "eager", NAME})
    if unknown or not configs:
        raise CheckpointError(
            f"{type(model).__name__} runs with the attention implementation {', '.join(unknown) or 'of its own'}",
            "Recording works with models that run under 'sdpa' or 'eager'.",
            "Load the checkpoint through explore.load(), which selects sdpa.",
        )
    try:
        for config in configs:
            config._attn_implementation_internal = NAME
        yield
    finally:
        for config, name in zip(configs, before, strict=True):
            config._attn_implementation_internal = name


def _attention_configs(model: nn.Module) -> list[Any]:
    """Every distinct config that attention modules inside `model` read their implementation from."""
    found: dict[int, Any] = {}
    for module in model.modules():
        config = getattr(module, "config", None)
        if config is not None and hasattr(config, "_attn_implementation_internal"):
            found[id(config)] = config
    return list(found.values())
