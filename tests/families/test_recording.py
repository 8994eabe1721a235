"""A recorded run changes nothing, its attention rows are the model's own, and hidden(L) is before the final norm."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from explore.models.inputs import prepare, with_answer
from explore.trace import Trace
from tests.families.cases import QUESTION, SUPPORTED, eager, runner_of, trace_of

pytestmark = pytest.mark.filterwarnings("ignore")
families = pytest.mark.parametrize("name", SUPPORTED)
# Decoders in which a position looks at answer tokens through a window while they are made, but not in one pass.
WINDOWED = ("unlimited_ocr",)


def prompt_inputs(name: str, trace: Trace) -> dict[str, Any]:
    """What a user of the bare library would feed for the trace's prompt."""
    runner = runner_of(name)
    prompt = runner._writer.write(QUESTION, len(trace.images))
    return runner._family.on_device(prepare(runner._family, prompt, trace.images).tensors)


@families
def test_the_bare_library_says_the_same(name: str) -> None:
    trace, family = trace_of(name), runner_of(name)._family
    made = prompt_inputs(name, trace)
    with torch.inference_mode():
        whole = family.model.generate(**made, max_new_tokens=len(trace.answer_ids), do_sample=False)
    assert whole[0, -len(trace.answer_ids) :].tolist() == trace.answer_ids.tolist()


@families
def test_no_logit_changes_and_every_layer_is_there(name: str) -> None:
    trace, family = trace_of(name), runner_of(name)._family
    fed = with_answer(family, prompt_inputs(name, trace), trace.answer_ids[:-1].tolist())
    with torch.inference_mode():
        logits = family.model(**fed, use_cache=False).logits[0, -len(trace.answer_ids) :].float().numpy()
    if name not in WINDOWED:
        said = logits > -1e30
        np.testing.assert_allclose(trace.logits[said], logits[said], atol=1e-4 * np.abs(logits[said]).max())
    for layer in range(trace.layers + 1):
        assert trace.hidden(layer).shape == (len(trace.tokens) - 1, trace.width)


@families
def test_the_last_hidden_state_is_before_the_final_norm(name: str) -> None:
    trace, runner = trace_of(name), runner_of(name)
    family = runner._family
    if family.streams > 1:
        pytest.skip("its head reads a mixture of streams")
    places = slice(trace.prompt_length - 1, None)
    with torch.inference_mode():
        states = torch.from_numpy(trace.hidden(trace.layers)[places].copy())
        logits = runner._head.full(family.final_norm(states[None])[0])[:, : trace.logits.shape[-1]].numpy()
    said = trace.logits > -1e30
    np.testing.assert_allclose(logits[said], trace.logits[said], atol=2e-4 * np.abs(trace.logits[said]).max())


@families
def test_rows_equal_eager_attention(name: str) -> None:
    trace, family = trace_of(name), runner_of(name)._family
    if name in WINDOWED:
        pytest.skip("its answer tokens see another part of the sequence in one pass than when they are made")
    fed = with_answer(family, prompt_inputs(name, trace), trace.answer_ids[:-1].tolist())
    seen: dict[int, np.ndarray] = {}
    with eager(family.text_model), torch.inference_mode():
        made = family.model(**fed, use_cache=False, output_attentions=True)
    attentions = made.get("attentions") or getattr(made.get("language_model_outputs"), "attentions", None)
    if not attentions:
        pytest.skip("the library gives no attention weights of this class")
    numbers = sorted(trace.attention_rows)
    kept = [each for each in attentions if each is not None]
    assert len(kept) in (len(numbers), trace.layers)
    seen = dict(zip(numbers if len(kept) == len(numbers) else range(trace.layers), kept, strict=True))
    for layer in numbers:
        weights = seen[layer][0].float().numpy()
        np.testing.assert_allclose(trace.attention(layer), weights, atol=1e-5)
