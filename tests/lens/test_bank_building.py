"""Building a bank: what its rows are, the same bytes whatever happens on the way, and what is refused."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from explore.errors import Cancelled, CheckpointError, ParameterError
from explore.lens.bank_building import build_bank
from explore.lens.bank_encoding import unit_rows
from explore.lens.bank_files import BankFileError
from explore.lens.banks import Bank, open_bank
from tests.lens.words import FIRST_WORD, GOLDEN, WordLanguage, state_of, word_runner

LAYERS = [1, 2, 4, 5]
SMALL: dict[str, Any] = {"cap": 3, "part_rows": 20, "batch_tokens": 40}


def contents(folder: Path) -> dict[str, str]:
    """Hash of every file, temporary ones too."""
    return {each.name: hashlib.sha256(each.read_bytes()).hexdigest() for each in folder.iterdir()}


def stored(bank: Bank, layer: int) -> np.ndarray:
    return torch.cat([part.floats(0, len(part)) for part in bank.parts(layer)]).numpy()


@pytest.mark.parametrize(("dtype", "close"), [("float16", 1e-3), ("int8", 2e-2)])
def test_rows_are_the_unit_states_of_their_tokens(tmp_path: Path, dtype: Any, close: float) -> None:
    bank = build_bank(word_runner(), GOLDEN, tmp_path / "bank", dtype=dtype, **SMALL)
    assert bank.layers == tuple(LAYERS)
    assert len(bank) == bank.rows == 120
    assert len(bank.parts(1)) > 3
    for layer in LAYERS:
        rows, norms = stored(bank, layer), bank.norms(layer)
        assert rows.shape == (bank.rows, bank.width)
        np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-3)
        np.testing.assert_allclose(bank.mean(layer), rows.mean(axis=0), atol=1e-6)
        for row in range(bank.rows):
            words = bank.sentence(row).split()
            prefix = [int(word[1:]) + FIRST_WORD for word in words[: bank.positions[row] + 1]]
            state = state_of(prefix, layer, bank.width)
            # Whoever runs together changes the states of this model by a thousandth each.
            np.testing.assert_allclose(rows[row], state / np.linalg.norm(state), atol=close)
            np.testing.assert_allclose(norms[row], np.linalg.norm(state), rtol=2e-2)
            assert bank.token_ids[row] == prefix[-1]
            assert bank.token_texts[row] == words[bank.positions[row]]
            span = bank.span(row)
            assert span is not None
            assert bank.sentence(row)[slice(*span)] == words[bank.positions[row]]
            assert GOLDEN[bank.sentence_numbers[row]] == bank.sentence(row)
    starts = [part.start for part in bank.parts(2)]
    assert starts == np.cumsum([0, *(len(part) for part in bank.parts(2))])[:-1].tolist()
    assert bank.means.shape == (4, bank.width)


def test_the_published_mode_keeps_the_order_of_the_corpus(tmp_path: Path) -> None:
    """Golden G3, through a whole bank."""
    bank = build_bank(word_runner(), GOLDEN, tmp_path / "bank", mode="reference", cap=3)
    found = list(zip(bank.token_texts.tolist(), bank.positions.tolist(), bank.sentence_numbers.tolist(), strict=True))
    assert bank.rows == 112
    assert found[:5] == [("w04", 2, 0), ("w09", 3, 0), ("w16", 4, 0), ("w17", 2, 1), ("w25", 3, 1)]
    assert found[-2:] == [("w10", 8, 46), ("w22", 8, 58)]


def test_only_sentences_that_own_a_row_are_run_and_only_as_far_as_it(tmp_path: Path) -> None:
    language = WordLanguage()
    corpus = ["w00 w01 w02", "w00 w01", "w00", "w03 w03 w03 w03"]
    build_bank(word_runner(language), corpus, tmp_path / "bank", mode="reference", cap=1, layers=[1])
    assert sorted(language.ran) == [[3, 4, 5], [6, 6, 6]]
    language.ran.clear()
    build_bank(word_runner(language), corpus, tmp_path / "bank", mode="reference", cap=1, layers=[1])
    assert not language.ran, "a bank that is there is opened"


def test_batches_hold_sentences_of_about_the_same_length(tmp_path: Path) -> None:
    class Noting(WordLanguage):
        sizes: Sequence[Any] = ()

        def states(self, sentences: Any, *given: Any, **named: Any) -> Any:
            self.sizes = [*self.sizes, [len(each) for each in sentences]]
            return super().states(sentences, *given, **named)

    language = Noting()
    corpus = [*GOLDEN, " ".join(f"w{each:02d}" for each in range(50))]
    build_bank(word_runner(language), corpus, tmp_path / "bank", batch_tokens=40)
    assert all(len(sizes) * max(sizes) <= 40 or len(sizes) == 1 for sizes in language.sizes)
    spread = [max(sizes) - min(sizes) for sizes in language.sizes]
    assert np.median(spread) <= 1
    assert sum(map(len, language.sizes)) == len(language.ran)


def test_the_order_of_the_corpus_changes_only_where_sentences_are_said_to_stand(tmp_path: Path) -> None:
    one = build_bank(word_runner(), GOLDEN, tmp_path / "one", **SMALL)
    mixed = [GOLDEN[each] for each in np.random.default_rng(0).permutation(len(GOLDEN))]
    other = build_bank(word_runner(), mixed, tmp_path / "other", **SMALL)
    assert one.manifest["corpus"] == other.manifest["corpus"]
    first, second = contents(one.folder), contents(other.folder)
    assert {name for name in first if first[name] != second[name]} <= {"sentences.parquet", "manifest.json"}
    assert [one.sentence(row) for row in range(one.rows)] == [other.sentence(row) for row in range(one.rows)]


def test_the_same_build_gives_the_same_bytes_and_leaves_nothing_else(tmp_path: Path) -> None:
    build_bank(word_runner(), GOLDEN, tmp_path / "one", **SMALL)
    bank = build_bank(word_runner(), GOLDEN, tmp_path / "deep" / "other", **SMALL)
    assert contents(tmp_path / "one") == contents(bank.folder)
    assert set(contents(bank.folder)) == {*bank.manifest["files"], "manifest.json"}
    bank.verify()


@pytest.mark.parametrize("stop", range(0, 40, 3))
def test_a_cancelled_build_goes_on_to_the_same_bytes(tmp_path: Path, stop: int) -> None:
    whole = build_bank(word_runner(), GOLDEN, tmp_path / "whole", **SMALL)
    calls, shares = 0, list[float]()

    def progress(share: float | None, message: str) -> None:
        nonlocal calls
        calls += 1
        if share is not None:
            shares.append(share)
        if calls == stop + 1:
            raise Cancelled

    folder = tmp_path / "bank"
    try:
        build_bank(word_runner(), GOLDEN, folder, progress=progress, **SMALL)
    except Cancelled:
        if stop > 0:
            with pytest.raises(BankFileError, match="not finished"):
                open_bank(folder)
    language = WordLanguage()
    build_bank(word_runner(language), GOLDEN, folder, **SMALL)
    assert contents(folder) == contents(whole.folder)
    assert shares == sorted(shares)
    assert stop < 20 or len(language.ran) < whole.manifest["sentences"], "what was done is not done again"


def test_a_disk_that_is_full_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = build_bank(word_runner(), GOLDEN, tmp_path / "whole", **SMALL)
    folder, replace, count = tmp_path / "bank", os.replace, 0
    build_bank(word_runner(), GOLDEN, folder, **SMALL)
    shutil.rmtree(folder)

    def full(source: Any, target: Any) -> None:
        nonlocal count
        count += 1
        if count == 9:
            raise OSError(errno.ENOSPC, "No space left on device")
        replace(source, target)

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(BankFileError, match="No space left"):
        build_bank(word_runner(), GOLDEN, folder, **SMALL)
    monkeypatch.undo()
    there = contents(folder)
    assert len(there) == 8
    assert all(there[name] == known for name, known in contents(whole.folder).items() if name in there)
    build_bank(word_runner(), GOLDEN, folder, **SMALL)
    assert contents(folder) == contents(whole.folder)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"cap": 4}, "selection.cap 3, not 4"),
        ({"seed": 1}, "selection.seed 0, not 1"),
        ({"dtype": "int8"}, 'store_dtype "float16", not "int8"'),
        ({"layers": [1]}, "layers"),
        ({"batch_tokens": 41}, "batch_tokens 40, not 41"),
    ],
)
@pytest.mark.parametrize("finished", [True, False])
def test_a_folder_with_a_bank_of_other_settings_is_refused(
    tmp_path: Path, change: dict[str, Any], words: str, finished: bool
) -> None:
    begun(tmp_path / "bank", finished)
    before = contents(tmp_path / "bank")
    with pytest.raises(ParameterError, match="other settings") as refused:
        build_bank(word_runner(), GOLDEN, tmp_path / "bank", **{**SMALL, **change})
    assert words in str(refused.value)
    assert contents(tmp_path / "bank") == before


def begun(folder: Path, finished: bool) -> None:
    calls = 0

    def progress(share: float | None, message: str) -> None:
        nonlocal calls
        calls += 1
        if calls == 12:
            raise Cancelled

    if finished:
        build_bank(word_runner(), GOLDEN, folder, **SMALL)
    else:
        with pytest.raises(Cancelled):
            build_bank(word_runner(), GOLDEN, folder, progress=progress, **SMALL)


def test_other_versions_go_on_only_where_nothing_is_left_to_do(tmp_path: Path) -> None:
    newer = word_runner(versions={"torch": "2"}, device="cuda")
    begun(tmp_path / "done", True)
    assert build_bank(newer, GOLDEN, tmp_path / "done", **SMALL).rows == 120
    begun(tmp_path / "begun", False)
    with pytest.raises(ParameterError, match="versions"):
        build_bank(newer, GOLDEN, tmp_path / "begun", **SMALL)


def test_another_model_or_corpus_is_refused(tmp_path: Path) -> None:
    begun(tmp_path / "bank", True)
    with pytest.raises(ParameterError, match="checkpoint"):
        build_bank(word_runner(checkpoint="others"), GOLDEN, tmp_path / "bank", **SMALL)
    with pytest.raises(ParameterError, match=r"corpus\.sentences 64, not 63"):
        build_bank(word_runner(), GOLDEN[1:], tmp_path / "bank", **SMALL)


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("all of it")
    with pytest.raises(ParameterError, match=r"thesis\.tex"):
        build_bank(word_runner(), GOLDEN, tmp_path)
    with pytest.raises(ParameterError, match="folder"):
        build_bank(word_runner(), GOLDEN, tmp_path / "thesis.tex")
    (tmp_path / "thesis.tex").rename(tmp_path / "manifest.json")
    (tmp_path / "manifest.json").write_text("{}")
    with pytest.raises(ParameterError, match="no bank"):
        build_bank(word_runner(), GOLDEN, tmp_path)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["manifest.json"]


def test_states_that_are_not_finite_are_refused_by_layer_and_sentence(tmp_path: Path) -> None:
    class Broken(WordLanguage):
        def states(self, sentences: Any, layers: Sequence[int], rows: Any = None, **named: Any) -> Any:
            found = super().states(sentences, layers, rows, **named)
            ends = [each[place] for each, places in zip(sentences, rows, strict=True) for place in places]
            found[4][torch.tensor(ends) == FIRST_WORD + 33] = float("inf")
            return found

    with pytest.raises(CheckpointError, match=r"Layer 4 .* the sentence '[w\d ]*w33") as refused:
        build_bank(word_runner(Broken()), GOLDEN, tmp_path / "bank", **SMALL)
    assert "wider number type" in str(refused.value)
    with pytest.raises(CheckpointError, match="say"):
        build_bank(word_runner(WordLanguage(change=lambda _, states: states[:, :3])), GOLDEN, tmp_path / "narrow")


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32])
def test_large_states_keep_their_direction_and_norm(dtype: torch.dtype) -> None:
    """Norms of 700,000 are met; the square of a tenth of that is beyond half precision."""
    exact = torch.randn(5, 4096, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) * 900
    exact[:, 7] = 60_000 if dtype is torch.float16 else 700_000
    states = exact.to(dtype)
    unit, norms = unit_rows(states)
    np.testing.assert_allclose(norms, states.double().norm(dim=1), rtol=1e-6)
    np.testing.assert_allclose(unit, states.double() / states.double().norm(dim=1, keepdim=True), rtol=1e-5)
    zero, nothing = unit_rows(torch.zeros(1, 4))
    assert not zero.any()
    assert not nothing.any()


def test_small_corpora(tmp_path: Path) -> None:
    one = build_bank(word_runner(), ["w07"], tmp_path / "one")
    assert (one.rows, one.sentence(0), one.span(0), one.token_texts[0]) == (1, "w07", (0, 3), "w07")
    for corpus, words in (([], "empty"), (["", " "], "None of the 0 tokens"), (["<s>"], "None of the 1 tokens")):
        with pytest.raises(ParameterError, match=words):
            build_bank(word_runner(), corpus, tmp_path / "none")
    assert build_bank(word_runner(), ["w01"], tmp_path / "none").rows == 1
    with pytest.raises(ParameterError, match="position 2"):
        build_bank(word_runner(), ["w01 w02"], tmp_path / "short", mode="reference")


@pytest.mark.parametrize(
    "wrong",
    [{"dtype": "float8"}, {"batch_tokens": 0}, {"part_rows": 0}, {"layers": [9]}, {"mode": "x"}, {"cap": 0}],
)
def test_parameters_are_checked_before_anything_is_made(tmp_path: Path, wrong: dict[str, Any]) -> None:
    with pytest.raises(ParameterError, match=next(iter(wrong))):
        build_bank(word_runner(), GOLDEN, tmp_path / "bank", **wrong)
    assert not (tmp_path / "bank").exists()


def test_a_corpus_can_be_the_path_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "corpus.txt").write_text("\n".join(GOLDEN) + "\n")
    bank = build_bank(word_runner(), str(tmp_path / "corpus.txt"), tmp_path / "bank")
    assert bank.manifest["corpus"]["name"] == "corpus.txt"
    assert bank.manifest["corpus"]["sentences"] == 64
    with pytest.raises(ParameterError, match="no corpus file"):
        build_bank(word_runner(), "w01 w02", tmp_path / "other")
