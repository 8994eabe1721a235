"""Maps of real runs of a tiny random model: the adapter, not the numbers."""

import numpy as np
import pytest
from PIL import Image

from explore.layout import Role
from explore.maps import token_activation_maps
from tests.tiny import tiny_runner


def picture(seed, size=(40, 30)):
    pixels = np.random.default_rng(seed).integers(0, 255, (size[1], size[0], 3), dtype=np.uint8)
    return Image.fromarray(pixels)


@pytest.fixture(scope="module")
def trace():
    return tiny_runner().ask(picture(0), "what colour is the dog on the left?", max_new_tokens=6)


def test_question_and_answer_tokens_have_maps(trace):
    maps = token_activation_maps(trace)
    assert [token.position for token in maps.tokens] == [
        *trace.layout.positions(Role.QUESTION),
        *trace.answer_positions,
    ]
    grid = trace.layout.grid()
    assert maps[trace.answer_positions[0]].shape == (grid.rows, grid.cols)
    assert maps.find("the", role="question")


def test_raw_maps_are_the_logits_of_the_token_at_the_visual_positions(trace):
    maps = token_activation_maps(trace)
    for position in trace.answer_positions:
        row = [token.position for token in maps.tokens].index(position)
        column = trace.columns.of(trace.tokens[position].id)
        expected = np.maximum(column[trace.layout.grid().positions.ravel()], 0)
        np.testing.assert_array_equal(maps.parts.raw[row], expected)


def test_the_first_question_entry_explains_what_the_model_expected_there(trace):
    guess = token_activation_maps(trace).parts.classes[0]
    first = trace.layout.positions(Role.QUESTION)[0]
    assert trace.columns.of(guess)[first] == trace.columns.logits[first].max()
    # Another answer to the same question brings other columns, but the same guess.
    other = tiny_runner().read(trace.images[0], trace.question, [5, 6, 7])
    assert token_activation_maps(other).parts.classes[0] == guess


def test_generated_and_given_answers_give_the_same_maps(trace):
    given = tiny_runner().read(trace.images[0], trace.question, trace.answer_ids.tolist())
    for mode in ("paper", "reference"):
        np.testing.assert_allclose(
            token_activation_maps(given, mode).array, token_activation_maps(trace, mode).array, atol=1e-4
        )


def test_two_pictures():
    trace = tiny_runner().ask([picture(1), picture(2, (20, 50))], "what is this?", max_new_tokens=3)
    maps = token_activation_maps(trace)
    first, second = maps[trace.answer_positions[0]]
    assert first.shape == second.shape == (4, 4)
    assert maps.overlay(trace.answer_positions[0], image=1, size=50).size == (20, 50)
