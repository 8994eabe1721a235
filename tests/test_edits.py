"""Edits as plain data: positions by name, composition, JSON."""

from __future__ import annotations

import json

import numpy as np
import pytest

from explore.edits import (
    AddNoise,
    CutEdges,
    DropTokens,
    FreezeStates,
    MergeTokens,
    ReplaceStates,
    ScaleStates,
    SkipUpdate,
    as_edits,
    places_of,
)
from explore.errors import ParameterError
from explore.layout import ImageGrid, Role, TokenLayout

ROLES = ("template", "image", "image", "image", "image", "question", "question", "template", "answer", "answer")


def layout() -> TokenLayout:
    boxes = np.zeros((1, 2, 4))
    grids = (ImageGrid(0, 0, 0, [[1, 2]], boxes, (2, 1)), ImageGrid(1, 0, 0, [[3, 4]], boxes, (2, 1)))
    return TokenLayout(tuple(Role(role) for role in ROLES), grids)


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("image", [1, 2, 3, 4]),
        ("image:1", [3, 4]),
        ("question", [5, 6]),
        ("last", [7]),
        ("template", [0, 7]),
        ("answer", [8, 9, 10, 11]),
        ("~image", [0, 5, 6, 7, 8, 9, 10, 11]),
        ("~answer", [0, 1, 2, 3, 4, 5, 6, 7]),
        ("prompt", [0, 1, 2, 3, 4, 5, 6, 7]),
        ("all", list(range(12))),
        (("last", 2, "image:1"), [2, 3, 4, 7]),
        (9, [9]),
        (np.array([1, 6]), [1, 6]),
        (np.array([False, True, True]), [1, 2]),
        ((), []),
    ],
)
def test_names_and_numbers_mean_positions_of_a_growing_sequence(where, expected):
    edit = FreezeStates(where)
    places = places_of(edit.rows, layout(), 8)
    assert np.flatnonzero(places.mask(np.arange(12))).tolist() == expected


@pytest.mark.parametrize("where", ["picture", "image:x", -1, 1.5, ["image", "nothing"]])
def test_what_is_no_position_is_refused(where):
    with pytest.raises(ParameterError):
        CutEdges(where, "last")


def test_a_name_that_the_prompt_lacks_is_refused_with_those_it_has():
    with pytest.raises(ParameterError, match="template, image, question"):
        places_of("system", layout(), 8)
    with pytest.raises(ParameterError, match="2 images"):
        places_of("image:2", layout(), 8)


def test_edits_add_up_in_order():
    one, other, third = CutEdges("image", "last"), SkipUpdate("mlp", "last"), ScaleStates("image", factor=2)
    assert tuple(one + other) == (one, other)
    assert tuple(one + [other, third]) == (one, other, third)  # noqa: RUF005
    assert tuple((one + other) + third) == tuple(as_edits(one, [other, [third]])) == (one, other, third)
    with pytest.raises(ParameterError, match="'cut'"):
        as_edits(one, "cut")


def test_edits_are_plain_data_and_equal_by_it():
    values = np.ones((2, 4), np.float32)
    edits = as_edits(
        CutEdges("image", [7], layers=[2, 1, 1], heads=0),
        ReplaceStates([1, 2], layers=3, values=values),
        AddNoise("image", std=2, seed=5),
        DropTokens([1, 2], layer=1),
        MergeTokens([[3, 4]]),
    )
    told = json.loads(json.dumps([each.to_json() for each in edits]))
    assert told[0]["layers"] == [1, 2]
    assert told[0]["heads"] == [0]
    assert told[1]["values"]["shape"] == [2, 4]
    assert ReplaceStates([1, 2], layers=3, values=values.copy()) == edits[1]
    assert ReplaceStates([1, 2], layers=3, values=2 * values) != edits[1]
    assert hash(edits[0]) == hash(CutEdges("image", (7,), layers=(1, 2), heads=[0]))


@pytest.mark.parametrize(
    "make",
    [
        lambda: SkipUpdate("norm"),
        lambda: ReplaceStates("image"),
        lambda: ReplaceStates("image", values=[[np.nan]]),
        lambda: AddNoise("image", std=-1),
        lambda: ScaleStates("image", factor=np.inf),
        lambda: ScaleStates("image", part="value", factor=1),
        lambda: MergeTokens([[3]]),
        lambda: MergeTokens([[3, 4], [4, 5]]),
        lambda: CutEdges("image", "last", layers=[]),
        lambda: CutEdges("image", "last", heads=[-1]),
    ],
)
def test_values_that_no_edit_can_have_are_refused(make):
    with pytest.raises(ParameterError):
        make()


def test_noise_is_the_same_however_the_run_is_cut_into_calls():
    noise = AddNoise("image", std=3.0, seed=4)
    whole = noise.drawn(0, np.arange(6), 8)
    np.testing.assert_array_equal(whole[2:5], noise.drawn(0, np.arange(2, 5), 8))
    assert not np.array_equal(whole, noise.drawn(1, np.arange(6), 8))
    assert 2.0 < noise.drawn(0, np.arange(100), 50).std() < 4.0


def test_no_file_of_the_package_imports_torch():
    """A recorded run and its edits open on a laptop that has none."""
    import ast
    from pathlib import Path

    import explore.edits

    for path in Path(explore.edits.__file__).parent.glob("*.py"):
        names = {
            name.split(".")[0]
            for node in ast.walk(ast.parse(path.read_text()))
            for name in (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else []
            )
        }
        assert not names & {"torch", "transformers"}, path
