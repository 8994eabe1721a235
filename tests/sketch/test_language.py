"""Captions with spans, questions with true answers, answers judged by content."""

from collections import Counter

import numpy as np
import pytest

from explore.sketch import Thing, scene
from explore.sketch.answers import claims, is_right, kinds_named
from explore.sketch.language import CAPTION_REQUESTS, QUESTION_TYPES, Question, caption, on_side, questions
from explore.sketch.training.scene_store import scene_contents

HOUSE, DOG, KEY = (
    Thing("house", "red", "large", (0.5, 0.5)),
    Thing("dog", "blue", "small", (0.15, 0.55)),
    Thing("key", "green", "medium", (0.85, 0.1)),
)


def asked(things: list[Thing], question_type: str, seeds: int = 20) -> dict[str, str]:
    """Every wording of one type of question with its answer."""
    found: list[Question] = []
    for seed in range(seeds):
        found += QUESTION_TYPES[question_type](things, "grass", np.random.default_rng(seed))
    return {question.text: question.answer for question in found}


@pytest.mark.parametrize("style", CAPTION_REQUESTS)
def test_caption_spans_are_the_noun_phrases(style: str) -> None:
    for seed in range(40):
        drawn = scene_contents(seed)
        said = caption(drawn, style)
        assert sorted(index for *_, index in said.spans) == list(range(len(drawn[0])))
        for start, end, index in said.spans:
            thing = drawn[0][index]
            assert said.text[start:end].lower().endswith(f"{thing.colour} {thing.kind}")
        assert kinds_named(said.text) == Counter(thing.kind for thing in drawn[0])


def test_captions_read_from_left_to_right() -> None:
    text = caption(([HOUSE, DOG, KEY], "snow"), "full").text
    assert text == (
        "A small blue dog on the left, a large red house in the middle and a green key at the top right, in the snow."
    )
    assert caption(([DOG], "snow"), "short").text == "A blue dog."
    assert caption(([DOG], "snow"), "scene").text == "There is a blue dog in the snow."


def test_relations_hold_and_close_calls_are_not_asked() -> None:
    things = [HOUSE, DOG, KEY]
    assert on_side(things, 0, "left of") == [1]
    assert on_side(things, 0, "right of") == [2]
    assert on_side(things, 0, "below") is None  # the dog's centre is nearly level with the house's
    answers = asked(things, "relation")
    assert answers["What is left of the house?"] == "A blue dog."
    assert answers["What is to the right of the dog?"] == "A red house and a green key."
    assert not any("below the house" in text or "under the house" in text for text in answers)


def test_where_colour_what_count_and_sign() -> None:
    things = [HOUSE, DOG, Thing("sign", "pink", "large", (0.2, 0.85), "ZOO")]
    assert asked(things, "where")["Where is the house?"] == "In the middle."
    assert asked(things, "colour")["What colour is the dog?"] == "Blue."
    assert asked(things, "what")["Which thing is pink?"] == "A pink sign."
    assert asked(things, "count")["How many things are there?"] == "Three."
    assert asked(things, "sign")["What does the sign say?"] == "ZOO"
    assert asked(things, "sign")["Read the sign."] == "The sign says ZOO"


def test_two_alike_are_told_apart_by_colour_or_not_asked_about() -> None:
    dogs = [DOG, Thing("dog", "red", "small", (0.85, 0.85))]
    assert not asked(dogs, "colour")
    assert "Where is the red dog?" in asked(dogs, "where")
    twins = [DOG, Thing("dog", "blue", "small", (0.85, 0.85))]
    assert not asked(twins, "where")
    assert asked(twins, "count")["How many dogs are there?"] == "Two."


def test_yes_and_no_are_balanced_and_true() -> None:
    given = [
        question.answer
        for seed in range(400)
        for question in QUESTION_TYPES["yes/no"](*scene_contents(seed), np.random.default_rng(seed))
    ]
    assert 0.42 < given.count("Yes.") / len(given) < 0.58
    answers = asked([HOUSE, DOG], "yes/no", seeds=200)
    assert answers["Is the dog blue?"] == "Yes."
    assert all(answer == "No." for text, answer in answers.items() if "Is the dog" in text and "red" in text)
    assert answers["Is the dog left of the house?"] == "Yes."
    assert answers["Is the dog right of the house?"] == "No."


def test_every_answer_is_right_by_its_own_measure_and_wrong_by_anothers() -> None:
    for seed in range(200):
        for question in questions(scene_contents(seed), np.random.default_rng(seed)):
            assert claims(question.type, question.answer)
            assert is_right(question.type, question.answer, question.answer)


@pytest.mark.parametrize(
    ("question_type", "answer", "truth", "right"),
    [
        ("colour", "The dog is blue.", "Blue.", True),
        ("colour", "The dog is red.", "Blue.", False),
        ("colour", "red or blue", "Blue.", False),
        ("relation", "A red house and a green key.", "A green key and a red house.", True),
        ("relation", "A red house.", "A green key and a red house.", False),
        ("relation", "Nothing.", "Nothing.", True),
        ("where", "The dog is at the top left.", "At the top left.", True),
        ("where", "At the top.", "At the top left.", False),
        ("count", "There are none.", "None.", True),
        ("count", "Two.", "Three.", False),
        ("sign", "The sign says ZOO", "ZOO", True),
        ("sign", "ZOO.", "ZOO", True),
        ("sign", "zoo", "ZOO", False),
        ("yes/no", "Yes, there is.", "Yes.", True),
        ("what", "An orange butterfly.", "An orange butterfly.", True),
        ("what", "", "An orange butterfly.", False),
    ],
)
def test_answers_are_judged_by_content(question_type: str, answer: str, truth: str, right: bool) -> None:
    assert is_right(question_type, answer, truth) is right


def test_plurals_and_inner_words_are_read_as_whole_kinds() -> None:
    assert kinds_named("two cherries, an ice cream and a lighthouse") == Counter(
        {"cherry": 1, "ice cream": 1, "lighthouse": 1}
    )
    assert scene(seed=3).caption("short")
