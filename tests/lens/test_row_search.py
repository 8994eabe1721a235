"""Exact search: golden values, a brute-force oracle, and what may change nothing: scale, shards, chunks, order."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from explore.errors import ExploreError, ParameterError
from explore.lens.centring import layer_means
from explore.lens.memory_rows import MemoryRows
from explore.lens.neighbours import Neighbours
from explore.lens.quantising import quantised
from explore.lens.row_search import search
from explore.lens.row_store import RowStore

patient = settings(deadline=None, max_examples=40)
Stored = Literal["float32", "float16", "int8"]
DTYPES: tuple[Stored, ...] = ("float32", "float16", "int8")


def golden() -> tuple[dict[int, np.ndarray], np.ndarray]:
    """Bank and queries of `specs/latent-lens.md` §6 G1."""
    i, c, t = np.arange(50)[:, None], np.arange(32)[None], np.arange(4)[:, None]
    layers = {
        layer: (np.sin(0.37 * (i + 1) * (c + 1) + 1.3 * layer + 0.11 * c**2) + 0.25 * np.cos(0.05 * layer * c)).astype(
            np.float32
        )
        for layer in (1, 2, 8)
    }
    queries = 1000 * (t + 1) * np.sin(0.37 * (9 * t + 3.4) * (c + 1) + 2.6 + 0.11 * c**2) + 30 * np.cos(c)
    return layers, queries.astype(np.float32)


GOLDEN = (
    ((8, 47, 0.24629), (8, 36, 0.23558), (8, 30, 0.23057), (8, 42, 0.22396), (8, 13, 0.20688)),
    ((2, 46, 0.34095), (2, 29, 0.32470), (2, 12, 0.29905), (8, 45, 0.28286), (2, 1, 0.23731)),
    ((8, 37, 0.27490), (8, 20, 0.23810), (8, 41, 0.23606), (8, 24, 0.22515), (2, 1, 0.22231)),
    ((8, 49, 0.28918), (8, 32, 0.27893), (8, 15, 0.26591), (8, 37, 0.24172), (8, 20, 0.23253)),
)


def drawn(seed: int, sizes: dict[int, int], width: int = 16) -> dict[int, np.ndarray]:
    random = np.random.default_rng(seed)
    return {layer: random.normal(size=(count, width)) + 0.3 * layer for layer, count in sizes.items()}


def brute(store: RowStore, queries: np.ndarray, k: int, layers: tuple[int, ...] | None = None) -> list[list[tuple]]:
    """All rows in double precision, sorted: similarity down, layer up, row up."""
    unit = queries.astype(np.float64)
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    found = []
    for query in unit:
        pairs = [
            (-float(row @ query), layer, part.start + number)
            for layer in layers or store.layers
            for part in store.parts(layer)
            for number, row in enumerate(part.floats(0, len(part)).numpy().astype(np.float64))
        ]
        found.append([(layer, row, -value) for value, layer, row in sorted(pairs)[:k]])
    return found


def same(one: Neighbours, other: Neighbours) -> None:
    """Equal to the last bit."""
    for name in ("similarities", "layers", "rows"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def test_golden_values() -> None:
    layers, queries = golden()
    np.testing.assert_allclose(layers[1][0, :3], [1.245084, 1.086586, 0.536229], atol=1e-6)
    np.testing.assert_allclose(queries[0, :3], [-626.6794, -854.7669, 493.7517], atol=1e-3)
    found = search(MemoryRows(layers), queries)
    for number, expected in enumerate(GOLDEN):
        assert list(zip(found.layers[number], found.rows[number], strict=True)) == [each[:2] for each in expected]
        np.testing.assert_allclose(found.similarities[number], [each[2] for each in expected], atol=1e-5)
    one = search(MemoryRows(layers), queries[1:2], 3, layers=[8])
    assert one.rows.tolist() == [[45, 28, 11]]
    np.testing.assert_allclose(one.similarities, [[0.28286, 0.20507, 0.13211]], atol=1e-5)
    assert repr(found) == "Neighbours(4 queries, k=5, exact; every row compared)"


@pytest.mark.parametrize("dtype", DTYPES)
def test_golden_values_with_smaller_rows(dtype: Stored) -> None:
    layers, queries = golden()
    store = MemoryRows(layers, dtype, rows_per_part=7)
    found = search(store, queries, chunk_bytes=500)
    for number, expected in enumerate(brute(store, queries, 5)):
        assert list(zip(found.layers[number], found.rows[number], strict=True)) == [each[:2] for each in expected]
        np.testing.assert_allclose(found.similarities[number], [each[2] for each in expected], atol=1e-6)
    whole = search(MemoryRows(layers), queries, 5)
    # A step of 1/127 of the largest number is coarse for the numbers of rows this narrow.
    tolerance = {"float32": 1e-5, "float16": 1e-3, "int8": 2e-3}[dtype]
    np.testing.assert_allclose(found.similarities, whole.similarities, atol=tolerance)


@pytest.mark.parametrize("dtype", ["float16", "int8"])
def test_smaller_rows_keep_similarities_to_a_thousandth(dtype: Stored) -> None:
    layers, queries = drawn(0, {1: 300, 2: 300}, 1024), drawn(1, {1: 40}, 1024)[1]
    found, whole = search(MemoryRows(layers, dtype), queries, 600), search(MemoryRows(layers), queries, 600)
    for one, other in zip(found.similarities, whole.similarities, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-3)
    assert search(MemoryRows(layers, dtype), queries).overlap(search(MemoryRows(layers), queries)) > 0.95


@patient
@given(
    st.integers(0, 10**6),
    st.dictionaries(st.integers(0, 9), st.integers(0, 30), min_size=1, max_size=4),
    st.integers(1, 40),
    st.sampled_from(DTYPES),
)
def test_it_is_a_flat_search_over_all_rows(seed: int, sizes: dict[int, int], k: int, dtype: Stored) -> None:
    store = MemoryRows(drawn(seed, sizes), dtype, rows_per_part=11)
    queries = np.random.default_rng(seed + 1).normal(size=(3, 16))
    found, total = search(store, queries, k), sum(sizes.values())
    assert found.rows.shape == (3, min(k, total))  # shorter where there are fewer rows
    for number, expected in enumerate(brute(store, queries, k)):
        np.testing.assert_allclose(found.similarities[number], [each[2] for each in expected], atol=2e-7)
        gaps = np.diff([each[2] for each in expected])
        if not len(gaps) or np.abs(gaps).min() > 1e-6:
            assert list(zip(found.layers[number], found.rows[number], strict=True)) == [each[:2] for each in expected]


@patient
@given(st.integers(0, 10**6), st.integers(1, 25), st.integers(1, 4000), st.sampled_from(DTYPES), st.booleans())
def test_parts_and_chunks_change_nothing(seed: int, part: int, chunk: int, dtype: Stored, centred: bool) -> None:
    """Not the last bit, and not the order of ties: one row in three is there several times."""
    layers = drawn(seed, {1: 23, 4: 2, 7: 31})
    layers[7][::3] = layers[7][0]
    layers[1][5] = layers[7][0]
    queries = np.random.default_rng(seed + 1).normal(size=(4, 16))
    queries[0] = layers[7][0]
    whole = MemoryRows(layers, dtype)
    options = {"centred": centred, "means": layer_means(whole) if centred else None}
    same(
        search(MemoryRows(layers, dtype, rows_per_part=part), queries, 8, chunk_bytes=chunk, **options),
        search(whole, queries, 8, **options),
    )


@pytest.mark.parametrize("chunk", [64, 1000, 10**6])
def test_ties_lie_in_the_order_of_layer_and_row(chunk: int) -> None:
    row = np.random.default_rng(0).normal(size=(1, 33))
    store = MemoryRows({5: row.repeat(40, 0), 2: row.repeat(3, 0), 9: row.repeat(40, 0)}, rows_per_part=17)
    found = search(store, -row, 7, chunk_bytes=chunk)
    assert found.layers.tolist() == [[2, 2, 2, 5, 5, 5, 5]]
    assert found.rows.tolist() == [[0, 1, 2, 0, 1, 2, 3]]
    assert len(set(found.similarities[0])) == 1


def test_more_ties_than_are_kept_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    layers, queries = drawn(1, {1: 30, 2: 40, 3: 30}), drawn(2, {1: 5})[1]
    layers[2][::2], layers[3][:] = layers[1][3], layers[1][3]
    queries[1:3] = layers[1][3]
    expected = search(MemoryRows(layers), queries, 9)
    monkeypatch.setattr("explore.lens.row_search._PAIRS", -200)
    same(search(MemoryRows(layers, rows_per_part=7), queries, 9, chunk_bytes=300), expected)
    assert expected.layers[1].tolist() == [1] + [2] * 8


@patient
@given(st.integers(0, 10**6), st.sampled_from(DTYPES), st.booleans(), st.integers(2, 64))
def test_a_row_finds_itself(seed: int, dtype: Stored, centred: bool, width: int) -> None:
    layers = drawn(seed, {3: 20, 6: 9}, width)
    store = MemoryRows(layers, dtype)
    own = store.parts(6)[0].floats(0, 9)
    found = search(store, own, 1, layers=[6], centred=centred)
    np.testing.assert_allclose(found.similarities, 1, atol=1e-5 if dtype == "float32" or centred else 1e-3)
    again = search(store, layers[6], 1)
    np.testing.assert_allclose(again.similarities, 1, atol=1e-5 if dtype == "float32" else 1e-3)


@patient
@given(st.integers(0, 10**6), st.floats(1e-30, 1e30), st.integers(-60, 60))
def test_the_length_of_a_query_changes_nothing(seed: int, factor: float, power: int) -> None:
    store, queries = MemoryRows(drawn(seed, {1: 20, 2: 20})), np.random.default_rng(seed + 1).normal(size=(3, 16))
    expected = search(store, queries)
    same(search(store, queries * 2.0**power), expected)
    scaled = search(store, queries * factor)
    np.testing.assert_allclose(scaled.similarities, expected.similarities, atol=1e-6)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_long_queries_of_any_number_type(dtype: torch.dtype) -> None:
    """Squares of such numbers are beyond half precision."""
    store = MemoryRows(drawn(0, {1: 30}, 256))
    query = (torch.from_numpy(drawn(1, {1: 2}, 256)[1]) * 1e4).to(dtype)
    found = search(store, query)
    np.testing.assert_allclose(found.similarities, search(store, query.double() / 1e4).similarities, atol=1e-5)
    assert search(store, query.float() * 1e2).rows.tolist() == found.rows.tolist()


@patient
@given(st.integers(0, 10**6), st.integers(1, 9))
def test_one_more_layer_can_only_raise_the_kth_similarity(seed: int, k: int) -> None:
    store, queries = MemoryRows(drawn(seed, {1: 12, 2: 9, 3: 30})), np.random.default_rng(seed).normal(size=(5, 16))
    for fewer, more in (((2,), (1, 2)), ((1, 2), (1, 2, 3)), ((3,), (1, 3))):
        before, after = (search(store, queries, k, layers=each).similarities for each in (fewer, more))
        assert (after[:, : before.shape[1]] >= before).all()


@patient
@given(st.integers(0, 10**6))
def test_the_order_of_rows_changes_their_numbers_only(seed: int) -> None:
    layers, random = drawn(seed, {1: 20, 2: 15}), np.random.default_rng(seed)
    queries, order = random.normal(size=(4, 16)), {layer: random.permutation(len(layers[layer])) for layer in layers}
    found = search(MemoryRows(layers), queries)
    moved = search(MemoryRows({layer: layers[layer][order[layer]] for layer in layers}), queries)
    np.testing.assert_array_equal(found.similarities, moved.similarities)
    np.testing.assert_array_equal(found.layers, moved.layers)
    back = [
        [order[layer][row] for layer, row in zip(*each, strict=True)]
        for each in zip(moved.layers, moved.rows, strict=True)
    ]
    assert back == found.rows.tolist()


def test_centring_subtracts_the_mean_from_both_sides() -> None:
    layers = drawn(3, {1: 40, 2: 30})
    store, queries = MemoryRows(layers), np.random.default_rng(4).normal(size=(6, 16))
    means = layer_means(store).numpy().astype(np.float64)
    unit = queries / np.linalg.norm(queries, axis=1, keepdims=True)
    values = []
    for number, layer in enumerate(store.layers):
        rows = store.parts(layer)[0].rows.numpy() - means[number]
        asked = unit - means[number]
        rows, asked = (each / np.linalg.norm(each, axis=1, keepdims=True) for each in (rows, asked))
        values.append(asked @ rows.T)
    flat = np.concatenate(values, axis=1)
    found = search(store, queries, centred=True)
    np.testing.assert_allclose(found.similarities, -np.sort(-flat, axis=1)[:, :5], atol=1e-6)
    best = np.argsort(-flat, axis=1)[:, :5]
    np.testing.assert_array_equal(found.rows + 40 * (found.layers - 1), best)
    same(found, search(store, queries, centred=True, means=means.astype(np.float32)))
    assert "mean" in found.method
    assert search(store, queries).layers.tolist() != found.layers.tolist()


def test_a_row_at_the_mean_is_similar_to_nothing() -> None:
    found = search(MemoryRows({1: np.ones((1, 8)), 2: np.eye(8)}), np.eye(8)[:1], 9, centred=True)
    assert np.isfinite(found.similarities).all()
    assert found.similarities[(found.layers == 1)].tolist() == [0.0]


def test_layers_are_searched_once_and_in_order() -> None:
    store, queries = MemoryRows(drawn(0, {1: 9, 2: 9})), np.ones((2, 16))
    same(search(store, queries, layers=[2, 1, 2]), search(store, queries))
    assert (search(store, queries, layers=[2]).layers == 2).all()


def test_no_queries_no_neighbours() -> None:
    assert search(MemoryRows(drawn(0, {1: 9})), np.zeros((0, 16))).rows.shape == (0, 5)


def test_progress_ends_at_one_and_can_stop_it() -> None:
    seen: list[float | None] = []
    search(MemoryRows(drawn(0, {1: 9, 2: 4})), np.ones((1, 16)), chunk_bytes=128, progress=lambda a, _: seen.append(a))
    assert seen == sorted(seen)
    assert seen[-1] == 1.0


def test_a_reduced_precision_of_products_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    store, queries = MemoryRows(drawn(5, {1: 200, 2: 100}, 64)), np.random.default_rng(0).normal(size=(20, 64))
    expected = search(store, queries)
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("medium")
    try:
        same(search(store, queries), expected)
    finally:
        torch.set_float32_matmul_precision(before)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("dtype", DTYPES)
def test_a_gpu_finds_the_same(dtype: Stored) -> None:
    store, queries = MemoryRows(drawn(5, {1: 200, 2: 100}, 64), dtype), np.random.default_rng(0).normal(size=(20, 64))
    for centred in (False, True):
        here, there = (search(store, queries, centred=centred, device=each) for each in ("cpu", "cuda"))
        np.testing.assert_array_equal(here.rows, there.rows)
        np.testing.assert_allclose(here.similarities, there.similarities, atol=1e-6)


def test_bad_questions_are_refused_in_words() -> None:
    store, good = MemoryRows(drawn(0, {1: 9, 2: 4})), np.ones((3, 16))
    for wrong, match in (
        (np.ones((3, 15)), r"shape \(3, 15\).*16"),
        (np.ones(16), r"shape \(16,\)"),
        (np.where(np.arange(3)[:, None] == 1, 0.0, good), "Query 1 is zero"),
        (np.where(np.arange(3)[:, None] == 2, np.nan, good), "Query 2 holds infinite or undefined"),
        (np.where(np.arange(3)[:, None] >= 1, np.inf, good), r"Query 1 .*2 are like this"),
    ):
        with pytest.raises(ParameterError, match=match):
            search(store, wrong)
    with pytest.raises(ParameterError, match=r"Layer 3 was asked for\. Rows are stored of layers 1, 2"):
        search(store, good, layers=[1, 3])
    with pytest.raises(ParameterError, match="No layer"):
        search(store, good, layers=[])
    with pytest.raises(ParameterError, match="k=0"):
        search(store, good, 0)
    with pytest.raises(ParameterError, match=r"means has the shape \(1, 16\)"):
        search(store, good, centred=True, means=np.zeros((1, 16)))
    with pytest.raises(ParameterError, match="Row 1 is zero"):
        MemoryRows({1: np.eye(3) - np.diag([0, 1, 0])})
    with pytest.raises(ParameterError, match="No layer"):
        MemoryRows({})


def test_a_damaged_row_is_named_and_hides_nothing() -> None:
    store = MemoryRows(drawn(0, {1: 9, 2: 4}), rows_per_part=3)
    store.parts(1)[1].rows[0, 2] = torch.nan
    with pytest.raises(ExploreError, match=r"layer 1, at or after number 3"):
        search(store, np.ones((1, 16)))


@patient
@given(st.integers(0, 10**6), st.integers(1, 600))
def test_quantised_rows_keep_their_length(seed: int, width: int) -> None:
    rows = torch.from_numpy(np.random.default_rng(seed).normal(size=(5, width))).float()
    whole, scales = quantised(rows)
    back = whole.float() * scales[:, None]
    assert whole.dtype == torch.int8
    torch.testing.assert_close(back.norm(dim=1), rows.norm(dim=1))
    assert (torch.nn.functional.cosine_similarity(back, rows) > 1 - 1e-3).all()
    assert quantised(torch.zeros(1, width))[1].tolist() == [0.0]


def test_results_are_compared_by_rows_and_layers() -> None:
    def made(*pairs: tuple[int, int]) -> Neighbours:
        layers, rows = np.array(pairs).T
        return Neighbours(np.zeros((1, len(pairs)), np.float32), layers[None], rows[None])

    assert made((1, 5), (2, 5)).overlap(made((2, 5), (1, 5))) == 1.0
    assert made((1, 5), (1, 6)).overlap(made((2, 5), (1, 6))) == 0.5
    with pytest.raises(ParameterError, match="without its recall"):
        Neighbours(*(np.zeros((1, 1)),) * 3, exact=False)
