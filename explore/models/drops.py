"""Visual tokens that the decoder does without: really taken out of its sequence, not only out of sight.

The model runs in full up to its decoder, so that placeholder counts, position ids and masks are made of the whole
prompt. There, or at the entry of a later layer, everything with a token axis is gathered. Tokens that stay keep their
positions, the answer goes on from the original numbering, and every later layer's cache is short.

What stays is then computed as if the dropped keys were masked in every layer from there on. Three things count tokens
instead of reading their positions, and so reach further back once tokens are gone: sliding windows and chunks of
attention, a choice of the best k keys (there are fewer to choose from), and Llama 4's temperature beyond 8192 tokens.
Source: `specs/pruning.md` §4.1 to §4.4.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, MutableMapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch import Tensor, nn

from explore.errors import CheckpointError, ParameterError
from explore.models.droppable import kept_positions, require_droppable
from explore.models.families.base import Family
from explore.models.gathering import gathered, gathered_mask

# What a layer is given by the layers before it, which goes without tokens as soon as they do.
_OF_LAYERS_BEFORE = ("hidden_states", "prev_topk_indices", "shared_kv_states")


@contextmanager
def dropped(
    family: Family, visual: np.ndarray, kept: np.ndarray | Sequence[int], *, layer: int = 0
) -> Iterator[np.ndarray]:
    """While this is open the decoder runs every sequence that begins with the prompt without the tokens not kept.

    A sequence begins where there is no cache or an empty one; what comes after the prompt is never dropped. All rows
    of a batch lose the same positions. An answer's positions count on from the prompt's last, whatever the length of
    the cache.

    Parameters
    ----------
    family
        The loaded model.
    visual
        Which tokens of the prompt are visual, (prompt_tokens,) bool, as `Family.visual_mask` says.
    kept
        Which tokens of the prompt stay: (prompt_tokens,) bool, or their positions in ascending order.
    layer
        The first decoder layer that goes without the others; 0 is all of the decoder.

    Yields
    ------
    positions : np.ndarray
        The kept positions of the prompt, (kept_tokens,) int64 ascending.

    Raises
    ------
    ParameterError
        A token that is not visual would go, or the arguments do not fit the prompt, the decoder or each other.
    CheckpointError
        This decoder carries tokens on otherwise than by attention, or is given something with unknown tokens.
    """
    positions = kept_positions(np.asarray(visual), np.asarray(kept))
    require_droppable(family)
    if not 0 <= layer < len(family.layers):
        raise ParameterError(f"layer={layer} was given", f"The decoder has the layers 0 to {len(family.layers) - 1}.")
    drop = _Drop(family, torch.from_numpy(positions), len(visual), layer)
    with ExitStack() as stack:
        stack.callback(family.text_model.register_forward_pre_hook(drop.enter_decoder, with_kwargs=True).remove)
        stack.callback(family.text_model.register_forward_hook(drop.leave_decoder).remove)
        for module in family.layers[layer:] if layer else ():
            stack.callback(module.register_forward_pre_hook(drop.enter_layer, with_kwargs=True).remove)
        yield positions


class _Drop:
    """The hooks of one `dropped`; from one call to the next it remembers only at what position each cache begins."""

    def __init__(self, family: Family, positions: Tensor, prompt: int, layer: int) -> None:
        self._family, self._positions, self._prompt, self._layer = family, positions, prompt, layer
        self._first = family.layers[layer]
        self._beginning, self._full = True, 0
        # Last position ids of a short cache's beginning, (..., 1), and how many tokens it had.
        self._end: tuple[Tensor, int] | None = None
        self._ends: MutableMapping[Any, tuple[Tensor, int]] = WeakKeyDictionary()

    @property
    def _missing(self) -> int:
        return self._prompt - len(self._positions)

    def enter_decoder(self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Forward pre-hook of the decoder."""
        given = _named(module, args, kwargs)
        tokens = given["inputs_embeds"] if given.get("inputs_embeds") is not None else given["input_ids"]
        cache, length = given.get("past_key_values"), tokens.shape[1]
        if getattr(cache, "is_compileable", False):
            raise ParameterError("The cache has a fixed size", "Tokens can be dropped with a cache that grows.")
        seen = 0 if cache is None else int(cache.get_seq_length())
        self._beginning, self._end = seen == 0, None
        self._full = length + seen + (self._missing if seen and not self._layer else 0)
        if self._beginning and length < self._prompt:
            raise ParameterError(
                f"The decoder was given {length} tokens to begin with",
                f"visual and kept describe a prompt of {self._prompt}.",
                "Give all of the prompt at once, and the masks of this very prompt.",
            )
        if self._layer:
            _require_features_before(given, self._layer)
            return None
        if not self._beginning:
            return (), self._continued(module, given, tokens, seen)
        if given.get("position_ids") is None:
            given["position_ids"] = numbered(module, tokens, 0)
        if given.get("attention_mask") is None and cache is None:
            # With neither, the library takes every gap in the positions for the start of another packed sequence.
            given["attention_mask"] = torch.ones(tokens.shape[:2], dtype=torch.long, device=tokens.device)
        self._end = (given["position_ids"][..., -1:], length - self._missing)
        return (), gathered(module, _merged(module, given), self._index())

    def leave_decoder(self, module: nn.Module, args: Any, output: Any) -> None:
        """Forward hook of the decoder, which may have made the cache."""
        cache = getattr(output, "past_key_values", None)
        if self._end is not None and cache is not None:
            self._ends[cache] = self._end
        self._end = None

    def enter_layer(self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Forward pre-hook of every decoder layer that goes without tokens."""
        given = _named(module, args, kwargs)
        if not self._beginning:
            given["attention_mask"] = self._narrowed(given.get("attention_mask"))
            return (), given
        made_before = {name: given.pop(name) for name in _OF_LAYERS_BEFORE if name in given}
        if module is self._first:
            if made_before.pop("prev_topk_indices", None) is not None or made_before.get("shared_kv_states"):
                raise CheckpointError(
                    f"Layers of {type(self._family.text_model).__name__} use keys of layers before layer {self._layer}",
                    "Such keys would be those of all tokens.",
                    "Drop them in all layers: layer=0.",
                )
            given["hidden_states"] = made_before.pop("hidden_states")
        return (), {**made_before, **gathered(module, given, self._index())}

    def _continued(self, module: nn.Module, given: dict[str, Any], tokens: Tensor, seen: int) -> dict[str, Any]:
        """Arguments of a call that goes on from a short cache of `seen` tokens."""
        given["attention_mask"] = self._narrowed(given.get("attention_mask"))
        begun = self._ends.get(given["past_key_values"])
        if begun is not None:
            # Whatever ids came may have been counted from the length of the cache.
            last, length = begun
            given["position_ids"] = last + torch.arange(1, tokens.shape[1] + 1, device=last.device) + (seen - length)
        elif given.get("position_ids") is None:
            given["position_ids"] = numbered(module, tokens, self._full - tokens.shape[1])
        return given

    def _narrowed(self, mask: Any) -> Any:
        """A mask over all tokens, less the columns of the dropped; one made from the short cache is right already."""
        if isinstance(mask, dict):
            return {name: self._narrowed(each) for name, each in mask.items()}
        full = isinstance(mask, Tensor) and mask.shape[-1] == self._full
        return gathered_mask(mask, self._index(), rows=False) if full else mask

    def _index(self) -> Tensor:
        """Positions that stay of all `self._full`, prompt and what came after it."""
        return torch.cat([self._positions, torch.arange(self._prompt, self._full)])


def _named(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """All arguments by name."""
    return {**dict(zip(inspect.signature(module.forward).parameters, args, strict=False)), **kwargs}


def numbered(module: nn.Module, tokens: Tensor, first: int) -> Tensor:
    """Position ids as the decoder would count them by itself, (1 or batch, tokens)."""
    table: Any = getattr(module, "embed_positions", None)
    if hasattr(table, "create_position_ids_from_input_ids") and tokens.ndim == 2:
        found: Tensor = table.create_position_ids_from_input_ids(tokens, table.padding_idx, first)
        return found
    if hasattr(table, "create_position_ids_from_inputs_embeds") and tokens.ndim == 3:
        counted: Tensor = table.create_position_ids_from_inputs_embeds(tokens, first, table.padding_idx)
        return counted
    return torch.arange(first, first + tokens.shape[1], device=tokens.device)[None]


def _merged(module: nn.Module, given: dict[str, Any]) -> dict[str, Any]:
    """For a decoder that puts pictures into its embeddings by itself: the arguments with them in place."""
    pixels, encoded = given.pop("pixel_values", None), given.pop("mm_encoder_outputs", None) or {}
    if pixels is None and not encoded.get("image"):
        return given
    decoder: Any = module
    image = encoded.get("image") or decoder.get_image_features(pixels, return_dict=True)
    ids, embeds = given.pop("input_ids", None), given.get("inputs_embeds")
    embeds = decoder.get_input_embeddings()(ids) if embeds is None else embeds
    features = image.pooler_output.to(embeds)
    places = decoder.get_placeholder_mask(ids, inputs_embeds=embeds, image_features=features)
    return {**given, "inputs_embeds": embeds.masked_scatter(places, features)}


def _require_features_before(given: dict[str, Any], layer: int) -> None:
    """Refuse a layer behind which the decoder still adds features of all visual tokens."""
    ends = 0
    if given.get("deepstack_visual_embeds") is not None:
        ends = len(given["deepstack_visual_embeds"])  # entry i is added behind layer i
    if given.get("deepstack_features") is not None:
        ends = max(given["deepstack_features"], default=0)  # entry i is added before layer i
    if layer < ends:
        raise ParameterError(
            f"layer={layer} was given, but this decoder adds visual features as far as layer {ends}",
            f"Allowed are 0 and layers from {ends} on.",
        )
