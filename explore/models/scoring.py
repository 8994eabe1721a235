"""How likely a trace's answer stays when something is taken away: keys, features or pixels.

Every function scores the answer tokens that the trace holds, each predicted from the true tokens before it, so that one
forward pass gives the scores of all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from explore.errors import ParameterError
from explore.models.attention import watched
from explore.models.decoder_inputs import DecoderInputs, predicted_logits
from explore.models.edges import blocked_keys
from explore.models.families.base import Family
from explore.models.heads import OutputHead
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
    with ExitStack() as stack:
        stack.enter_context(watched(family.text_model))
        for at in range(0, len(blocked), batch):
            part = torch.from_numpy(blocked[at : at + batch]).to(inputs.embeds.device)
            with blocked_keys(part):
                made = family.text_model(**inputs.repeated(len(part)), use_cache=False)
            yield _scores(predicted_logits(head, made.last_hidden_state, trace), trace)


def scores_with_features(
    family: Family, head: OutputHead, inputs: DecoderInputs, trace: Trace
) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
    """The decoder's input at the visual positions, and a differentiable score of any other.

    Returns
    -------
    features : Tensor
        (visual_tokens, width)
    score : callable
        From features (batch, visual_tokens, width) to the logits of the answer tokens (batch, answer_tokens).
    """
    visual = torch.from_numpy(trace.layout.visual).to(inputs.embeds.device)
    ids = torch.from_numpy(trace.answer_ids).to(inputs.embeds.device)

    def score(features: Tensor) -> Tensor:
        embeds = inputs.embeds.expand(len(features), -1, -1).index_copy(1, visual, features.to(inputs.embeds.dtype))
        made = family.text_model(**inputs.repeated(len(features), embeds), use_cache=False)
        logits = predicted_logits(head, made.last_hidden_state, trace)
        return logits.float().gather(2, ids.expand(len(features), -1)[:, :, None])[:, :, 0]

    return inputs.embeds[0, visual].detach(), score


def scores_of_pictures(
    family: Family, prompt: Prompt, trace: Trace, variants: Sequence[Sequence[Image.Image]], batch: int
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
        tensors = _picture_inputs(family, prompt, trace, variants[at : at + batch])
        made = family.model(**tensors, use_cache=False, logits_to_keep=len(trace.answer_ids))
        yield _scores(made.logits, trace)


def _picture_inputs(
    family: Family, prompt: Prompt, trace: Trace, variants: Sequence[Sequence[Image.Image]]
) -> dict[str, Any]:
    made = dict(
        family.processor(
            text=[prompt.text] * len(variants),
            images=[list(pictures) for pictures in variants],
            return_tensors="pt",
            add_special_tokens=prompt.add_special,
        )
    )
    length, more = made["input_ids"].shape[-1], torch.from_numpy(trace.answer_ids[:-1])
    for name, values in made.items():
        if name == "input_ids":
            made[name] = torch.cat([values, more.expand(len(variants), -1)], dim=-1)
        elif isinstance(values, Tensor) and values.shape == (len(variants), length):
            made[name] = torch.cat([values, values[:, -1:].expand(-1, len(more))], dim=-1)
    return family.on_device(made)


def _scores(logits: Tensor, trace: Trace) -> AnswerScores:
    logits = logits.float()
    ids = torch.from_numpy(trace.answer_ids).to(logits.device).expand(len(logits), -1)[:, :, None]
    said = logits.gather(2, ids)[:, :, 0]
    logprobs = said - torch.logsumexp(logits, dim=-1)
    return AnswerScores(said.cpu().numpy(), logprobs.cpu().numpy())
