"""Checkpoints without a chat template: asked, read and asked in batches like all others."""

from __future__ import annotations

import pytest

from explore.errors import CheckpointError
from explore.layout import Role
from explore.models.runner import Runner
from tests.families.cases import QUESTION, pictures_of, runner_of

pytestmark = pytest.mark.filterwarnings("ignore")
OTHER = "what is the small thing?"
# One that joins plainly, one with words of its own, and processors that pad, or place pictures, in ways of their own.
BARE = pytest.mark.parametrize("name", ["chameleon", "blip-2", "kosmos-2.5", "fuyu"])


def of_role(runner: Runner, role: Role, name: str) -> str:
    trace = runner.ask(pictures_of(name, (40, 30)), QUESTION, max_new_tokens=1, system=" Be brief. ")
    return "".join(token.text for token in trace.tokens if token.role is role).strip()


@BARE
def test_system_text_and_question_have_their_places(name: str) -> None:
    runner = runner_of(name)
    assert of_role(runner, Role.SYSTEM, name) == "Be brief."
    assert of_role(runner, Role.QUESTION, name) == QUESTION


@BARE
def test_answers_in_batches_are_those_asked_one_by_one(name: str) -> None:
    runner, pictures = runner_of(name), pictures_of(name, (40, 30))
    pairs = [(pictures[0], QUESTION), (pictures[0], OTHER)]
    alone = [runner.ask(pictures[0], question, max_new_tokens=3) for _, question in pairs]
    assert len({trace.prompt_length for trace in alone}) == 2, "one of them has to be padded"
    assert runner.answers(pairs, max_new_tokens=3) == [trace.answer for trace in alone]


@BARE
def test_what_it_said_can_be_read_back(name: str) -> None:
    runner, pictures = runner_of(name), pictures_of(name, (40, 30))
    said = runner.ask(pictures, QUESTION, max_new_tokens=3)
    assert runner.read(pictures, QUESTION, said.answer).tokens == said.tokens


@BARE
def test_a_history_is_refused_before_anything_runs(name: str) -> None:
    with pytest.raises(CheckpointError, match="never taught where a turn ends"):
        runner_of(name).estimate(pictures_of(name, (40, 30)), OTHER, history=[(QUESTION, "red")])
