"""LatentLens against a naive search, and how its neighbours are named."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from explore.errors import ParameterError
from explore.lens import build_bank, latent_lens
from tests.lens.lens_cases import SENTENCES, MemoryBank, tiny_bank, tiny_trace
from tests.tiny import tiny_runner


def unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


def test_one_search_over_all_layers_is_the_naive_one() -> None:
    trace, bank = tiny_trace(), tiny_bank()
    reading = latent_lens(trace, bank, k=7)
    assert reading.bank_layers is not None
    every = np.concatenate([bank.parts(layer)[0].rows.numpy() for layer in (0, 1)]).astype(np.float64)
    for place, layer in enumerate(reading.layers.tolist()):
        cosines = unit(trace.hidden(layer)[reading.positions].astype(np.float64)) @ every.T
        best = -np.sort(-cosines, axis=-1)[:, :7]
        np.testing.assert_allclose(reading.scores[place], best, atol=1e-5)
        size = len(every) // 2
        flat = reading.ids[place] + size * (reading.bank_layers[place] == 1)
        np.testing.assert_allclose(np.take_along_axis(cosines, flat, -1), best, atol=1e-5)


def test_layers_of_the_bank_and_of_the_picture_are_two_things() -> None:
    trace, bank = tiny_trace(), tiny_bank()
    reading = latent_lens(trace, bank, layers=[0], bank_layers=[1])
    assert reading.bank_layers is not None
    assert set(reading.bank_layers.ravel()) == {1}
    assert reading.label(0, int(reading.positions[0])).bank_layer == 1
    assert reading.parameters["bank_layers"] == (1,)
    assert (latent_lens(trace, bank, layers=[0]).scores[..., -1] >= reading.scores[..., -1] - 1e-6).all()
    with pytest.raises(ParameterError, match="Layer 5"):
        latent_lens(trace, bank, bank_layers=[5])
    with pytest.raises(ParameterError, match="backend"):
        latent_lens(trace, bank, backend="magic")


def test_one_place_of_a_sentence_is_shown_once_and_kept_for_parity() -> None:
    trace, bank = tiny_trace(), tiny_bank()
    reading = latent_lens(trace, bank, k=40)
    position = int(reading.positions[0])
    every, distinct = reading.labels(1, position), reading.labels(1, position, distinct=True)
    assert len(every) == 40
    seen = [(label.phrase, label.span) for label in distinct]
    assert len(seen) == len(set(seen)) < 40
    assert {(label.phrase, label.span) for label in every} == set(seen)
    assert distinct[0] == every[0]


def test_a_neighbour_is_named_by_its_whole_word() -> None:
    trace = tiny_trace()
    bank = MemoryBank(tiny_runner(), ["the catalog is near a cat"])
    by = {words: latent_lens(trace, bank, k=60, words=words) for words in ("offsets", "legacy", "tokens")}  # type: ignore[arg-type]
    position = int(trace.layout.visual[0])
    for rank, label in enumerate(by["offsets"].labels(1, position)):
        assert label.phrase is not None
        assert label.span is not None
        token = by["tokens"].labels(1, position)[rank].text
        assert label.phrase[slice(*label.span)].strip() == token.strip()
        assert label.text in label.phrase.split()
        assert token.strip() in label.text
    said = {each.text for each in by["offsets"].labels(1, position)}
    assert {"catalog", "cat"} <= said
    assert "cat" not in {each.text for each in by["legacy"].labels(1, position) if each.span == (22, 25)}
    with pytest.raises(ParameterError, match="legacy"):
        latent_lens(trace, bank, words="magic")  # type: ignore[arg-type]


def test_more_neighbours_than_rows() -> None:
    bank = tiny_bank()
    rows = 2 * len(bank.parts(0)[0])
    assert latent_lens(tiny_trace(), bank, k=10**4).scores.shape[-1] == rows


def test_a_bank_of_another_model_is_used_with_a_note_and_one_of_another_width_refused() -> None:
    trace, bank = tiny_trace(), MemoryBank(tiny_runner())
    assert latent_lens(trace, bank).notes == ()
    bank.manifest = {"model": {**tiny_runner().fingerprint, "checkpoint": "base"}}
    reading = latent_lens(trace, bank)
    assert "'base'" in reading.notes[0]
    assert reading.notes[0] in repr(reading)
    with pytest.raises(ParameterError, match="wide"):
        latent_lens(replace(trace, width=48), bank)


def test_states_centred_on_each_layer() -> None:
    trace, bank = tiny_trace(), tiny_bank()
    reading = latent_lens(trace, bank, layers=[1], bank_layers=[0], centred=True)
    rows = bank.parts(0)[0].rows.numpy().astype(np.float64)
    mean = rows.mean(0)
    cosines = unit(unit(trace.hidden(1)[reading.positions].astype(np.float64)) - mean) @ unit(rows - mean).T
    np.testing.assert_allclose(reading.scores[0], -np.sort(-cosines, axis=-1)[:, :5], atol=1e-4)


def test_a_bank_on_disk(tmp_path: Path) -> None:
    trace, runner = tiny_trace(), tiny_runner()
    bank = build_bank(runner, SENTENCES, tmp_path / "bank", layers=[0, 1])
    reading = latent_lens(trace, bank)
    assert reading.notes == ()
    label = reading.label(0, int(trace.layout.visual[3]))
    assert label.phrase in SENTENCES
    assert label.text in label.phrase.replace("?", " ").split()
    assert reading.fingerprint["lens"]["bank"]["model"]["checkpoint"] == "tiny"
    approximate = latent_lens(trace, bank, backend="signs")
    assert any("overlap" in note for note in approximate.notes)
