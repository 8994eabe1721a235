"""The promises about recorded rows, kept on the model that ships."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from explore.models.attention import AttentionCall, watched, watching
from explore.models.loading import load_runner
from explore.models.plans import RecordingPlan
from explore.models.rows import LayerRecord
from explore.models.runner import Runner
from explore.sketch import scene

QUESTIONS = ["What is in the picture?", "What colour is the largest thing that you can see here?", "How many?"]


@functools.cache
def runner(dtype: str = "float32") -> Runner:
    return load_runner(dtype=dtype)


def eager_attentions(model: Any, inputs: dict[str, Any]) -> tuple[Tensor, ...]:
    model.set_attn_implementation("eager")
    try:
        with torch.inference_mode():
            found: tuple[Tensor, ...] = model(**inputs, output_attentions=True).attentions
    finally:
        model.set_attn_implementation("sdpa")
    return found


def prompts(questions: list[str], dtype: str) -> dict[str, Any]:
    family, writer = runner(dtype)._family, runner(dtype)._writer
    images = [scene(seed=number).image for number in range(len(questions))]
    made = family.processor(
        text=[writer.write(question, 1).text for question in questions],
        images=images,
        return_tensors="pt",
        padding=True,
        padding_side="left",
    )
    return family.on_device(dict(made))


# Two runs of one model, one with SDPA and one with eager attention, drift apart by rounding from layer to layer: in
# single precision until their weights differ by some 3e-6, each about as far from the exact ones; in double precision
# by less, but the norms stay in single. `test_rows_equal_eager_on_the_same_states` takes the drift out and allows 1e-6.
DRIFT = pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 5e-6), ("float32", 2e-5)])


@DRIFT
def test_rows_of_an_answer_equal_eager(dtype: str, tolerance: float) -> None:
    plan = RecordingPlan(attention="all")
    trace = runner(dtype).ask(scene(seed=0).image, QUESTIONS[0], max_new_tokens=24, record=plan)
    inputs = prompts(QUESTIONS[:1], dtype)
    fed = torch.from_numpy(trace.ids[None, :-1])
    assert fed[0, : trace.prompt_length].tolist() == inputs["input_ids"][0].tolist()
    inputs |= {"input_ids": fed, "attention_mask": torch.ones_like(fed)}
    for layer, weights in enumerate(eager_attentions(runner(dtype)._family.model, inputs)):
        np.testing.assert_allclose(trace.attention(layer), weights[0], atol=tolerance, rtol=0)


class Tap:
    """Gives each attention call to the record of its layer, by counting."""

    def __init__(self, layers: int) -> None:
        self.records = [LayerRecord() for _ in range(layers)]
        self.calls = 0

    def attend(self, query: Tensor, key: Tensor, mask: Tensor | None, call: AttentionCall) -> None:
        self.records[self.calls % len(self.records)].add(query, key, mask, call)
        self.calls += 1


@DRIFT
def test_rows_of_a_left_padded_batch_equal_eager(dtype: str, tolerance: float) -> None:
    family, inputs = runner(dtype)._family, prompts(QUESTIONS, dtype)
    mask, tap = inputs["attention_mask"], Tap(len(family.layers))
    assert (mask[:, 0] == 0).any()
    with torch.inference_mode(), watching(tap), watched(family.text_model):
        made = family.model.generate(**inputs, do_sample=False, max_new_tokens=6, eos_token_id=None)
    rows = [record.rows() for record in tap.records]
    for item, padding in enumerate((mask == 0).sum(-1).tolist()):
        alone = made[item : item + 1, padding:-1]
        again = {
            "input_ids": alone,
            "attention_mask": torch.ones_like(alone),
            "pixel_values": inputs["pixel_values"][item : item + 1],
        }
        for layer, weights in enumerate(eager_attentions(family.model, again)):
            found = rows[layer][item, :, padding:, padding:]
            torch.testing.assert_close(found, weights[0].to(found.dtype), atol=tolerance, rtol=0)
            assert not rows[layer][item, :, padding:, :padding].any()


@pytest.mark.parametrize("count", [1, 3], ids=["one prompt", "left-padded batch"])
def test_rows_equal_eager_on_the_same_states(count: int) -> None:
    """Every layer's attention is asked again, eagerly, with exactly what it was given in the recorded run."""
    family, inputs = runner()._family, prompts(QUESTIONS[:count], "float32")
    given: list[dict[str, Any]] = []
    handles = [
        layer.self_attn.register_forward_pre_hook(lambda module, args, kwargs: given.append(kwargs), with_kwargs=True)
        for layer in family.layers
    ]
    tap = Tap(len(family.layers))
    with torch.inference_mode(), watching(tap), watched(family.text_model):
        family.model(**inputs, use_cache=False)
    for handle in handles:
        handle.remove()
    length = inputs["input_ids"].shape[1]
    causal = torch.ones(length, length, dtype=torch.bool).tril()[None, None]
    seen = inputs["attention_mask"].bool()
    family.text_model.set_attn_implementation("eager")
    try:
        for layer, record, kwargs in zip(family.layers, tap.records, given, strict=True):
            allowed = causal & seen[:, None, None, :]
            mask = torch.zeros(allowed.shape).masked_fill(~allowed, torch.finfo(torch.float32).min)
            with torch.inference_mode():
                _, weights = layer.self_attn(**{**kwargs, "attention_mask": mask})
            rows = record.rows()
            for item in range(count):
                torch.testing.assert_close(rows[item][:, seen[item]], weights[item][:, seen[item]], atol=1e-6, rtol=0)
    finally:
        family.text_model.set_attn_implementation("sdpa")


def test_read_gives_the_logits_of_ask() -> None:
    asked = runner().ask(scene(seed=3).image, QUESTIONS[0], max_new_tokens=24)
    fresh = Runner(runner()._family.model, runner()._family.processor)  # it has not said anything yet
    read = fresh.read(scene(seed=3).image, QUESTIONS[0], asked.answer)
    assert read.ids.tolist() == asked.ids.tolist()
    np.testing.assert_allclose(read.logits, asked.logits, atol=1e-4)


@pytest.mark.parametrize("question", QUESTIONS)
def test_the_grid_is_that_of_the_picture(question: str) -> None:
    shown = scene(seed=1)
    layout = runner().ask(shown.image, question, max_new_tokens=1).layout
    grid = layout.grid()
    assert (grid.rows, grid.cols) == (12, 12)
    assert grid.boxes[0, 0].tolist() == [0, 0, 16, 16]
    assert grid.boxes[-1, -1].tolist() == [176, 176, 192, 192]
