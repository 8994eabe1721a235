"""What the text decoder was fed for a trace, kept so that it can be fed the same again in many variants.

The vision tower runs once: a run of the whole model is stopped when it hands its merged embeddings to the decoder, and
those keyword arguments are all a variant needs. That way every family's own position ids, masks and extra features are
kept as they are.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from explore.errors import CheckpointError, ParameterError
from explore.models.families.base import Family
from explore.models.info import ModelInfo
from explore.models.inputs import with_answer
from explore.models.prompts import PromptWriter
from explore.models.repeats import is_deep, parts_of, repeated
from explore.models.requests import Request, make_request
from explore.models.videos import Video
from explore.trace import Trace


@dataclass(frozen=True, eq=False)
class DecoderInputs:
    """Keyword arguments of the text decoder for one sequence.

    Parameters
    ----------
    embeds
        Merged embeddings, visual features in place, (1, positions_fed, width).
    others
        Everything else the model passes, for a batch of one.
    request
        The question and pictures they come from.
    """

    embeds: Tensor
    others: dict[str, Any]
    request: Request

    @property
    def deep(self) -> list[Tensor]:
        """Features that are added between layers, each (visual_tokens, width), in the model's own order."""
        return [each for value in self.others.values() for each in parts_of(value) if is_deep(each)]

    def repeated(
        self, count: int, embeds: Tensor | None = None, deep: Sequence[Tensor] | None = None
    ) -> dict[str, Any]:
        """The arguments for a batch of equal sequences.

        Parameters
        ----------
        count
            How many sequences.
        embeds
            Other embeddings, (count, positions_fed, width).
        deep
            Others in place of `self.deep`, each (count, visual_tokens, width).
        """
        given = None if deep is None else iter(deep)
        others = {name: repeated(name, value, count, given) for name, value in self.others.items()}
        if embeds is None:
            embeds = self.embeds.repeat(count, 1, 1)  # some decoders want memory of its own for every sequence
        return {**others, "inputs_embeds": embeds}


class _Reached(Exception):  # noqa: N818 (no failure: it stops the run)
    """The decoder was about to run; what it was given is noted."""


def catch_decoder_inputs(family: Family, writer: PromptWriter, info: ModelInfo, trace: Trace) -> DecoderInputs:
    """Prepare the trace's pictures and text again and catch what the decoder is fed.

    Raises
    ------
    ParameterError
        The trace was made by another checkpoint, keeps no pictures, or this processor reads its prompt differently.
    CheckpointError
        The model does not hand merged embeddings to its decoder.
    """
    request = request_of(family, writer, info, trace)
    with torch.inference_mode(False):
        tensors = family.on_device(with_answer(family, request.inputs.tensors, trace.answer_ids[:-1].tolist()))
    caught = caught_inputs(family, tensors)
    embeds = caught.pop("inputs_embeds")
    left_out = ("input_ids", "past_key_values", "use_cache", "cache_position", "return_dict")
    return DecoderInputs(embeds, {name: each for name, each in caught.items() if name not in left_out}, request)


def caught_inputs(family: Family, tensors: dict[str, Any]) -> dict[str, Any]:
    """The decoder's keyword arguments in one run of the model on these inputs, "inputs_embeds" among them.

    Raises
    ------
    CheckpointError
        The model does not hand merged embeddings to its decoder.
    """
    caught: dict[str, Any] = {}

    def catch(module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        caught.update(kwargs)
        if kwargs.get("pixel_values") is None:
            raise _Reached
        # This decoder merges the pictures itself: what enters its first layer is what it made of them.
        for name in [name for name in caught if name.startswith("pixel_") or name == "input_ids"]:
            del caught[name]

    def catch_merged(module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        caught["inputs_embeds"] = args[0] if args else kwargs["hidden_states"]
        raise _Reached

    handles = [
        family.text_model.register_forward_pre_hook(catch, with_kwargs=True),
        family.layers[0].register_forward_pre_hook(catch_merged, with_kwargs=True),
    ]
    try:
        # Ordinary tensors, because some variants need gradients.
        with torch.inference_mode(False), torch.no_grad(), contextlib.suppress(_Reached):
            family.model(**tensors, use_cache=False)
    finally:
        for handle in handles:
            handle.remove()
    ids = caught.pop("input_ids", None)
    if caught.get("inputs_embeds") is None and ids is not None:
        # The pictures were turned into tokens of the vocabulary.
        with torch.inference_mode(False), torch.no_grad():
            caught["inputs_embeds"] = family.model.get_input_embeddings()(ids)
    _merge(caught)
    if caught.get("inputs_embeds") is None:
        raise CheckpointError(
            f"{type(family.model).__name__} does not hand merged embeddings to its decoder",
            "Methods that run a trace again need them.",
            "The family needs a file in explore/models/families that says how.",
        )
    return caught


def _merge(caught: dict[str, Any]) -> None:
    """Put features in their places where the decoder would do so itself, and would overwrite any others."""
    embeds, features = caught.get("inputs_embeds"), caught.pop("image_embeds", None)
    if features is not None and embeds is not None:
        places = caught["image_embeds_position_mask"] == 1
        with torch.inference_mode(False):
            caught["inputs_embeds"] = embeds.masked_scatter(places[..., None].to(embeds.device), features.to(embeds))


def request_of(family: Family, writer: PromptWriter, info: ModelInfo, trace: Trace) -> Request:
    """The trace's question and pictures as the processor makes them, checked to be the very same tokens."""
    require_own(info, trace)
    if not trace.images:
        raise ParameterError(
            "The trace keeps no pictures", "Running it again needs them.", "Record it again with runner.ask(...)."
        )
    shown = list(trace.images) if trace.times is None else Video.of(trace.images, trace.times)
    request = make_request(family, writer, shown, trace.question, trace.system, trace.history)
    if request.inputs.ids.tolist() != trace.ids[: trace.prompt_length].tolist():
        raise ParameterError(
            "This runner's processor reads the trace's question differently than the one that recorded it",
            "",
            "Record it again with this runner: runner.read(image, question, answer).",
        )
    return request


def require_own(info: ModelInfo, trace: Trace) -> None:
    """Refuse a trace of another model.

    Raises
    ------
    ParameterError
        Checkpoint, revision or family differ.
    """
    own = {"checkpoint": info.checkpoint, "revision": info.revision, "family": info.family}
    made = {name: trace.fingerprint.get(name) for name in own}
    if made != own:
        raise ParameterError(
            f"The trace was recorded with {made}, this runner is {own}",
            "A trace can only be run again by the model that made it.",
            "Load that checkpoint, or record the run again with this one.",
        )


def predicting_states(normed: Tensor, trace: Trace) -> Tensor:
    """The states that predict the answer tokens, (batch, answer_tokens, width)."""
    return normed[:, trace.prompt_length - 1 : trace.prompt_length - 1 + len(trace.answer_ids)]
