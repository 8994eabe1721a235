"""The contract of every lens in the table, on a tiny model."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from explore.errors import NotRecordedError, ParameterError
from explore.lens.reading import NOTHING
from explore.lens.table import METHODS
from explore.models.plans import RecordingPlan
from explore.models.runner import Runner
from explore.trace import Trace, open_trace
from tests.lens.lens_cases import made, tiny_trace
from tests.tiny import tiny_llava, tiny_runner

lenses = pytest.mark.parametrize("name", METHODS)
COSINES = ("latent", "embedding")


def changed(trace: Trace, layer: int, position: int, value: float) -> Trace:
    states = np.array(trace.hidden(layer))
    states[position] = value
    return replace(trace, hidden_states={**trace.hidden_states, layer: states})


@lenses
def test_a_reading_is_ranked_named_and_plain_data(name: str) -> None:
    trace, lens = tiny_trace(), made(name, k=4)
    reading = lens.read(trace)
    assert reading.method == name == lens.name
    assert lens.source
    assert reading.layers.tolist() == [0, 1]
    assert reading.positions.tolist() == trace.layout.visual.tolist()
    assert reading.scores.shape == reading.ids.shape == (2, len(reading.positions), 4)
    assert reading.scores.dtype == np.float32
    assert (np.diff(reading.scores, axis=-1) <= 0).all()
    assert reading.fingerprint["lens"]["method"] == name
    assert reading.fingerprint["checkpoint"] == trace.fingerprint["checkpoint"]
    json.dumps(reading.to_json(), allow_nan=False)
    json.dumps(lens.parameters, allow_nan=False)
    assert repr(reading).startswith(f"LensReading({name}: 16 tokens in layers 0, 1")
    for layer in (0, 1):
        for position in reading.positions.tolist():
            labels = reading.labels(layer, position)
            assert len(labels) == 4
            assert reading.at(position)[layer] == labels
            assert reading.label(layer, trace.tokens[position]) == labels[0]
            assert all(label.text and np.isfinite(label.score) for label in labels)
    assert reading.score_name == ("cosine" if name in COSINES else reading.score_name)
    if reading.score_name == "cosine":
        assert np.abs(reading.scores).max() <= 1 + 1e-5


@lenses
def test_readings_lie_in_the_picture_and_in_a_table(name: str) -> None:
    trace = tiny_trace()
    grid = trace.layout.grid()
    reading = made(name).read(trace, positions=grid.positions[1].tolist())
    shown, scores = reading.grid(1), reading.score_grid(1)
    assert shown.shape == scores.shape == (4, 4)
    assert shown[1, 2] == reading.label(1, int(grid.positions[1, 2]))
    assert shown[0, 0] is None
    assert np.isnan(scores[0]).all()
    frame = reading.to_frame()
    assert len(frame) == 2 * 4 * 5
    assert set(frame["row"]) == {1}
    assert set(frame["role"]) == {"image"}


@lenses
def test_text_can_be_read_too(name: str) -> None:
    trace = tiny_trace()
    positions = [len(trace.tokens) - 2, 0]
    reading = made(name).read(trace, [1], positions)
    assert reading.positions.tolist() == positions
    assert reading.label(1, positions[0]).text
    one = made(name).read(trace, [1], trace.tokens[positions[1]])
    np.testing.assert_allclose(one.scores[0, 0], reading.scores[0, 1], rtol=1e-3, atol=1e-3)
    with pytest.raises(ParameterError, match="no state"):
        made(name).read(trace, [1], len(trace.tokens) - 1)
    with pytest.raises(ParameterError, match="No position"):
        made(name).read(trace, [1], [])
    with pytest.raises(ParameterError, match="was not read"):
        reading.label(1, 5)
    with pytest.raises(ParameterError, match="was not read"):
        reading.label(0, 0)


@lenses
def test_what_was_not_recorded_says_how_to_record_it(name: str) -> None:
    trace = tiny_trace()
    bare = replace(trace, hidden_states={})
    with pytest.raises(NotRecordedError, match="RecordingPlan"):
        made(name).read(bare)
    one = replace(trace, hidden_states={1: trace.hidden(1)})
    assert made(name).read(one).layers.tolist() == [1]
    with pytest.raises(NotRecordedError, match="layer 0"):
        made(name).read(one, [0, 1])
    with pytest.raises(ParameterError, match="no layer 7"):
        made(name).read(trace, [7])


@lenses
def test_a_saved_trace_says_how_to_load_its_model(name: str, tmp_path: Path) -> None:
    trace = tiny_runner().ask(
        np.zeros((32, 32, 3), np.uint8), "what is this?", max_new_tokens=1, record=RecordingPlan()
    )
    trace.save(tmp_path / "trace")
    saved, lens = open_trace(tmp_path / "trace"), made(name)
    live = lens.read(trace)
    if "runner" in lens.needs:
        with pytest.raises(NotRecordedError, match=r"runner=explore\.load\('tiny'\)"):
            lens.read(saved)
    again = lens.read(saved, runner=tiny_runner())
    assert np.array_equal(again.ids, live.ids)


@lenses
def test_another_model_is_refused(name: str) -> None:
    model, processor = tiny_llava(seed=3)
    other = Runner(model, processor, checkpoint="other", revision="test")
    with pytest.raises(ParameterError, match="this runner"):
        made(name).read(tiny_trace(), runner=other)


@lenses
def test_states_that_are_no_numbers_are_refused_and_empty_ones_say_nothing(name: str) -> None:
    trace, at = tiny_trace(), int(tiny_trace().layout.visual[2])
    for value in (np.nan, np.inf):
        with pytest.raises(ParameterError, match="not finite"):
            made(name).read(changed(trace, 1, at, value), [0, 1])
    reading = made(name).read(changed(trace, 1, at, 0.0), [0, 1])
    plain = made(name).read(trace, [0, 1])
    untouched = np.arange(len(reading.positions)) != 2
    assert np.array_equal(reading.ids[:, untouched], plain.ids[:, untouched])
    if name in COSINES:
        assert reading.labels(1, at) == ()
        assert (reading.ids[1, 2] == NOTHING).all()
        assert any("1 states are zero" in note for note in reading.notes)
        assert reading.grid(1).ravel()[2] is None


@lenses
def test_length_changes_no_cosine(name: str) -> None:
    if name not in COSINES:
        return
    trace = tiny_trace()
    longer = replace(trace, hidden_states={1: trace.hidden(1) * 1e5})
    np.testing.assert_allclose(made(name).read(longer).scores, made(name).read(trace, [1]).scores, atol=1e-5)


@lenses
def test_more_labels_than_there_are(name: str) -> None:
    reading = made(name, k=10**4).read(tiny_trace(), [1])
    language = tiny_runner().language
    if name != "latent":
        most = int(language.words().sum()) if getattr(reading.lens, "words_only", False) else len(language.words())
        assert reading.scores.shape[-1] == most
    assert reading.ids.min() >= 0
    assert len(set(reading.ids[0, 0].tolist())) == reading.ids.shape[-1] or name == "latent"
    for k in (0, -1, 1.5):
        with pytest.raises(ParameterError, match="At least one label"):
            made(name, k=k)


@lenses
def test_progress_is_told_and_can_stop_it(name: str) -> None:
    told: list[float] = []
    made(name).read(tiny_trace(), progress=lambda done, what: told.append(done or 0.0))
    assert told
    assert told == sorted(told)
    assert told[-1] == 1

    class Stop(Exception):  # noqa: N818
        pass

    def stop(done: float | None, what: str) -> None:
        raise Stop

    with pytest.raises(Stop):
        made(name).read(tiny_trace(), progress=stop)


@lenses
def test_what_is_missing_is_named(name: str) -> None:
    for field in METHODS[name].needs:
        if field != "runner":
            with pytest.raises(ParameterError, match="was given no"):
                METHODS[name]().read(tiny_trace())


def test_a_run_without_a_picture_reads_what_it_is_asked() -> None:
    trace = tiny_trace()
    text = replace(trace, layout=replace(trace.layout, grids=(), roles=("template",) * len(trace.tokens)))
    with pytest.raises(ParameterError, match="no visual tokens"):
        made("logit").read(text)
    assert made("logit").read(text, positions=[1, 2]).scores.shape[1] == 2
