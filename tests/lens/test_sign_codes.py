"""One-bit codes: counting is right, candidates contain the neighbours, files come back, recall is told."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import explore.lens.sign_search as sign_search
from explore.errors import ParameterError
from explore.lens.bit_codes import differing_bits, packed_signs
from explore.lens.memory_rows import MemoryRows
from explore.lens.recalls import Recalls
from explore.lens.rotations import Rotation
from explore.lens.row_search import search
from explore.lens.sign_codes import build_codes, open_codes
from explore.lens.sign_search import search_codes
from explore.lens.store_fingerprints import require_same, store_fingerprint

WIDTH = 96


def clustered(seed: int, count: int, heavy: float = 1.0) -> np.ndarray:
    """Rows around centres away from the origin; `heavy` stretches three coordinates, as real states have them."""
    random = np.random.default_rng(seed)
    centres = np.random.default_rng(0).normal(size=(40, WIDTH)) + 0.7
    rows = centres[random.integers(0, 40, count)] + 0.7 * random.normal(size=(count, WIDTH))
    rows[:, :3] *= heavy
    return rows


@pytest.fixture(scope="module")
def store() -> MemoryRows:
    return MemoryRows({1: clustered(1, 900), 8: clustered(2, 700) + 1.5}, "float16", rows_per_part=300)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10**6), st.integers(1, 300), st.integers(1, 30), st.integers(1, 3))
def test_bits_are_counted_as_numbers_are(seed: int, width: int, count: int, queries: int) -> None:
    random = np.random.default_rng(seed)
    rows, asked = random.normal(size=(count, width)), random.normal(size=(queries, width))
    with ThreadPoolExecutor(2) as threads:
        found = differing_bits(packed_signs(asked), packed_signs(rows), threads)
    np.testing.assert_array_equal(found, ((asked > 0)[:, None] != (rows > 0)[None]).sum(axis=2))


@pytest.mark.parametrize("width", [1, 7, 64, 96, 2048])
def test_a_rotation_keeps_products_and_spreads_single_coordinates(width: int) -> None:
    rotation, vectors = Rotation.drawn(width), torch.randn(5, width, generator=torch.Generator().manual_seed(0))
    turned = rotation(vectors)
    torch.testing.assert_close(turned @ turned.T, vectors @ vectors.T, rtol=1e-4, atol=1e-3)
    if width >= 64:
        assert rotation(torch.eye(width)[:1]).abs().max() < 0.8
        assert (rotation(torch.eye(width)[:1]) != 0).all()


@pytest.mark.parametrize("centred", [False, True])
@pytest.mark.parametrize("layers", [None, (8,)])
def test_neighbours_are_among_the_candidates(store: MemoryRows, centred: bool, layers: tuple[int, ...] | None) -> None:
    codes, queries = build_codes(store), 100 * clustered(3, 150)
    found = search_codes(codes, store, queries, layers=layers, centred=centred)
    exact = search(store, queries, layers=layers, centred=centred, means=codes.means)
    assert not found.exact
    assert found.checked == 100
    assert found.recall is not None
    assert found.recall > 0.99
    assert found.overlap(exact) > 0.99
    same = (found.rows == exact.rows) & (found.layers == exact.layers)
    np.testing.assert_array_equal(found.similarities[same], exact.similarities[same])
    assert "approximate, overlap@5 " in repr(found)


def test_as_many_candidates_as_rows_is_exact_search(store: MemoryRows) -> None:
    queries = clustered(4, 20)
    found, exact = search_codes(build_codes(store), store, queries, candidates=10_000), search(store, queries)
    for name in ("similarities", "layers", "rows"):
        np.testing.assert_array_equal(getattr(found, name), getattr(exact, name))
    assert found.recall == 1.0


def test_few_heavy_coordinates_do_no_harm() -> None:
    """Without a rotation, all bits count the same, and the three that carry the length are lost among them."""
    store, queries = MemoryRows({1: clustered(1, 2000, heavy=20.0)}), clustered(3, 60, heavy=20.0)
    exact, codes = search(store, queries), build_codes(store)
    turned = search_codes(codes, store, queries, candidates=100).overlap(exact)
    plain = build_codes(store)
    for name in ("flips", "left", "right"):
        kept = getattr(plain.rotation, name)
        kept.copy_(torch.ones_like(kept) if kept.ndim == 1 else torch.eye(len(kept)))
    assert turned > 0.9
    codes = plain.layers[1]
    moved = store.parts(1)[0].rows - torch.from_numpy(codes.mean)
    codes.words[:] = packed_signs(moved.numpy())
    assert search_codes(plain, store, queries, candidates=100).overlap(exact) < turned - 0.1


def test_codes_come_back_from_their_file(store: MemoryRows, tmp_path: Path) -> None:
    codes, path = build_codes(store), tmp_path / "signs.safetensors"
    codes.save(path)
    codes.save(path)
    assert [each.name for each in tmp_path.iterdir()] == [path.name]
    back, queries = open_codes(path), clustered(5, 30)
    assert back.fingerprint == codes.fingerprint == store_fingerprint(store)
    assert back.nbytes == codes.nbytes
    for name in ("similarities", "rows"):
        one, other = (getattr(search_codes(each, store, queries, candidates=20), name) for each in (codes, back))
        np.testing.assert_array_equal(one, other)
    with pytest.raises(ParameterError, match="cannot be written"):
        codes.save(tmp_path / "nowhere" / "signs.safetensors")


def test_codes_are_small(store: MemoryRows) -> None:
    """A bit for each number, and two floats."""
    assert build_codes(store).nbytes == 1600 * (-(-WIDTH // 64) * 8 + 8)


def test_a_file_of_something_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "signs.safetensors"
    with pytest.raises(ParameterError, match="cannot be read"):
        open_codes(path)
    path.write_bytes(b"no such thing")
    with pytest.raises(ParameterError, match="cannot be read"):
        open_codes(path)


def test_other_rows_have_another_fingerprint(store: MemoryRows) -> None:
    other = MemoryRows({1: clustered(1, 900), 8: clustered(2, 701) + 1.5}, "float16")
    with pytest.raises(ParameterError, match="The codes were made of other rows"):
        require_same(store_fingerprint(store), other, "codes")
    require_same(store_fingerprint(store), store, "codes")


def test_bad_settings_are_refused(store: MemoryRows) -> None:
    codes, queries = build_codes(store), clustered(5, 3)
    with pytest.raises(ParameterError, match="candidates=4 was given with k=5"):
        search_codes(codes, store, queries, candidates=4)
    with pytest.raises(ParameterError, match="sample=0"):
        search_codes(codes, store, queries, sample=0)
    with pytest.raises(ParameterError, match="another store"):
        search_codes(codes, MemoryRows({1: clustered(1, 9)}), queries)


def test_recall_is_measured_once_and_again_on_more_queries(store: MemoryRows, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def counted(store, queries, *given, **named):
        asked.append(len(queries))
        return search(store, queries, *given, **named)

    monkeypatch.setattr(sign_search, "search", counted)
    codes = build_codes(store)
    assert search_codes(codes, store, clustered(3, 2)).checked == 2
    assert search_codes(codes, store, clustered(4, 1)).checked == 2
    assert search_codes(codes, store, clustered(3, 150)).checked == 100
    assert search_codes(codes, store, clustered(5, 300)).checked == 100
    assert asked == [2, 100]
    assert search_codes(codes, store, clustered(3, 2), layers=[8]).checked == 2  # other settings
    assert len(codes.recalls.known) == 2
    assert isinstance(codes.recalls, Recalls)


def test_no_queries_no_neighbours(store: MemoryRows) -> None:
    assert search_codes(build_codes(store), store, np.zeros((0, WIDTH))).rows.shape == (0, 5)
