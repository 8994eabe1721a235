"""How likely a trace's answer stays when something is taken away: keys, features or pixels.

Every function scores the answer tokens that the trace holds, each predicted from the true tokens before it, so that one
forward pass gives the scores of all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from explore.errors import CheckpointError, ParameterError
from explore.models.attention import watched
from explore.models.decoder_inputs import DecoderInputs, predicting_states
from explore.models.edges import blocked_keys
from explore.models.families.base import Family
from explore.models.heads import OutputHead
from explore.models.inputs import processed, with_answer
from explore.models.processor_calls import called_together
from explore.models.prompts import Prompt
from explore.runs import AnswerScores
from explore.trace import Trace


def scores_without(
    family: Family, head: OutputHead, inputs: DecoderInputs, trace: Trace, blocked: np.ndarray, batch: int
) -> Iterator[AnswerScores]:
    """Scores with keys blocked in all layers for everybody but themselves; `blocked` is (variants, positions_fed).

    Yields the scores of one batch of variants after the other.
    """
    fed = inputs.embeds.shape[1]
    if blocked.ndim != 2 or blocked.shape[1] != fed or blocked.dtype != bool:
        raise ParameterError(
            f"blocked has the shape {blocked.shape} and the type {blocked.dtype}",
            f"It is a bool array (variants, {fed}): one column per position that was fed to the model.",
        )
    for at in range(0, len(blocked), batch):
        part = torch.from_numpy(blocked[at : at + batch]).to(inputs.embeds.device)
        # Entered anew for every batch: whoever drops this generator half-way must find the model as it was.
        with watched(family.text_model), blocked_keys(part):
            made = family.text_model(**inputs.repeated(len(part)), use_cache=False)
        yield _scores(head, predicting_states(made.last_hidden_state, trace), trace)


def scores_with_features(
    family: Family, head: OutputHead, inputs: DecoderInputs, trace: Trace
) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
    """What the decoder is given of the picture, and a differentiable score of anything else in its place.

    Returns
    -------
    features : Tensor
        (visual_tokens, width): the decoder's input at the visual positions, and beside it what the model adds there
        between layers, which makes the width a multiple of the decoder's.
    score : callable
        From features (batch, visual_tokens, width) to the logits of the answer tokens (batch, answer_tokens).

    Raises
    ------
    CheckpointError
        What is added between layers is not one vector for each visual token.
    """
    visual = torch.from_numpy(trace.layout.visual).to(inputs.embeds.device)
    ids = torch.from_numpy(trace.answer_ids).to(inputs.embeds.device)
    given = [inputs.embeds[0, visual], *(each.to(inputs.embeds) for each in inputs.deep)]
    if any(len(each) != len(visual) for each in given):
        raise CheckpointError(
            f"{type(family.model).__name__} adds {[len(each) for each in given[1:]]} vectors between its layers, and "
            f"has {len(visual)} visual tokens",
            "Scores of other features need one vector for each visual token.",
            "Use a method that paints over pixels, such as occlusion, or blocks edges, such as knockout.",
        )

    def score(features: Tensor) -> Tensor:
        parts = features.to(inputs.embeds).split([each.shape[-1] for each in given], dim=-1)
        embeds = inputs.embeds.expand(len(features), -1, -1).index_copy(1, visual, parts[0])
        made = family.text_model(**inputs.repeated(len(features), embeds, parts[1:]), use_cache=False)
        return head.said(predicting_states(made.last_hidden_state, trace), ids)

    return torch.cat(given, dim=-1).detach(), score


def scores_of_pictures(
    family: Family,
    head: OutputHead,
    prompt: Prompt,
    trace: Trace,
    variants: Sequence[Sequence[Image.Image]],
    batch: int,
) -> Iterator[AnswerScores]:
    """Scores with other pictures in place of the trace's own, each variant as many pictures of the same sizes."""
    sizes = [picture.size for picture in trace.images]
    for pictures in variants:
        if [picture.size for picture in pictures] != sizes:
            raise ParameterError(
                f"A variant has pictures of {[picture.size for picture in pictures]} pixels",
                f"They must be as the trace's own: {sizes}.",
            )
    for at in range(0, len(variants), batch):
        for tensors in _picture_inputs(family, prompt, trace, variants[at : at + batch]):
            with _normed_states(family) as normed:
                family.model(**tensors, use_cache=False, logits_to_keep=1)
            yield _scores(head, predicting_states(normed[-1], trace), trace)


def _picture_inputs(
    family: Family, prompt: Prompt, trace: Trace, variants: Sequence[Sequence[Image.Image]]
) -> Iterator[dict[str, Any]]:
    """The model's inputs for these variants: for all of them in one, or one by one where that cannot be."""
    count, answer = len(variants), trace.answer_ids[:-1].tolist()
    made: dict[str, Any] | None = None
    if trace.times is None:
        made = called_together(family, [prompt] * count, variants, [len(trace.layout.visual)] * count)
    elif count == 1:  # films come one by one: how their frames are joined is each processor's own
        made = processed(family, prompt, variants[0], trace.times)
    if made is None:
        for each in variants:
            yield from _picture_inputs(family, prompt, trace, [each])
    else:
        yield family.on_device(with_answer(family, made, answer))


@contextmanager
def _normed_states(family: Family) -> Iterator[list[Tensor]]:
    """What the head is about to read, as the model runs."""
    found: list[Tensor] = []
    handle = family.final_norm.register_forward_hook(lambda module, args, output: found.append(output))
    try:
        yield found
    finally:
        handle.remove()


def _scores(head: OutputHead, states: Tensor, trace: Trace) -> AnswerScores:
    """Scores of the said tokens from states after the final norm, (batch, answer_tokens, width).

    In the model's own half precision two variants would often differ by less than a step of their logits.
    """
    ids = torch.from_numpy(trace.answer_ids).to(states.device)
    return AnswerScores(head.said(states, ids).cpu().numpy(), head.logprobs(states, ids).cpu().numpy())
