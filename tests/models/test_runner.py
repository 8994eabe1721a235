"""What a runner is: its sizes, what it refuses to be made of, its cache, its turns, its end."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from explore.errors import CheckpointError
from explore.layout import Role
from explore.models.plans import RecordingPlan
from explore.models.runner import Runner
from explore.result_cache import ResultCache
from tests.models.samples import QUESTION, fresh, noise
from tests.tiny import tiny_llava, tiny_runner
from tests.turns import Meeting


def test_info_describes_the_model() -> None:
    info = tiny_runner().info
    assert (info.layers, info.heads, info.kv_heads, info.width, info.context_length) == (2, 4, 2, 32, 512)
    assert (info.dtype, info.device, info.family, info.checkpoint, info.revision) == (
        "float32",
        "cpu",
        "llava",
        "tiny",
        "test",
    )
    assert info.vision is not None
    assert (info.vision.layers, info.vision.heads, info.vision.width, info.vision.cls) == (3, 3, 24, True)
    tied, _ = tiny_llava(tie=True)
    runner = Runner(tied, tiny_llava(tie=True)[1])
    distinct = {each.data_ptr(): each.numel() * 4 for each in tied.parameters()}
    assert runner.info.nbytes >= sum(distinct.values())
    assert runner.info.nbytes < info.nbytes


def test_a_family_nobody_knows_is_taken_apart_by_the_default_one() -> None:
    known = Runner(*tiny_llava()).ask(noise(), QUESTION, max_new_tokens=3)
    model, processor = tiny_llava()
    model.config.model_type = "unheard_of"
    runner = Runner(model, processor)
    trace = runner.ask(noise(), QUESTION, max_new_tokens=3)
    assert runner.info.family == "unheard_of"
    np.testing.assert_array_equal(trace.layout.grid().boxes, known.layout.grid().boxes)
    # Without a template it is taken for a base model, which goes on from picture and question.
    assert "".join(token.text for token in trace.tokens if token.role is Role.TEMPLATE) == "\n"


def test_a_type_whose_pictures_stay_outside_the_sequence_is_refused() -> None:
    model, processor = tiny_llava()
    model.config.model_type = "mllama"
    with pytest.raises(CheckpointError, match=r"mllama.*cross-attention"):
        Runner(model, processor)


def test_a_processor_of_another_model_is_refused() -> None:
    model, processor = tiny_llava()
    processor.patch_size = 4
    with pytest.raises(CheckpointError, match=r"image tokens.*belong together"):
        Runner(model, processor)


def test_results_come_from_the_cache_when_nothing_changed() -> None:
    model, processor = tiny_llava()
    cache = ResultCache(1 << 30)
    runner = Runner(model, processor, checkpoint="tiny", cache=cache)
    first = runner.ask(noise(), QUESTION, max_new_tokens=3)
    assert runner.ask(noise(), f" {QUESTION} ", max_new_tokens=3) is first
    assert runner.ask(np.asarray(noise()), QUESTION, max_new_tokens=3) is first
    others = [
        runner.ask(noise(), QUESTION, max_new_tokens=4),
        runner.ask(noise(seed=1), QUESTION, max_new_tokens=3),
        runner.ask(noise(), "what?", max_new_tokens=3),
        runner.ask(noise(), QUESTION, max_new_tokens=3, record=RecordingPlan(hidden="none")),
        runner.read(noise(), QUESTION, first.answer),
        runner.read(noise(), QUESTION, "a dog"),
    ]
    assert len({id(trace) for trace in (first, *others)}) == len(cache) == 7


def test_two_threads_take_turns() -> None:
    model, runner = fresh(seed=8)
    questions = ("what is this?", "is the dog red?")
    expected = [runner.ask(noise(), question, max_new_tokens=5).ids.tolist() for question in questions]
    found: list[list[int]] = []

    def ask(question: str) -> None:
        found.append(runner.ask(noise(), question, max_new_tokens=5).ids.tolist())

    meeting = Meeting(lambda: ask(questions[1]))
    runner._lock = meeting.watched(runner._lock)
    model.model.vision_tower.register_forward_pre_hook(lambda *_: meeting.inside())
    ask(questions[0])
    meeting.end()
    assert meeting.entered == ["first", "second"]
    assert found == expected


def test_gradients_are_off_inside_and_untouched_outside() -> None:
    runner = tiny_runner()
    assert torch.is_grad_enabled()
    runner.ask(noise(), QUESTION, max_new_tokens=1)
    assert torch.is_grad_enabled()
    assert not torch.is_inference_mode_enabled()


def test_a_closed_runner_says_so() -> None:
    _, runner = fresh()
    runner.close()
    assert runner.closed
    assert "closed" in repr(runner)
    with pytest.raises(CheckpointError, match=r"explore\.load"):
        runner.ask(noise(), QUESTION)
