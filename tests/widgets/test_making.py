"""How a map was made: the words and the pictures must follow from the maps themselves."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from explore.layout import Role
from explore.maps import METHODS, token_activation_maps
from tests.widgets.samples import answer_maps, position_of, sample_trace
from widgets.codec import unpack
from widgets.making import making_state

TRACE = sample_trace()
TAM = token_activation_maps(TRACE)
HOUSE = [token.position for token in TAM.tokens].index(position_of(TRACE, " house"))


def facts(state: dict[str, Any], row: int) -> dict[str, str]:
    return {
        fact["name"]: fact["text"] if isinstance(fact["text"], str) else fact["text"][row] for fact in state["facts"]
    }


def steps(state: dict[str, Any]) -> dict[str, np.ndarray]:
    return {step["title"]: unpack(step["packed"]) for step in state["steps"]}


def test_tam_says_what_was_told_and_where_it_comes_from() -> None:
    state = making_state(TAM, TRACE)
    assert state["about"].startswith("Where a token's own logit is high in the picture")
    assert "2506.23270" in state["source"]
    assert state["code"] == (
        'explore.maps.METHODS["tam"](mode="paper", eci=True, rank_filter=True, kernel=3, skip_own_word=False)'
    )


def test_tam_shows_every_step() -> None:
    parts = TAM.parts
    shown = steps(making_state(TAM, TRACE))
    assert list(shown) == ["Raw", "Subtracted", "Normalised", "Filtered"]
    for title, wanted in (
        ("Raw", parts.raw),
        ("Subtracted", parts.scale[:, None] * parts.interference),
        ("Normalised", parts.normalised),
        ("Filtered", parts.maps),
    ):
        spread = wanted.max(axis=1) - wanted.min(axis=1)
        assert (np.abs(shown[title] - wanted).max(axis=1) <= spread / 500 + 1e-6).all(), title


def test_tam_says_what_was_subtracted_and_how_much() -> None:
    parts = TAM.parts
    said = facts(making_state(TAM, TRACE), HOUSE)["Subtracted"]
    rest = np.maximum(parts.raw[HOUSE] - parts.scale[HOUSE] * parts.interference[HOUSE], 0)
    assert said.startswith(f"{parts.scale[HOUSE]:.3g} × the interference of earlier tokens")
    assert f"{1 - rest.sum() / parts.raw[HOUSE].sum():.0%} of the raw map" in said
    assert facts(making_state(TAM, TRACE), 0)["Subtracted"] == "Nothing."


def test_the_ends_of_the_joint_scale_are_those_of_the_computation() -> None:
    raw = METHODS["logit"]().maps(TRACE).parts
    position = TAM.tokens[HOUSE].position
    column = TRACE.columns.of(TRACE.tokens[position].id)
    text = [token.position - 1 if token.role is Role.ANSWER else token.position for token in TAM.tokens[:HOUSE]]
    scores = np.maximum(np.concatenate([raw.raw[HOUSE], column[text]]), 0)
    said = facts(making_state(METHODS["logit"]().maps(TRACE), TRACE), HOUSE)["Normalised"]
    assert f"{scores.min():.3g} became 0, {scores.max():.3g} became 1" in said


def test_a_token_that_answers_to_text_says_so() -> None:
    state = making_state(TAM, TRACE)
    for row in range(1, len(TAM)):
        said, seen = np.nanmax(TAM.parts.text[row]), TAM.parts.normalised[row].max()
        told = facts(state, row)["Highest score"]
        assert f"{max(said, seen):.3g} " in told
        best = TAM.tokens[int(np.nanargmax(TAM.parts.text[row]))].text.strip()
        assert f"text token “{best}”" in told
        assert ("the picture reaches" in told) == bool(said > seen)


def test_parts_that_are_off_are_named() -> None:
    plain = METHODS["logit"]().maps(TRACE)
    state = making_state(plain, TRACE)
    assert list(steps(state)) == ["Raw", "Normalised"]
    assert facts(state, HOUSE)["Subtracted"] == "Nothing."
    assert facts(state, HOUSE)["Filter"] == "None."
    wide = token_activation_maps(TRACE, kernel=5)
    assert facts(making_state(wide, TRACE), HOUSE)["Filter"] == "Rank Gaussian over 5 × 5 patches."


def test_the_reference_shows_the_map_it_hands_out() -> None:
    maps = token_activation_maps(TRACE, mode="reference")
    first = [token.position for token in maps.tokens].index(TRACE.prompt_length)
    filtered = steps(making_state(maps, TRACE))["Filtered"]
    np.testing.assert_allclose(filtered[first], maps.array[first], atol=1 / 400)


def test_some_tokens_keep_their_own_steps() -> None:
    some = METHODS["tam"]().maps(TRACE, TAM.tokens[HOUSE])
    state = making_state(some, TRACE)
    assert facts(state, 0) == facts(making_state(TAM, TRACE), HOUSE)
    np.testing.assert_allclose(steps(state)["Raw"][0], TAM.parts.raw[HOUSE], atol=0.05)


def test_values_that_were_divided_say_by_what() -> None:
    maps = answer_maps(TRACE)
    state = making_state(maps, TRACE)
    said = facts(state, 2)
    low, high = maps.parts.values[2].min(), maps.parts.values[2].max()
    assert said["Unit"] == "logit lost"
    assert said["Values"] == f"1 is {maps.parts.scale:.3g} in that unit."
    assert said["Raw values"] == f"{low:.3g} to {high:.3g}."
    assert said["Note"] == "Negative values are shown as 0."
    np.testing.assert_allclose(steps(state)["Raw values"], maps.parts.values, atol=0.02)


def test_values_that_were_made_a_map_in_another_way_do_not_say_what_1_is() -> None:
    maps = answer_maps(TRACE)
    stretched = maps.array / maps.array.max(axis=1, keepdims=True)
    assert facts(making_state(replace(maps, array=stretched), TRACE), 2)["Values"] == ""


def test_a_method_of_the_toolkit_with_such_parts_is_told_too() -> None:
    maps = METHODS["centre"]().maps(TRACE)
    state = making_state(maps, TRACE)
    assert state["about"]
    assert state["facts"]


def test_a_method_without_steps_says_there_is_nothing_more() -> None:
    state = making_state(METHODS["random"]().maps(TRACE), TRACE)
    assert "no steps to show" in facts(state, 0)["Steps"]
    assert state["steps"] == []
    assert state["code"] == 'explore.maps.METHODS["random"](seed=0)'


@pytest.mark.parametrize("parts", [None, "text", 7])
def test_maps_from_elsewhere_are_no_trouble(parts: object) -> None:
    maps = replace(TAM, parts=parts, fingerprint={})
    assert making_state(maps, TRACE)["code"] == ""
    assert making_state(maps, TRACE)["steps"] == []


def test_values_that_are_not_finite_have_no_picture() -> None:
    maps = answer_maps(TRACE)
    maps.parts.values[0, 0] = np.nan
    assert making_state(maps, TRACE)["steps"] == []
