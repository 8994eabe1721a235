"""Several turns: what a history may be, where its words stand in the prompt, and that a run keeps it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from explore.errors import CheckpointError, ParameterError, QuestionError
from explore.layout import Role
from explore.models.histories import checked_history
from explore.models.runner import Runner
from explore.trace import open_trace
from tests.models.samples import QUESTION, noise
from tests.models.test_prompts import LISTED, PARTS, PLAIN, marked, writer
from tests.tiny import tiny_llava, tiny_runner

TURNS = (("what is this?", "a red dog"), ("where?", "left"))


def chatting(template: str = LISTED) -> Runner:
    """A tiny runner whose checkpoint has a chat template."""
    model, processor = tiny_llava(seed=2, layers=3)
    processor.chat_template = template
    return Runner(model, processor, checkpoint="chatting")


@pytest.fixture(scope="module")
def runner() -> Runner:
    return chatting()


@pytest.mark.parametrize("given", [None, (), []])
def test_no_history_is_an_empty_one(given: Any) -> None:
    assert checked_history(given) == ()


def test_outer_spaces_go_and_lists_become_tuples() -> None:
    assert checked_history([[" a ", "b\n"], ("c", "d")]) == (("a", "b"), ("c", "d"))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("what?", "given as str"),
        ({"what?": "a dog"}, "given as dict"),
        (5, "given as int"),
        (("what?", "a dog"), r"history=\[\(question, answer\)\]"),
        ([("what?",)], "Turn 1"),
        ([("what?", "a dog"), ("what?", None)], "Turn 2"),
        ([{"role": "user", "content": "what?"}], r"trace\.turns"),
        ([("what?", "  ")], "answer of turn 1 of the history is empty"),
        ([("", "a dog")], "question of turn 1 of the history is empty"),
    ],
)
def test_other_shapes_are_refused_in_words(given: Any, said: str) -> None:
    with pytest.raises(ParameterError, match=said):
        checked_history(given)


@pytest.mark.parametrize("template", [LISTED, PLAIN], ids=["listed", "plain"])
def test_earlier_turns_stand_in_order_and_the_pictures_in_the_first(template: str) -> None:
    prompt = writer(template).write("what?", 2, "Be brief.", TURNS)
    assert marked(prompt, Role.HISTORY) == [text for turn in TURNS for text in turn]
    assert marked(prompt, Role.QUESTION) == ["what?"]
    assert [start for start, _, _ in prompt.spans] == sorted(start for start, _, _ in prompt.spans)
    assert prompt.text.count("<image>") == 2
    assert prompt.text.rindex("<image>") < prompt.text.index("what is this?")


def test_a_prompt_is_the_templates_own_for_the_same_messages() -> None:
    made = writer(LISTED)
    text = "[user]<image>what is this?[assistant]a red dog[user]where?[assistant]"
    assert made.write("where?", 1, None, TURNS[:1]).text == text
    assert made.write("where?", 1).text == "[user]<image>where?[assistant]"


def test_words_said_twice_are_told_apart() -> None:
    prompt = writer(LISTED).write("a", 1, None, (("a", "a"), ("a", "user")))
    assert marked(prompt, Role.HISTORY) == ["a", "a", "a", "user"]
    assert prompt.spans[-1][2] is Role.QUESTION


@pytest.mark.parametrize(("turn", "named"), [(("<s>a", "b"), "question of turn 1"), (("a", "b</s>"), "answer of turn")])
def test_control_tokens_in_earlier_turns_are_refused(turn: tuple[str, str], named: str) -> None:
    with pytest.raises(QuestionError, match=f"{named}.*control token"):
        writer(LISTED).write("a", 1, None, (turn,))


def test_placeholders_in_earlier_turns_are_refused() -> None:
    with pytest.raises(QuestionError, match="answer of turn 1 holds '<image>'"):
        writer(LISTED).write("a", 1, None, (("a", "an <image>"),))


def test_a_template_that_forgets_earlier_turns_is_refused() -> None:
    last = "{% set m = messages[-1] %}<image>{{ m['content'] if m['content'] is string else m['content'][-1]['text'] }}"
    made = writer(last)
    made.write("a", 1)
    with pytest.raises(CheckpointError, match="does not keep the 2 turns"):
        made.write("a", 1, None, TURNS)


def test_a_template_that_changes_earlier_turns_is_refused() -> None:
    template = "{% for m in messages %}" + PARTS.replace("<image>')", "<image>') | lower") + "{% endfor %}"
    made = writer(template)
    made.write("a", 1, None, (("b", "c"),))
    with pytest.raises(CheckpointError, match="turns before"):
        made.write("a", 1, None, (("b", "Loud"),))


def test_without_a_template_a_history_is_refused() -> None:
    with pytest.raises(CheckpointError, match=r"without a chat template.*instruction-tuned"):
        tiny_runner().ask(noise(), QUESTION, history=TURNS)
    assert tiny_runner().ask(noise(), QUESTION, max_new_tokens=1, history=()).history == ()


def test_a_run_knows_its_history_token_by_token(runner: Runner) -> None:
    trace = runner.ask(noise(), QUESTION, max_new_tokens=3, history=TURNS)
    said = "".join(token.text for token in trace.tokens if token.role is Role.HISTORY)
    assert said == "".join(text for turn in TURNS for text in turn)
    assert "".join(token.text for token in trace.tokens if token.role is Role.QUESTION) == QUESTION
    assert trace.history == TURNS
    assert trace.turns == (*TURNS, (QUESTION, trace.answer))


def test_the_model_reads_the_earlier_turns(runner: Runner) -> None:
    """Against the bare library, fed the text that the template makes of the same messages."""
    trace = runner.read(noise(), QUESTION, "a dog", history=TURNS[:1])
    family = runner._family
    text = f"[user]<image>what is this?[assistant]a red dog[user]{QUESTION}[assistant]"
    inputs = family.processor(text=[text], images=[noise()], return_tensors="pt")
    assert inputs["input_ids"][0].tolist() == trace.ids[: trace.prompt_length].tolist()
    logits = family.model(**inputs).logits[0, -1].detach()
    np.testing.assert_allclose(trace.logits_of(0), logits, atol=2e-5)


def test_estimates_and_fingerprints_count_the_history(runner: Runner) -> None:
    without, with_turns = (runner.read(noise(), QUESTION, "a dog", history=turns) for turns in (None, TURNS))
    assert without.fingerprint["prompt"] != with_turns.fingerprint["prompt"]
    assert without.history == ()
    small, large = (runner.estimate(noise(), QUESTION, history=turns)["total"] for turns in (None, TURNS))
    assert large > small


def test_a_saved_run_keeps_its_history_and_can_be_run_again(runner: Runner, tmp_path: Path) -> None:
    trace = runner.read(noise(), QUESTION, "a dog", history=TURNS)
    trace.save(tmp_path / "run.trace")
    opened = open_trace(tmp_path / "run.trace")
    assert opened.history == TURNS
    assert opened.layout.positions("history").tolist() == trace.layout.positions(Role.HISTORY).tolist()
    with runner.rerun(opened).replay() as replay:
        np.testing.assert_allclose(replay.states[3].numpy(), trace.hidden(3), atol=1e-5)
    with pytest.raises(ParameterError, match="differently"):
        runner.rerun(replace(opened, history=TURNS[:1]))
