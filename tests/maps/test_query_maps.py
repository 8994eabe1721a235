"""Maps of learned queries: shares of their attention over the patches, and a word's map through them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import explore
from explore.errors import NotRecordedError, ParameterError
from explore.maps import METHODS, QueryMaps, query_attention
from explore.maps.words import group_words
from explore.trace import Trace
from tests.maps.fakes import fake_trace
from tests.query_traces import SHAPES, query_trace


@pytest.fixture(scope="module")
def trace() -> Trace:
    return query_trace()


@pytest.fixture(scope="module")
def maps(trace: Trace) -> QueryMaps:
    return query_attention(trace)


def test_a_map_is_the_mean_of_layers_and_heads_over_the_querys_own_view(trace: Trace, maps: QueryMaps) -> None:
    weights = trace.vision["query_attention"]
    split, count = int(np.prod(SHAPES[0])), len(trace.layout.queries[0].positions)
    first, second = trace.layout.queries
    wanted = weights[:, :, 2, :split].mean(axis=(0, 1)).reshape(SHAPES[0])
    np.testing.assert_allclose(maps[int(first.positions[2])], wanted, rtol=1e-5)
    wanted = weights[:, :, count + 1, split:].mean(axis=(0, 1)).reshape(SHAPES[1])
    np.testing.assert_allclose(maps[int(second.positions[1])], wanted, rtol=1e-5)
    assert maps[int(second.positions[1])].dtype == np.float32


def test_maps_sum_to_one_with_what_went_elsewhere(maps: QueryMaps) -> None:
    assert len(maps) == len(maps.positions) == 8
    for position in maps.positions:
        assert 0 < maps[position].sum() < 1
        assert maps[position].sum() + maps.elsewhere(position) == pytest.approx(1, abs=1e-6)


def test_a_layer_and_a_head_are_chosen(trace: Trace) -> None:
    weights, patches = trace.vision["query_attention"], int(np.prod(SHAPES[0]))
    position = int(trace.layout.queries[0].positions[0])
    found = query_attention(trace, layer=1, heads=2)
    np.testing.assert_allclose(found[position].ravel(), weights[1, 2, 0, :patches], rtol=1e-6)
    assert (found.layers, found.heads) == ((1,), (2,))
    several = query_attention(trace, layer=(0, 1), heads=(0, 2))[position]
    np.testing.assert_allclose(several.ravel(), weights[:, ::2, 0, :patches].mean(axis=(0, 1)), rtol=1e-5)
    for wrong in ({"layer": 2}, {"layer": ()}, {"heads": -1}, {"heads": "max"}):
        with pytest.raises(ParameterError, match="The compressor has 0 to"):
            query_attention(trace, **wrong)


def test_a_word_looks_where_the_queries_it_used_look(trace: Trace, maps: QueryMaps) -> None:
    token = int(trace.answer_positions[2])
    rows = np.stack([trace.attention(layer, token - 1)[:, 0][:, maps.positions] for layer in range(trace.layers)])
    weights = rows.mean(axis=(0, 1))
    found = maps.through(token)
    assert found.use.share == pytest.approx(weights.sum(), rel=1e-5)
    np.testing.assert_allclose(found.use.weights, weights / weights.sum(), rtol=1e-5)
    flat = np.concatenate([piece.ravel() for piece in found.map])
    np.testing.assert_allclose(flat, weights @ maps.array / weights.sum(), rtol=1e-4)
    assert [piece.shape for piece in found.map] == list(SHAPES)
    assert flat.sum() <= 1
    assert "two-step proxy" in found.note
    assert "2 decoder layers" in found.note


def test_a_token_that_used_one_query_looks_where_that_one_does(trace: Trace, maps: QueryMaps) -> None:
    only = int(maps.positions[3])
    rows = {layer: np.zeros_like(weights) for layer, weights in trace.attention_rows.items()}
    for weights in rows.values():
        weights[:, :, only] = 0.25
    found = query_attention(replace(trace, attention_rows=rows)).through(int(trace.answer_positions[0]))
    np.testing.assert_allclose(found.map[0], maps[only], rtol=1e-6)
    assert not found.map[1].any()
    assert found.use.share == pytest.approx(0.25)


def test_the_control_uses_every_query_alike(trace: Trace, maps: QueryMaps) -> None:
    one, other = (maps.through(int(place), control="uniform") for place in trace.answer_positions[:2])
    flat = np.concatenate([piece.ravel() for piece in one.map])
    np.testing.assert_allclose(flat, maps.array.mean(axis=0), rtol=1e-5)
    np.testing.assert_array_equal(one.map[0], other.map[0])
    assert "a control" in one.note
    with pytest.raises(ParameterError, match="uniform"):
        maps.through(int(trace.answer_positions[0]), control="random")  # type: ignore[arg-type]


def test_a_word_of_several_pieces_is_their_mean(trace: Trace, maps: QueryMaps) -> None:
    word = next(each for each in group_words(trace.tokens) if len(each.tokens) > 1 and each.role == "answer")
    pieces = [maps.through(token) for token in word.tokens]
    together = np.mean([each.use.weights * each.use.share for each in pieces], axis=0)
    np.testing.assert_allclose(maps.through(word).use.weights, together / together.sum(), rtol=1e-5)


def test_head_columns_stand_in_where_no_rows_were_recorded(trace: Trace) -> None:
    maps = query_attention(replace(trace, attention_rows={}, row_positions=np.empty(0, np.int64)))
    token = trace.tokens[int(trace.answer_positions[1])]
    assert trace.columns is not None
    logits = trace.columns.of(token.id)[maps.positions].clip(min=0)
    found = maps.through(token)
    np.testing.assert_allclose(found.use.weights, logits / logits.sum(), rtol=1e-5)
    assert "no attention rows were recorded" in found.note
    assert found.use.share is None


def test_what_was_not_recorded_is_said_with_what_to_do(trace: Trace, maps: QueryMaps) -> None:
    with pytest.raises(NotRecordedError, match="query_attention"):
        query_attention(replace(trace, vision={}))
    blind = replace(trace, attention_rows={}, row_positions=np.empty(0, np.int64), columns=None)
    with pytest.raises(NotRecordedError, match="attention="):
        query_attention(blind).through(int(trace.answer_positions[0]))
    with pytest.raises(NotRecordedError, match="rows of positions"):
        maps.through(int(trace.layout.positions("question")[0]))
    with pytest.raises(ParameterError, match="for the text"):
        maps.through("house")  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match=r"maps\.positions"):
        maps[0]


def test_a_run_with_a_grid_has_no_queries(trace: Trace) -> None:
    with pytest.raises(ParameterError, match="no learned queries"):
        query_attention(fake_trace())
    unknown = tuple(replace(each, boxes=None) for each in trace.layout.queries)
    with pytest.raises(ParameterError, match=r"compressors\.py"):
        query_attention(replace(trace, layout=replace(trace.layout, queries=unknown)))


def test_other_methods_point_to_it(trace: Trace) -> None:
    with pytest.raises(ParameterError, match=r"explore\.maps\.query_attention\(trace\)"):
        METHODS["tam"]().maps(trace)


def test_overlays_lie_on_the_querys_own_picture(trace: Trace, maps: QueryMaps) -> None:
    second = trace.layout.queries[1]
    drawn = np.asarray(maps.overlay(int(second.positions[0]), size=200, smooth=False, opacity=1.0))
    width, height = second.size
    assert drawn.shape[:2] == (round(200 * height / max(width, height)), round(200 * width / max(width, height)))
    values = maps[int(second.positions[0])]
    rows, cols = values.shape
    row, col = np.unravel_index(values.argmax(), values.shape)
    brightest = drawn[int((row + 0.5) / rows * drawn.shape[0]), int((col + 0.5) / cols * drawn.shape[1])]
    assert brightest.tolist() == [253, 231, 37]  # the last colour of viridis
    dull = np.asarray(maps.overlay(int(second.positions[0]), size=200, smooth=False, opacity=1.0, stretch=False))
    assert dull.mean() <= drawn.mean()
    through = maps.through(int(trace.answer_positions[0]))
    assert through.overlay(image=1, size=100).size == (100, round(100 * height / width))
    with pytest.raises(ParameterError, match="image 5"):
        through.overlay(image=5)
    with pytest.raises(ParameterError, match="pictures were kept"):
        query_attention(replace(trace, images=())).overlay(int(second.positions[0]))


def test_a_saved_run_has_the_same_maps(trace: Trace, maps: QueryMaps, tmp_path: Path) -> None:
    trace.save(tmp_path / "run.trace")
    opened = query_attention(explore.open_trace(tmp_path / "run.trace"))
    np.testing.assert_array_equal(opened.array, maps.array)
