"""The front door to searching a bank, and every way behind it. What is not installed is skipped."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from explore.errors import ParameterError
from explore.lens.backends import optional
from explore.lens.memory_rows import MemoryRows
from explore.lens.row_search import search
from explore.lens.searching import BACKENDS, search_bank
from explore.lens.sign_codes import build_codes

PACKAGES = {"faiss": "faiss", "lance": "lancedb"}
INDEXED = ("signs", "faiss", "lance")
WIDTH = 32


class Kept(MemoryRows):
    """Rows with a folder for indexes, as a bank has one."""

    folder: Path


def rows(seed: int, count: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    centres = np.random.default_rng(0).normal(size=(30, WIDTH)) + 0.5
    return centres[random.integers(0, 30, count)] + 0.5 * random.normal(size=(count, WIDTH))


def kept(folder: Path, seed: int = 1, count: int = 800) -> Kept:
    made = Kept({1: rows(seed, count), 8: rows(seed + 1, 500)}, "int8", rows_per_part=300)
    made.folder = folder
    return made


def need(backend: str) -> None:
    if find_spec(PACKAGES.get(backend, "numpy")) is None:
        pytest.skip(f"{PACKAGES[backend]} is not installed")


@pytest.mark.parametrize("backend", list(BACKENDS))
@pytest.mark.parametrize("layers", [None, (8,)])
def test_every_backend_finds_the_neighbours(tmp_path: Path, backend: str, layers: tuple[int, ...] | None) -> None:
    need(backend)
    bank, queries = kept(tmp_path), 50 * rows(9, 120)
    found, exact = search_bank(bank, queries, backend=backend, layers=layers), search(bank, queries, layers=layers)
    assert found.rows.shape == (120, 5)
    assert found.overlap(exact) > 0.9
    same = (found.rows == exact.rows) & (found.layers == exact.layers)
    np.testing.assert_array_equal(found.similarities[same], exact.similarities[same])
    if backend == "exact":
        assert found.quality == "exact"
        assert not list(tmp_path.iterdir())
    else:
        assert found.recall is not None
        assert abs(found.recall - found.overlap(exact)) < 0.1
        assert "approximate, overlap@5" in repr(found)
        assert "on 100 queries" in found.quality


@pytest.mark.parametrize("backend", INDEXED)
def test_an_index_is_kept_beside_the_bank_and_made_again_for_other_rows(
    tmp_path: Path, backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    need(backend)
    queries = rows(9, 20)
    first = search_bank(kept(tmp_path), queries, backend=backend)
    files = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()}
    assert files
    again = search_bank(kept(tmp_path), queries, backend=backend)
    np.testing.assert_array_equal(first.rows, again.rows)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()} == files
    other = kept(tmp_path, seed=5, count=600)
    found = search_bank(other, queries, backend=backend)
    assert found.overlap(search(other, queries)) > 0.9
    assert not list(tmp_path.glob(".*"))


def test_a_damaged_index_is_made_again(tmp_path: Path) -> None:
    (tmp_path / "signs.safetensors").write_bytes(b"cut short")
    assert search_bank(kept(tmp_path), rows(9, 5), backend="signs").rows.shape == (5, 5)


@pytest.mark.parametrize("backend", ["faiss", "lance"])
def test_a_missing_library_is_named(tmp_path: Path, backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ImportError(f"No module named {name!r}")

    monkeypatch.setattr(optional, "import_module", missing)
    package = {"faiss": "faiss-cpu", "lance": "lancedb"}[backend]
    with pytest.raises(ParameterError, match=f"Run pip install {package}"):
        search_bank(kept(tmp_path), rows(9, 5), backend=backend)


def test_an_index_of_other_rows_is_refused(tmp_path: Path) -> None:
    other = build_codes(kept(tmp_path, seed=7))
    with pytest.raises(ParameterError, match="made of other rows"):
        search_bank(kept(tmp_path), rows(9, 5), backend="signs", index=other)


def test_rows_in_memory_need_no_folder() -> None:
    store = MemoryRows({1: rows(1, 300)})
    assert search_bank(store, rows(9, 5), backend="signs", candidates=50).rows.shape == (5, 5)
    if find_spec("lancedb"):
        with pytest.raises(ParameterError, match="keeps its index in a folder"):
            search_bank(store, rows(9, 5), backend="lance")


def test_means_of_a_bank_are_used(tmp_path: Path) -> None:
    bank, queries = kept(tmp_path), rows(9, 10)
    bank.means = np.full((2, WIDTH), 0.1, np.float32)
    found = search_bank(bank, queries, centred=True)
    np.testing.assert_array_equal(
        found.similarities, search(bank, queries, centred=True, means=bank.means).similarities
    )
    signs = search_bank(bank, queries, centred=True, backend="signs", candidates=400)
    np.testing.assert_array_equal(signs.rows, found.rows)


def test_what_a_backend_does_not_know_is_refused(tmp_path: Path) -> None:
    bank, queries = kept(tmp_path), rows(9, 3)
    with pytest.raises(ParameterError, match=r"backend='annoy'.*'exact', 'signs', 'faiss', 'lance'"):
        search_bank(bank, queries, backend="annoy")
    with pytest.raises(ParameterError, match=r"probes=3 was given with backend='exact'.*chunk_bytes"):
        search_bank(bank, queries, probes=3)
    if find_spec("faiss"):
        with pytest.raises(ParameterError, match="centred=True was given with backend='faiss'"):
            search_bank(bank, queries, backend="faiss", centred=True)
