"""The exam marks by content, gives intervals, and the shipped checkpoints pass a short form of it."""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

import explore
from explore.errors import ParameterError
from explore.sketch import scene
from explore.sketch.exams import FIRST_EXAM_SEED, FLOORS, compare, exam_questions, run_exam
from explore.sketch.language import QUESTION_TYPES
from explore.sketch.training.shipping import WEIGHTS


class Crib:
    """Answers from the answer sheet, or always the same."""

    def __init__(self, scenes: int, always: str | None = None) -> None:
        self.always = always
        self.sheet = {}
        for seed in range(FIRST_EXAM_SEED, FIRST_EXAM_SEED + scenes):
            drawn = scene(seed=seed)
            for question in exam_questions(drawn, np.random.default_rng(seed)):
                self.sheet[drawn.image.tobytes(), question.text] = question.answer

    def answers(self, pairs: Sequence[tuple[Any, str]], *, max_new_tokens: int, batch_size: int) -> list[str]:
        return [self.always or self.sheet[image.tobytes(), question] for image, question in pairs]


def test_full_marks_for_the_answer_sheet() -> None:
    result = run_exam(Crib(30), scenes=30)
    assert result.passed
    assert all(mark.value == 1.0 and mark.low < 1.0 for mark in result.marks if mark.name != "captions")
    assert {mark.name for mark in result.marks} == {"captions", "all questions", *QUESTION_TYPES}
    assert not result.mistakes()


def test_no_marks_for_guessing() -> None:
    result = run_exam(Crib(30, always="Yes."), scenes=30)
    assert not result.passed
    assert result["captions"].value == 0
    assert 0.25 < result["yes/no"].value < 0.75
    assert result["yes/no"].low < result["yes/no"].value < result["yes/no"].high
    assert result["colour"].value == 0
    assert len(result.mistakes()) == sum(
        round(mark.cases * (1 - mark.value)) for mark in result.marks if mark.name in QUESTION_TYPES
    )


def test_tables_stand_side_by_side() -> None:
    table = compare(
        [run_exam(Crib(5), scenes=5), run_exam(Crib(5, always="No."), scenes=5, checkpoint="sketch-frozen")]
    )
    lines = table.splitlines()
    assert "sketch" in lines[0]
    assert "sketch-frozen" in lines[0]
    assert len({line.count("|") for line in lines}) == 1


def test_questions_are_spread_over_types_and_bounded() -> None:
    drawn = scene(seed=FIRST_EXAM_SEED + 5)
    asked = exam_questions(drawn, np.random.default_rng(0))
    assert asked[0].type == "caption"
    assert all(sum(question.type == name for question in asked) <= 2 for name in QUESTION_TYPES)


@pytest.mark.parametrize("wrong", [{"scenes": 0}, {"checkpoint": "other"}])
def test_an_exam_that_cannot_be_held_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ParameterError):
        run_exam(Crib(1), **{"scenes": 1, **wrong})


@pytest.mark.slow
@pytest.mark.parametrize("checkpoint", FLOORS)
def test_the_shipped_checkpoints_do_in_a_short_exam_what_their_card_says(checkpoint: str) -> None:
    cards = json.loads((WEIGHTS / "exam.json").read_text())
    card = next(entry for entry in cards if entry["checkpoint"] == checkpoint)
    assert card["passed"], "a checkpoint that misses a floor must not ship"
    assert card["scenes"] >= 1000
    result = run_exam(explore.load(checkpoint), scenes=40, checkpoint=checkpoint)
    for mark in result.marks:  # few cases: the interval of the short exam must reach that of the long one
        recorded = card["marks"][mark.name]
        # Eighteen marks are compared: intervals of 95 % would part by chance. These are of 99.8 %.
        wider = 0.6 * (mark.high - mark.low) / 2
        assert mark.high + wider >= recorded["low"], result.table()
        assert mark.low - wider <= recorded["high"], result.table()
