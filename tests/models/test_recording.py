"""A recorded run says what the model did and changes nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from explore.layout import Role
from explore.models.plans import RecordingPlan
from explore.models.runner import Runner
from explore.trace import open_trace
from tests.models.samples import EVERYTHING, QUESTION, fresh, noise
from tests.tiny import tiny_llava, tiny_processor, tiny_runner, tiny_vipllava


def plain_inputs(runner: Runner, pictures: list[Image.Image], question: str = QUESTION) -> dict[str, Any]:
    """What a user of the bare library would feed: the processor's output for the LLaVA-1.5 prompt."""
    family = runner._family
    text = "USER: " + "<image>\n" * len(pictures) + f"{question} ASSISTANT:"
    return dict(family.processor(text=[text], images=pictures, return_tensors="pt"))


@pytest.mark.parametrize("gqa", [True, False], ids=["grouped", "full"])
@pytest.mark.parametrize("pictures", [1, 2])
def test_recorded_run_equals_the_plain_eager_model(gqa: bool, pictures: int) -> None:
    model, runner = fresh(gqa=gqa, seed=4, layers=3)
    images = [noise(seed=number) for number in range(pictures)]
    trace = runner.ask(images, QUESTION, max_new_tokens=8, record=EVERYTHING)

    inputs = plain_inputs(runner, images)
    with torch.inference_mode():
        made = model.generate(**inputs, max_new_tokens=8, do_sample=False)
    assert made[0].tolist() == trace.ids.tolist()

    model.set_attn_implementation("eager")
    fed = {**inputs, "input_ids": made[:, :-1], "attention_mask": torch.ones_like(made[:, :-1])}
    with torch.inference_mode():
        whole = model(**fed, output_attentions=True, output_hidden_states=True)
    for layer in range(3):
        np.testing.assert_allclose(trace.attention(layer), whole.attentions[layer][0], atol=1e-6)
        np.testing.assert_allclose(trace.hidden(layer), whole.hidden_states[layer][0], atol=2e-5)
    # The library's last entry is already normed; ours is before the norm.
    normed = model.model.language_model.norm(torch.tensor(trace.hidden(3).copy()))
    np.testing.assert_allclose(normed.detach(), whole.hidden_states[3][0], atol=2e-5)
    np.testing.assert_allclose(trace.columns.logits, whole.logits[0][:, trace.columns.ids.copy()], atol=1e-5)
    np.testing.assert_allclose(trace.logits, whole.logits[0, trace.prompt_length - 1 :], atol=2e-5)
    assert trace.logits.argmax(-1).tolist() == trace.answer_ids.tolist()


def test_the_models_default_implementation_gives_the_same_answer_while_recorded() -> None:
    model, runner = fresh(seed=5)
    inputs = plain_inputs(runner, [noise()])
    with torch.inference_mode():
        before = model.generate(**inputs, max_new_tokens=10, do_sample=False)
    first = runner.ask(noise(), QUESTION, max_new_tokens=10)
    light = runner.ask(noise(), QUESTION, max_new_tokens=10, record=RecordingPlan(hidden="none", attention="none"))
    assert first.ids.tolist() == light.ids.tolist() == before[0].tolist()
    np.testing.assert_array_equal(first.logits, light.logits)


def test_roles_words_and_grid_of_a_run() -> None:
    trace = tiny_runner().ask(
        [noise(), noise(30, 30, 1)], "is the dog red or small?", max_new_tokens=5, system="say one"
    )
    text = {role: "".join(token.text for token in trace.tokens if token.role is role) for role in Role}
    assert text[Role.QUESTION].strip() == "is the dog red or small?"
    assert text[Role.SYSTEM] == "say one"
    assert text[Role.IMAGE] == "<image>" * 32
    assert text[Role.TEMPLATE] == " USER: \n\n ASSISTANT:"
    assert text[Role.ANSWER].strip() == trace.answer
    assert [word for word, _ in trace.words("question")] == ["is", "the", "dog", "red", "or", "small", "?"]
    placeholders = np.flatnonzero(trace.ids == tiny_runner()._family.placeholder_ids[0])
    np.testing.assert_array_equal(trace.layout.visual, placeholders)
    np.testing.assert_array_equal(trace.layout.grid(1).positions.ravel(), placeholders[16:])
    assert trace.layout.grid(1).size == (30, 30)


