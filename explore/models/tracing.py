"""From a finished recording to a trace."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from explore.layout import Role
from explore.models.families.base import Family
from explore.models.heads import OutputHead
from explore.models.info import ModelInfo
from explore.models.inputs import PromptInputs, answer_tokens, layout_of
from explore.models.plans import RecordingPlan
from explore.models.recorder import Recorder, to_host
from explore.models.requests import Request
from explore.trace import TokenColumns, Trace


def make_trace(
    family: Family,
    head: OutputHead,
    info: ModelInfo,
    request: Request,
    plan: RecordingPlan,
    recorder: Recorder,
    ids: list[int],
    logits: Tensor,
    fingerprint: dict[str, Any],
    *,
    origin: Callable[[], Any] | None = None,
) -> Trace:
    """The trace of one run.

    Parameters
    ----------
    family, head, info
        The model that ran.
    request, plan, recorder
        What was asked, what was to be kept, and what was.
    ids
        The answer's tokens.
    logits
        (answer_tokens, vocabulary) raw logits that predicted them, if the plan keeps them.
    fingerprint
        What decided the result.
    origin
        Gives the runner while it lives.
    """
    tokens = (*request.inputs.tokens, *answer_tokens(family, request.inputs, ids))
    fed = request.inputs.length + len(ids) - 1
    rows, places = recorder.attention_rows(fed)
    text: str = family.processor.tokenizer.decode(ids, skip_special_tokens=True)
    return Trace(
        tokens=tokens,
        layout=layout_of(tokens, request.inputs),
        question=request.question,
        answer=text.strip(),
        images=request.pictures,
        fingerprint=fingerprint,
        prompt_length=request.inputs.length,
        columns=_columns(head, request.inputs, recorder.normed(fed), ids) if plan.columns else None,
        # The library hands out single precision copies of logits that were computed in half.
        logits=to_host(logits.to(family.dtype)) if plan.logits == "answer" else None,
        hidden_states=recorder.hidden_states(fed),
        attention_rows=rows,
        row_positions=places,
        vision=recorder.vision(request.inputs.queries),
        layers=info.layers,
        heads=info.heads,
        width=info.width,
        system=request.system,
        history=request.history,
        times=request.times,
        origin=origin,
    )


def _columns(head: OutputHead, inputs: PromptInputs, normed: Tensor, ids: list[int]) -> TokenColumns:
    """Head columns of the tokens that `explore.trace.TokenColumns` lists."""
    question = inputs.positions(Role.QUESTION)
    guess = int(head.full(normed[question[:1]]).argmax())
    wanted = np.unique(np.concatenate([inputs.ids[question], ids, [guess, inputs.ids[-1]]]).astype(np.int64))
    return TokenColumns(wanted, to_host(head.columns(normed, torch.from_numpy(wanted))))
