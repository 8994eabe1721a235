"""Text encoders of image pipelines: prompts to the very states that the image model is given.

Source: Kaplan et al., Follow the Flow, arXiv 2504.01137; `specs/information-flow.md` §3.9.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from explore.edits import Edit
from explore.errors import CheckpointError, ContextLengthError, ParameterError
from explore.models.attention import editing_attention, watched
from explore.models.fingerprints import digest, versions
from explore.models.guards import memory_errors
from explore.models.placement import input_device
from explore.models.text_encoder_cuts import EncoderCuts
from explore.models.text_encoder_kinds import encoder_parts
from explore.prompt_states import PromptStates, PromptTokens


class TextEncoder:
    """One loaded text encoder with its tokenizer; see `explore.runs.TextEncoderLike`.

    Parameters
    ----------
    model, tokenizer
        As transformers loads them; the tokenizer is a fast one.
    checkpoint, revision
        Where they came from, for the fingerprint.
    lock
        Held during every run.

    Raises
    ------
    CheckpointError
        The model is no text encoder that is known, or the tokenizer tells no offsets or has nothing to fill up with.
    """

    def __init__(
        self, model: Any, tokenizer: Any, *, checkpoint: str = "", revision: str = "", lock: Any = None
    ) -> None:
        self._model, self._tokenizer = model.eval().requires_grad_(False), tokenizer
        self._parts = encoder_parts(model, tokenizer)
        self._lock = threading.RLock() if lock is None else lock
        self._from = {"checkpoint": checkpoint, "revision": revision}
        pad = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else tokenizer.eos_token_id
        if not tokenizer.is_fast or pad is None:
            raise CheckpointError(
                f"The tokenizer {type(tokenizer).__name__} tells no offsets, or has neither a pad nor an end token",
                "Items are found by the characters their tokens stand for.",
                "Save the checkpoint with a fast tokenizer (tokenizer.json).",
            )
        self._pad = int(pad)

    @property
    def kind(self) -> str:
        """ "clip", "t5" or "decoder"."""
        return self._parts.kind

    @property
    def causal(self) -> bool:
        """Whether no position sees those behind it."""
        return self._parts.causal

    @property
    def layers(self) -> int:
        """Layers of the encoder."""
        return len(self._parts.layers)

    @property
    def fingerprint(self) -> dict[str, Any]:
        """What identifies the encoder: checkpoint, revision, kind, dtype, device and versions."""
        where = input_device(self._model).type
        numbers = str(self._model.dtype).removeprefix("torch.")
        return {**self._from, "kind": self.kind, "dtype": numbers, "device": where, "versions": dict(versions())}

    def tokenize(self, prompt: str | Sequence[int] | np.ndarray, *, length: int | None = None) -> PromptTokens:
        """A prompt as tokens, filled up on the right to the length that the pipelines of this kind take.

        Parameters
        ----------
        prompt
            Text, or token ids with everything the encoder expects around them; these have no offsets.
        length
            Positions; None is the kind's own (CLIP 77, T5 512, decoders 300, or less where the tokenizer says so).

        Raises
        ------
        ParameterError
            The length is not positive, or an id is not in the vocabulary.
        ContextLengthError
            The prompt is longer; nothing is cut off silently.
        """
        size = self._parts.length if length is None else length
        if size < 1:
            raise ParameterError(f"length={length} was given", "A prompt has at least one position.")
        if isinstance(prompt, str):
            made = self._tokenizer(
                prompt, return_offsets_mapping=True, return_special_tokens_mask=True, verbose=False, truncation=False
            )
            ids, special = list(made["input_ids"]), np.array(made["special_tokens_mask"], bool)
            offsets = np.array(made["offset_mapping"], np.int64).reshape(-1, 2)
        else:
            ids, known = [int(each) for each in prompt], set(self._tokenizer.all_special_ids)
            special, offsets = np.array([each in known for each in ids], bool), np.full((len(ids), 2), -1)
            rows = self._model.get_input_embeddings().num_embeddings
            if not all(0 <= each < rows for each in ids):
                raise ParameterError(f"The token ids {ids} were given", f"They are 0 to {rows - 1}.")
        if len(ids) > size:
            raise ContextLengthError(
                f"The prompt has {len(ids)} tokens and {size} positions", "", "Shorten it, or give a longer length=."
            )
        more = size - len(ids)
        offsets[special] = -1
        texts = tuple(self._tokenizer.decode([each], clean_up_tokenization_spaces=False) for each in ids)
        return PromptTokens(
            prompt if isinstance(prompt, str) else "",
            np.array(ids + [self._pad] * more, np.int64),
            np.concatenate([offsets, np.full((more, 2), -1, np.int64)]),
            np.concatenate([special, np.zeros(more, bool)]),
            np.arange(size) >= len(ids),
            texts + ("",) * more,
            self._pad,
        )

    def encode(
        self,
        prompt: str | Sequence[int] | np.ndarray | PromptTokens,
        *,
        length: int | None = None,
        layer: int | None = None,
        norm: bool | None = None,
        mask: bool | None = None,
        edits: Sequence[Edit] = (),
    ) -> PromptStates:
        """States of a prompt as a pipeline takes them.

        Parameters
        ----------
        prompt
            As for `tokenize`, or what it made, changed or not.
        length
            As for `tokenize`; not looked at where tokens are given.
        layer
            0 (the embeddings) to L (before the final norm); negative ones count from L as -1. None is L.
        norm
            Whether the final norm is applied; None: yes for L, no for other layers.
        mask
            Whether pads are hidden from attention; None is what the pipelines of this kind do.
        edits
            Edges to cut, `explore.edits.CutEdges`; positions are those of the tokens.

        Raises
        ------
        ParameterError
            There is no such layer, or an edit does something else than cut edges.
        ContextLengthError, OutOfMemoryError
        """
        tokens = prompt if isinstance(prompt, PromptTokens) else self.tokenize(prompt, length=length)
        depth, wanted = self.layers, -1 if layer is None else int(layer)
        wanted = wanted + depth + 1 if wanted < 0 else wanted
        if not 0 <= wanted <= depth:
            raise ParameterError(f"layer={layer} was given", f"Layers are 0 to {depth}, or -{depth + 1} to -1.")
        normed = wanted == depth if norm is None else norm
        masked = self._parts.masked if mask is None else mask
        seen = None
        if masked:
            seen = ~tokens.pads
            seen[0] |= not seen.any()  # an empty prompt without any control token: attention needs one key
        cuts = EncoderCuts(edits, tokens.layout, depth)
        with self._running(cuts):
            found, pooled = self._run(tokens.ids, seen, wanted)
            states = self._parts.norm(found) if normed else found
        cuts.require_all()
        how = {"length": len(tokens), "layer": wanted, "norm": normed, "mask": masked}
        about = {"ids": digest(tokens.ids.tolist()), "edits": [edit.to_json() for edit in edits], **how}
        return PromptStates(
            tokens, _plain(states), pooled, seen, how, {**self.fingerprint, "run": "encode", "encoding": about}
        )

    def __repr__(self) -> str:
        return f"<TextEncoder {self._from['checkpoint'] or type(self._model).__name__}: {self.kind}>"

    def _run(self, ids: np.ndarray, seen: np.ndarray | None, layer: int) -> tuple[Tensor, np.ndarray | None]:
        """Stream entering a layer (positions, width), L before the final norm, and the pooled vector."""
        caught: list[Tensor] = []

        def catch(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
            caught.append(args[0] if args else kwargs["hidden_states"])

        where = input_device(self._model)
        given: dict[str, Any] = {"input_ids": torch.from_numpy(ids)[None].to(where)}
        if seen is not None:
            given["attention_mask"] = torch.from_numpy(seen)[None].long().to(where)
        if self.kind == "decoder":
            given["use_cache"] = False
        module = [*self._parts.layers, self._parts.norm][layer]
        hook = module.register_forward_pre_hook(catch, with_kwargs=True)
        try:
            made = self._parts.core(**given)
        finally:
            hook.remove()
        projected, pooled = getattr(made, "text_embeds", None), getattr(made, "pooler_output", None)
        whole = pooled if projected is None else projected
        return caught[0][0], None if whole is None else _plain(whole[0])

    @contextmanager
    def _running(self, cuts: EncoderCuts) -> Iterator[None]:
        with ExitStack() as stack:
            stack.enter_context(self._lock)
            stack.enter_context(torch.inference_mode())
            stack.enter_context(memory_errors(next="Use a shorter length=, or a model in half precision."))
            stack.enter_context(watched(self._model))
            stack.enter_context(editing_attention(cuts))
            yield


def _plain(values: Tensor) -> np.ndarray:
    return values.float().cpu().numpy()
