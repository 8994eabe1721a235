"""What the token-and-image view sends of learned queries, and what it says where they were not recorded."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from explore.errors import ParameterError
from explore.maps import query_attention
from explore.maps.words import group_words
from explore.models.plans import RecordingPlan
from tests.families.cases import QUESTION, pictures_of, runner_of
from tests.query_traces import SHAPES, query_trace
from tests.widgets.samples import sample_trace
from widgets import Selection, TokenImageView, Workbench
from widgets.codec import unpack

TRACE = query_trace()


@pytest.fixture
def view() -> TokenImageView:
    return TokenImageView(TRACE)


def test_it_says_in_words_that_there_is_no_grid_and_what_is_shown(view: TokenImageView) -> None:
    assert "learned queries" in view.note
    assert "no grid" in view.note
    assert "mean of its 2 layers and its 3 heads" in view.note
    chosen = TokenImageView(TRACE, query_attention(TRACE, layer=1, heads=(0, 2)))
    assert "mean of layer 1 of 2 and heads 0, 2 of 3" in chosen.note


def test_queries_arrive_with_their_maps(view: TokenImageView) -> None:
    maps = query_attention(TRACE)
    items = view.queries["items"]
    assert [item["name"] for item in items] == [f"q{number}" for number in range(8)]
    assert [item["position"] for item in items] == maps.positions.tolist()
    assert [item["grid"] for item in items] == [0] * 4 + [1] * 4
    np.testing.assert_allclose(unpack(view.queries["maps"]), maps.array, atol=maps.array.max() / 500)
    assert view.queries["elsewhere"] == pytest.approx([0.2] * 8, abs=1e-5)
    assert [(grid["rows"], grid["cols"], grid["picture"]) for grid in view.grids] == [(*SHAPES[0], 0), (*SHAPES[1], 1)]
    assert [grid["label"] for grid in view.grids] == ["Image 0", "Image 1"]


def test_words_come_through_the_queries_with_a_control_beside(view: TokenImageView) -> None:
    maps = query_attention(TRACE)
    through, uniform = view.methods
    assert [through["control"], uniform["control"]] == [False, True]
    assert "two-step proxy" in through["about"]
    assert through["positions"] == TRACE.answer_positions.tolist()
    row = through["positions"].index(int(TRACE.answer_positions[1]))
    found = maps.through(int(TRACE.answer_positions[1]))
    wanted = np.concatenate([piece.ravel() for piece in found.pieces])
    np.testing.assert_allclose(unpack(through["packed"])[row], wanted, atol=1e-3)
    np.testing.assert_allclose(unpack(view.queries["use"]["packed"])[row], found.use.weights, atol=3e-3)
    np.testing.assert_allclose(unpack(uniform["packed"])[row], maps.array.mean(axis=0), atol=1e-3)
    word = next(each for each in group_words(TRACE.tokens) if each.text == "dragonfly")
    assert through["words"] == [list(word.positions)]
    assert len(unpack(through["packed"])) == len(through["positions"]) + 1


def test_it_opens_on_the_word_that_used_the_queries_most(view: TokenImageView) -> None:
    assert view.selection.token in TRACE.answer_positions
    assert TRACE.tokens[view.selection.token].text.strip().isalnum()
    assert view.selection.by == "auto"
    assert TokenImageView(TRACE, selection=Selection(patch=3)).selection == Selection(patch=3)
    assert (view.method, view.scale) == ("through", "each")
    assert TokenImageView(TRACE, method="uniform", scale="joint").method == "uniform"
    with pytest.raises(ParameterError, match="no method 'tam'"):
        TokenImageView(TRACE, method="tam")


def test_what_was_not_recorded_is_said_with_how_to() -> None:
    view = TokenImageView(replace(TRACE, vision={}))
    assert "learned queries" in view.note
    assert 'record=RecordingPlan(vision=("query_attention",))' in view.note
    assert (view.queries, view.methods, view.selection.token) == ({"items": []}, [], None)
    assert [(grid["rows"], grid["box"]) for grid in view.grids] == [(1, [0, 0, 1, 1])] * 2
    unknown = tuple(replace(each, boxes=None) for each in TRACE.layout.queries)
    assert "compressor" in TokenImageView(replace(TRACE, layout=replace(TRACE.layout, queries=unknown))).note


def test_without_rows_or_columns_there_are_queries_but_no_words() -> None:
    blind = replace(TRACE, attention_rows={}, row_positions=np.empty(0, np.int64), columns=None)
    view = TokenImageView(blind)
    assert len(view.queries["items"]) == 8
    assert view.queries["use"] is None
    assert "Words have no map through the queries" in view.note


def test_maps_of_another_run_are_refused() -> None:
    with pytest.raises(ParameterError, match="another run"):
        TokenImageView(TRACE, query_attention(query_trace(each=5)))
    with pytest.raises(ParameterError, match="another run"):
        TokenImageView(sample_trace(), query_attention(TRACE))


def test_a_run_with_a_grid_sends_no_queries() -> None:
    assert TokenImageView(sample_trace()).queries == {}


@pytest.mark.parametrize("name", ["blip-2", "idefics2", "instructblipvideo", "deepseek_ocr2"])
@pytest.mark.filterwarnings("ignore")
def test_real_runs_are_shown_and_travel(name: str, tmp_path: Path) -> None:
    plan = RecordingPlan(vision=("query_attention",))
    trace = runner_of(name).ask(pictures_of(name, (40, 30), (30, 64)), QUESTION, max_new_tokens=3, record=plan)
    bench = Workbench(trace)
    assert len(bench.view.grids) == len(trace.layout.queries)
    assert len(bench.view.methods) == 2
    assert bench.save_html(tmp_path / "page.html").stat().st_size > 10_000
