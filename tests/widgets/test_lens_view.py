"""What the lens view sends, without a browser."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import explore
from explore.errors import ParameterError
from explore.lens import control
from tests.widgets import lens_samples
from tests.widgets.samples import sample_trace
from widgets import LensView
from widgets.codec import unpack

LAYERS = list(lens_samples.LAYERS)


@pytest.fixture(scope="module")
def trace() -> explore.Trace:
    return sample_trace()


def test_labels_arrive_as_read(trace: explore.Trace) -> None:
    reading = lens_samples.vocabulary(trace)
    (sent,) = LensView(reading, trace).methods
    ids, scores = unpack(sent["ids"]), unpack(sent["scores"])
    assert sent["layers"] == LAYERS
    assert ids.shape == scores.shape == (3, 144, 3)
    for layer, cell in ((0, 0), (1, 77), (2, 143)):
        labels = reading.labels(LAYERS[layer], int(trace.layout.visual[cell]))
        told = [sent["entries"][each][0] for each in ids[layer, cell] if each >= 0]
        assert told == [label.text for label in labels]
        np.testing.assert_array_equal(scores[layer, cell, : len(labels)], [label.probability for label in labels])
    assert (ids[..., 2] == -1).all()


def test_a_logit_is_shown_as_its_probability_and_a_cosine_as_it_is(trace: explore.Trace) -> None:
    units = {each["name"]: each["unit"] for each in LensView(both(trace), trace).methods}
    assert units == {"Logit lens": "probability", "LatentLens": "cosine"}


def test_sentences_are_sent_once_and_their_places_in_units_of_the_browser(trace: explore.Trace) -> None:
    (sent,) = LensView(lens_samples.phrases(trace), trace).methods
    assert sent["phrases"] == [lens_samples.PHRASE, "in the mist"]
    cat, _house, mist = sent["entries"]
    units = lens_samples.PHRASE.encode("utf-16-le")
    assert units[2 * cat[2] : 2 * cat[3]].decode("utf-16-le") == " cat"
    assert mist == ["mist", 1, -1, -1]
    assert set(unpack(sent["bank_layers"]).ravel().tolist()) == {1, 2, 4}


def test_cells_that_were_not_read_say_nothing(trace: explore.Trace) -> None:
    whole = lens_samples.vocabulary(trace)
    half = replace(
        whole,
        positions=whole.positions[72:],
        ids=whole.ids[:, 72:],
        scores=whole.scores[:, 72:],
        probabilities=whole.probabilities[:, 72:],
    )
    (sent,) = LensView(half, trace).methods
    assert (unpack(sent["ids"])[:, :72] == -1).all()
    assert np.isnan(unpack(sent["scores"])[:, :72]).all()
    np.testing.assert_array_equal(unpack(sent["ids"])[:, 72:, 2], -1)


def test_controls_stand_beside_the_reading_they_belong_to(trace: explore.Trace) -> None:
    latent = lens_samples.phrases(trace)
    random = replace(latent, control="random", scores=latent.scores - np.float32(0.5))
    view = LensView([lens_samples.vocabulary(trace), latent, control(latent, "shuffled"), random], trace)
    assert [each["name"] for each in view.methods] == [
        "Logit lens",
        "LatentLens",
        "LatentLens · shuffled",
        "LatentLens · random",
    ]
    assert [each["of"] for each in view.methods] == [-1, -1, 1, 1]
    shuffled, drawn = view.methods[2]["beside"], view.methods[3]["beside"]
    assert [each["layer"] for each in drawn] == LAYERS
    assert drawn[0]["median"] == pytest.approx(0.9)
    assert (drawn[0]["chance"], drawn[0]["above"], drawn[0]["same"]) == (pytest.approx(0.4), 1, 1)
    assert shuffled[0]["above"] == 0
    assert 0 < shuffled[0]["same"] < 1


def test_a_control_alone_stands_for_itself(trace: explore.Trace) -> None:
    view = LensView(control(lens_samples.phrases(trace), "shuffled"), trace)
    assert (view.methods[0]["of"], view.lens) == (-1, "LatentLens · shuffled")


def test_it_opens_in_the_middle_layer_where_a_label_fits_best_and_only_suggests_it(trace: explore.Trace) -> None:
    view = LensView(lens_samples.vocabulary(trace), trace)
    assert (view.selection.layer, view.selection.patch) == (2, int(trace.layout.visual[-1]))
    assert view.selection.by == "auto"


def test_word_maps_and_drift_arrive_as_computed(trace: explore.Trace) -> None:
    exact, drift = lens_samples.exact(trace), lens_samples.drift(trace)
    view = LensView(both(trace), trace, maps={"boat": exact}, drift=drift)
    (sent,) = view.maps
    assert (sent["word"], sent["method"], sent["unit"]) == ("boat", "latent", "share")
    np.testing.assert_array_equal(unpack(sent["values"]), exact.values)
    assert view.drift["visual_norm"] == view.drift["text_norm"] == [1, 10, 100]
    np.testing.assert_allclose(unpack(view.drift["cosines"])[2], 0.01)
    assert (LensView(both(trace), trace).maps, LensView(both(trace), trace).drift) == ([], {})


def test_names_may_be_given_and_are_made_different(trace: explore.Trace) -> None:
    reading = lens_samples.vocabulary(trace)
    assert [each["name"] for each in LensView([reading] * 3, trace).methods] == [
        "Logit lens",
        "Logit lens #2",
        "Logit lens #3",
    ]
    assert LensView({"mine": reading}, trace).lens == "mine"


def test_what_does_not_fit_is_refused(trace: explore.Trace) -> None:
    reading = lens_samples.vocabulary(trace)
    with pytest.raises(ParameterError, match="another run"):
        LensView(reading, sample_trace(rows=6, cols=6))
    with pytest.raises(ParameterError, match="another run"):
        LensView(reading, trace, maps={"boat": lens_samples.exact(sample_trace(rows=6, cols=6))})
    with pytest.raises(ParameterError, match="ndarray"):
        LensView([np.zeros(3)], trace)  # type: ignore[list-item]
    with pytest.raises(ParameterError, match="No reading"):
        LensView([], trace)
    with pytest.raises(ParameterError, match="Logit lens"):
        LensView(reading, trace, lens="logit")
    with pytest.raises(TypeError, match="Did you mean 'word'"):
        LensView(reading, trace, wrod="cat")  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="words"):
        LensView(reading, trace, words=True)


def test_a_real_reading_fits() -> None:
    from tests.lens.lens_cases import tiny_bank, tiny_trace

    trace = tiny_trace()
    latent = explore.lens.latent_lens(trace, tiny_bank())  # type: ignore[arg-type]
    readings = [latent, control(latent, "random", trace), explore.lens.logit_lens(trace)]
    maps = {"house": [explore.lens.word_map(trace, "house"), explore.lens.word_map(trace, "house", "logit")]}
    view = LensView(readings, trace, maps=maps, drift=explore.lens.token_drift(trace))
    assert [each["name"] for each in view.methods] == ["LatentLens", "LatentLens · random", "Logit lens"]
    assert len(view.maps) == 2


def test_576_patches_in_nine_layers_stay_small() -> None:
    trace = sample_trace(rows=24, cols=24)
    view = LensView(both(trace), trace)
    packed = [value for each in view.methods for value in each.values() if isinstance(value, dict)]
    assert sum(len(each["buffer"]) for each in packed) == 5 * 3 * 576 * 3 * 4


def both(trace: explore.Trace) -> list[explore.lens.LensReading]:
    return [lens_samples.vocabulary(trace), lens_samples.phrases(trace)]
