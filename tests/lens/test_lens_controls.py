"""What stands beside a reading: its controls, how far tokens drift, and whether context adds anything."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from explore.errors import NotRecordedError, ParameterError
from explore.lens import context_ratio, control, embedding_lens, latent_lens, logit_lens, token_drift
from explore.lens.table import METHODS
from explore.lens.ties import has_tied_head
from explore.models.runner import Runner
from tests.lens.lens_cases import made, tiny_bank, tiny_trace
from tests.tiny import tiny_llava, tiny_runner


@pytest.mark.parametrize("name", METHODS)
def test_every_lens_has_its_controls(name: str) -> None:
    trace, reading = tiny_trace(), made(name).read(tiny_trace())
    other = tiny_runner().ask(np.full((32, 32, 3), 90, np.uint8), "is it a dog there?", max_new_tokens=1)
    for kind, read in (("shuffled", None), ("random", trace), ("other", other)):
        beside = control(reading, kind, read)  # type: ignore[arg-type]
        assert beside.control == kind
        assert beside.scores.shape == reading.scores.shape
        assert beside.positions.tolist() == reading.positions.tolist()
        assert not np.array_equal(beside.ids, reading.ids)
        assert beside.fingerprint["control"] == {"kind": kind, "seed": 0}
        assert f"{kind} control of {name}" in repr(beside)
        assert beside.grid(1).shape == (4, 4)
        again = control(reading, kind, read)  # type: ignore[arg-type]
        assert np.array_equal(again.ids, beside.ids)
    direct = made(name).read(other)
    assert np.array_equal(control(reading, "other", other).ids, direct.ids)


def test_a_shuffle_keeps_what_was_said_and_moves_it_alike_in_all_layers() -> None:
    reading = logit_lens(tiny_trace())
    moved = control(reading, seed=3)
    stories = {tuple(reading.ids[:, place].ravel().tolist()) for place in range(len(reading.positions))}
    assert {tuple(moved.ids[:, place].ravel().tolist()) for place in range(len(reading.positions))} == stories
    assert not np.array_equal(control(reading, seed=4).ids, moved.ids)


def test_random_directions_keep_the_lengths_and_leave_the_trace_alone() -> None:
    from explore.lens.controls import _randomised

    trace = tiny_trace()
    before = np.array(trace.hidden(1))
    changed = _randomised(trace, [1], trace.layout.visual, 0).hidden(1)
    assert np.array_equal(trace.hidden(1), before)
    visual = np.isin(np.arange(len(before)), trace.layout.visual)
    assert np.array_equal(changed[~visual], before[~visual])
    np.testing.assert_allclose(np.linalg.norm(changed, axis=-1), np.linalg.norm(before, axis=-1), rtol=1e-5)


def test_controls_that_cannot_be_made() -> None:
    trace, reading = tiny_trace(), logit_lens(tiny_trace())
    with pytest.raises(ParameterError, match="no trace"):
        control(reading, "random")
    with pytest.raises(ParameterError, match="Controls are"):
        control(reading, "magic")  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="no lens"):
        control(replace(reading, lens=None), "random", trace)
    with pytest.raises(ParameterError, match="counterpart"):
        control(logit_lens(trace, positions=[0, 8]), "other", trace)


def test_drift_of_picture_and_text() -> None:
    trace = tiny_trace()
    drift = token_drift(trace, layers=[0, 1, 2])
    assert drift.norms.shape == drift.cosines.shape == (3, trace.positions_fed)
    np.testing.assert_allclose(drift.cosines[0], 1, atol=1e-5)
    states = [trace.hidden(layer).astype(np.float64) for layer in (0, 2)]
    sizes = [np.linalg.norm(each, axis=-1) for each in states]
    np.testing.assert_allclose(drift.norms[2], sizes[1], rtol=1e-5)
    np.testing.assert_allclose(drift.cosines[2], (states[0] * states[1]).sum(-1) / sizes[0] / sizes[1], atol=1e-5)
    frame = drift.to_frame()
    assert frame["text_norm"][1] == pytest.approx(np.median(drift.norms[1][~drift.visual]))
    assert frame["visual_cosine"][2] == pytest.approx(np.median(drift.cosines[2][drift.visual]))
    assert drift.grid(2, "norms")[1, 1] == drift.norms[2, trace.layout.grid().positions[1, 1]]
    with pytest.raises(ParameterError, match="layer 5"):
        drift.grid(5)
    with pytest.raises(NotRecordedError, match="layer 0"):
        token_drift(replace(trace, hidden_states={1: trace.hidden(1)}))
    only = token_drift(trace, positions=trace.layout.visual).to_frame()
    assert only["text_norm"].isna().all()


def test_whether_context_adds_anything() -> None:
    trace = tiny_trace()
    latent, embedding = latent_lens(trace, tiny_bank()), embedding_lens(trace)
    ratio = context_ratio(latent, embedding)
    assert ratio.shape == latent.scores.shape[:2]
    some = ~np.isnan(ratio)
    np.testing.assert_allclose((ratio * embedding.scores[..., 0])[some], latent.scores[..., 0][some], rtol=1e-5)
    with pytest.raises(ParameterError, match="cannot be compared"):
        context_ratio(latent, logit_lens(trace))
    with pytest.raises(ParameterError, match="cannot be compared"):
        context_ratio(latent, embedding_lens(trace, layers=[0]))


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("tie", [False, True])
def test_a_head_that_is_the_embedding_table_is_found_and_noted(tie: bool, dtype: str) -> None:
    import torch

    model, processor = tiny_llava(tie=tie)
    runner = Runner(model.to(getattr(torch, dtype)), processor, checkpoint="tied")
    assert has_tied_head(runner.language) is tie
    trace = runner.ask(np.zeros((32, 32, 3), np.uint8), "what is this?", max_new_tokens=1)
    noted = [note for note in embedding_lens(trace, runner=runner).notes if "one table" in note]
    assert bool(noted) is tie


def test_lenses_open_without_torch() -> None:
    """A recorded run is looked at on a laptop that has none."""
    import subprocess
    import sys

    names = "METHODS, LensReading, WordMap, control, token_drift, context_ratio, open_tuned_lens, word_map, whole_word"
    code = f"import sys; from explore.lens import {names}; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


def test_every_public_name_is_there() -> None:
    import explore.lens

    assert set(explore.lens._NAMES) == set(explore.lens.__all__)
    for name in explore.lens.__all__:
        assert getattr(explore.lens, name) is not None
    with pytest.raises(AttributeError, match="latent_lens"):
        explore.lens.magic  # noqa: B018