def test_a_question_that_repeats_the_template() -> None:
    trace = tiny_runner().ask(noise(), "USER: ASSISTANT:", max_new_tokens=2)
    pieces = "".join(token.text for token in trace.tokens if token.role is Role.QUESTION)
    assert pieces == "USER: ASSISTANT:"


def test_columns_cover_question_answer_guess_and_last_token() -> None:
    model, runner = fresh(seed=6)
    trace = runner.ask(noise(), QUESTION, max_new_tokens=4)
    question = trace.layout.positions("question")
    with torch.inference_mode():
        logits = model(**plain_inputs(runner, [noise()])).logits[0]
    wanted = {
        *trace.ids[question],
        *trace.answer_ids,
        trace.ids[trace.prompt_length - 1],
        int(logits[question[0]].argmax()),
    }
    assert trace.columns.ids.tolist() == sorted(int(each) for each in wanted)
    assert trace.columns.logits.dtype == np.float32


def test_class_token_kept_in_the_sequence() -> None:
    processor = tiny_processor()
    processor.vision_feature_select_strategy = "full"
    model, processor = tiny_llava(strategy="full", processor=processor)
    trace = Runner(model, processor).ask(noise(), QUESTION, max_new_tokens=2)
    assert len(trace.layout.visual) == 17
    assert trace.layout.row[trace.layout.visual[0]] == -1
    assert trace.layout.grid().positions[0, 0] == trace.layout.visual[1]


def test_half_precision_is_kept_in_half() -> None:
    model, processor = tiny_llava()
    trace = Runner(model.bfloat16(), processor).ask(noise(), QUESTION, max_new_tokens=3)
    assert trace.hidden(1).dtype == trace.attention(0).dtype == trace.logits.dtype == np.float16
    assert trace.columns.logits.dtype == np.float32


def test_states_that_overflow_half_are_kept_in_single() -> None:
    model, processor = tiny_llava()
    with torch.no_grad():
        model.model.language_model.layers[0].mlp.down_proj.weight.mul_(1e7)
    trace = Runner(model.bfloat16(), processor).ask(noise(), QUESTION, max_new_tokens=2)
    assert trace.hidden(0).dtype == np.float16
    assert trace.hidden(1).dtype == np.float32
    assert np.isfinite(trace.hidden(1)).all()


def test_several_tower_layers_at_once() -> None:
    model, processor = tiny_vipllava()
    runner = Runner(model, processor)
    plan = RecordingPlan(vision=("features",))
    trace = runner.ask(noise(), QUESTION, max_new_tokens=3, record=plan)
    assert trace.vision["features"].shape == (16, 48)
    assert plan.estimate(runner.info, 30, 3, visual_tokens=16)["vision"] == trace.vision["features"].nbytes
    read = runner.read(noise(), QUESTION, trace.answer_ids)
    np.testing.assert_allclose(read.logits, trace.logits, atol=1e-4)
    answers = runner.answers([(noise(), QUESTION), (noise(seed=1), "what?")], max_new_tokens=3)
    assert answers[0] == trace.answer


def test_what_a_run_would_keep_is_told_beforehand() -> None:
    runner = tiny_runner()
    expected = runner.estimate(noise(), QUESTION, max_new_tokens=6)
    trace = runner.ask(noise(), QUESTION, max_new_tokens=6)
    kept = sum(array.nbytes for name, array in trace.arrays().items() if name != "row_positions")
    assert kept <= expected["total"] <= 1.5 * kept


def test_the_fingerprint_survives_the_file(tmp_path: Any) -> None:
    trace = tiny_runner().ask(noise(), QUESTION, max_new_tokens=3, record=RecordingPlan(hidden=(0, 1)))
    trace.save(tmp_path / "run.trace")
    again = open_trace(tmp_path / "run.trace")
    assert again.fingerprint == trace.fingerprint
    assert again.fingerprint["checkpoint"] == "tiny"
    assert again.fingerprint["plan"]["hidden"] == [0, 1]
    assert again.fingerprint.items() >= tiny_runner().fingerprint.items()
