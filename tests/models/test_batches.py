"""Many questions at once give what each gives alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PIL import Image

from explore.errors import ImageInputError, QuestionError
from explore.models import requests
from explore.models.families.llava import Llava
from explore.models.runner import Runner
from tests.families.cases import pictures_of, runner_of
from tests.tiny import tiny_llava

QUESTIONS = ["what is this?", "is the small red dog above a blue house?", "how many?", "I say yes"]


def pictures(count: int) -> list[Image.Image]:
    rng = np.random.default_rng(0)
    return [Image.fromarray(rng.integers(0, 256, (30, 20 + 7 * each, 3), np.uint8)) for each in range(count)]


def pairs() -> list[tuple[Any, str]]:
    """Five pictures, one of them a pair, questions in mixed order."""
    shown: list[Any] = pictures(4)
    shown.append(pictures(2))
    return [(shown[index % 5], QUESTIONS[index % 4]) for index in (3, 0, 4, 5, 10, 8, 2, 7, 13, 9, 4)]


@pytest.fixture(scope="module")
def runner() -> Runner:
    model, processor = tiny_llava(seed=11)
    model.generation_config.eos_token_id = [2, 90]
    return Runner(model, processor)


@pytest.fixture(scope="module")
def alone(runner: Runner) -> list[str]:
    return [runner.ask(image, question, max_new_tokens=7).answer for image, question in pairs()]


@pytest.mark.parametrize("batch_size", [1, 4, 16])
def test_answers_equal_ask(runner: Runner, alone: list[str], batch_size: int) -> None:
    assert runner.answers(pairs(), max_new_tokens=7, batch_size=batch_size) == alone
    assert len(set(alone)) > 3


def test_without_shared_features_every_prompt_brings_its_pixels(
    runner: Runner, alone: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Llava, "image_features", lambda self, tensors: None)
    assert runner.answers(pairs(), max_new_tokens=7, batch_size=4) == alone


def test_each_picture_is_processed_once(runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[Any] = []
    monkeypatch.setattr(requests, "open_pictures", lambda image: opened.append(image) or _open(image))
    one, two = pictures(2)
    asked = [(one, "what?"), (two, "what?")] * 6
    runner.answers(asked, max_new_tokens=1, batch_size=6)
    assert len(opened) == 2


def _open(image: Any) -> Any:
    from explore.models.pictures import open_pictures

    return open_pictures(image)


def test_progress_and_empty_input(runner: Runner) -> None:
    reports: list[tuple[float | None, str]] = []
    runner.answers(pairs()[:5], max_new_tokens=1, batch_size=2, progress=lambda *report: reports.append(report))
    assert [fraction for fraction, _ in reports] == [0.4, 0.8, 1.0]
    assert runner.answers([]) == []


def test_bad_pairs_are_refused(runner: Runner) -> None:
    with pytest.raises(ImageInputError):
        runner.answers([(b"none", "what?")])
    with pytest.raises(QuestionError):
        runner.answers([(pictures(1)[0], "")])


@pytest.mark.filterwarnings("ignore")
def test_pictures_that_a_processor_hands_over_in_lists() -> None:
    runner, pictures = runner_of("unlimited_ocr"), pictures_of("unlimited_ocr", (40, 30))
    pairs = [(pictures[0], question) for question in ("what is the colour of this?", "what?")]
    alone = [runner.ask(*pair, max_new_tokens=2).answer for pair in pairs]
    assert runner.answers(pairs, max_new_tokens=2) == alone
