"""What cannot be asked is refused in words, before the model runs."""

from __future__ import annotations

from typing import Any

import pytest
from tokenizers.normalizers import Replace

from explore.errors import ContextLengthError, ImageInputError, ParameterError, QuestionError
from explore.models.plans import RecordingPlan
from tests.models.samples import QUESTION, fresh, noise
from tests.tiny import tiny_runner


def test_bad_input_is_refused_before_the_model_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    model, runner = fresh(seed=7, context=40)

    def never(*args: Any, **kwargs: Any) -> None:
        raise AssertionError("the model was run")

    with monkeypatch.context() as patched:
        patched.setattr(model, "forward", never)
        with pytest.raises(ImageInputError):
            runner.ask(b"no picture", QUESTION)
        with pytest.raises(QuestionError):
            runner.ask(noise(), "  ")
        with pytest.raises(ContextLengthError, match=r"42 tokens.*holds 40"):
            runner.ask(noise(), "a a a a a a a a a a a a a a a a a a a a")
        with pytest.raises(ContextLengthError):
            runner.ask([noise(), noise(), noise()], "a")
        with pytest.raises(ContextLengthError):
            runner.read(noise(), "a a a a a a a", "a a a a a a a a a a a a a a")
        with pytest.raises(ContextLengthError):
            runner.answers([(noise(), "a"), (noise(), "a a a a a a a a a a a a a a a a a a a a a a")])
        with pytest.raises(ParameterError):
            runner.ask(noise(), QUESTION, max_new_tokens=0)
        with pytest.raises(ParameterError, match="token ids"):
            runner.read(noise(), QUESTION, [])
        with pytest.raises(ParameterError, match="token ids"):
            runner.read(noise(), QUESTION, [10**6])
        with pytest.raises(ParameterError, match="stand for a picture"):
            runner.read(noise(), QUESTION, [7, *runner._family.placeholder_ids])
        with pytest.raises(ParameterError):
            runner.answers([(noise(), "a")], batch_size=0)
    assert runner.ask(noise(), "a", max_new_tokens=1).answer_ids.shape == (1,)


def test_a_question_without_tokens_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    _, runner = fresh(seed=7)
    tokenizer = runner._family.processor.tokenizer.backend_tokenizer
    tokenizer.normalizer = Replace("\u200b", "")
    with pytest.raises(QuestionError, match="no token"):
        runner.ask(noise(), "\u200b")


@pytest.mark.parametrize("question", ["What </s> is it?", "<s>what?", "what \ud800?"])
def test_control_tokens_and_half_characters_in_questions_are_refused(question: str) -> None:
    with pytest.raises(QuestionError):
        tiny_runner().ask(noise(), question)
    with pytest.raises(QuestionError):
        tiny_runner().ask(noise(), QUESTION, system=question)


@pytest.mark.parametrize("count", [None, "5", 2.5, 0, -1])
def test_counts_are_whole_numbers(count: Any) -> None:
    with pytest.raises(ParameterError, match="max_new_tokens"):
        tiny_runner().ask(noise(), QUESTION, max_new_tokens=count)


@pytest.mark.parametrize("record", ["all", 5, {}, RecordingPlan])
def test_only_a_plan_is_a_plan(record: Any) -> None:
    with pytest.raises(ParameterError, match="RecordingPlan"):
        tiny_runner().ask(noise(), QUESTION, record=record)


@pytest.mark.parametrize("answer", [None, 5, [1.5], object()])
def test_an_answer_is_text_or_ids(answer: Any) -> None:
    with pytest.raises(ParameterError, match="answer"):
        tiny_runner().read(noise(), QUESTION, answer)


def test_an_answer_too_long_to_read_is_called_that() -> None:
    with pytest.raises(ContextLengthError, match=r"The answer has .* tokens"):
        tiny_runner().read(noise(), QUESTION, "dog " * 5000)
