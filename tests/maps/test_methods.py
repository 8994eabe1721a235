"""What every method of the table promises. A new method is tested here by being in the table."""

import functools
import subprocess
import sys
from contextlib import nullcontext
from dataclasses import fields, is_dataclass

import numpy as np
import pytest
import torch
from PIL import Image

from explore import open_trace
from explore.errors import NotRecordedError, ParameterError
from explore.layout import Role
from explore.maps import METHODS, token_activation_maps
from explore.models.plans import RecordingPlan
from explore.models.runner import Runner
from tests.maps.fakes import fake_trace
from tests.tiny import tiny_llava, tiny_processor, tiny_runner

every_method = pytest.mark.parametrize("name", METHODS)

# Small settings, so that the slow ones are quick; a method without a line runs as it comes.
QUICK = {"integrated_gradients": {"steps": 3}}


def method(name):
    return METHODS[name](**QUICK.get(name, {}))


def picture(seed, size=(40, 30)):
    return Image.fromarray(np.random.default_rng(seed).integers(0, 255, (size[1], size[0], 3), dtype=np.uint8))


@functools.cache
def run(pictures=1, answer="the dog is left of the house", question="what colour is the dog?"):
    shown = [picture(seed, (40, 30 + 10 * seed)) for seed in range(pictures)]
    return tiny_runner().read(shown, question, answer)


@functools.cache
def maps_of(name, pictures=1):
    return method(name).maps(run(pictures))


@every_method
def test_is_a_frozen_dataclass_with_defaults_a_name_and_a_source(name):
    kind = METHODS[name]
    assert is_dataclass(kind)
    assert kind.__dataclass_params__.frozen
    assert kind.name == name
    assert len(kind.source) > 20
    assert kind() == kind()
    assert kind.__doc__
    for parameter in fields(kind):
        assert parameter.name in kind.__doc__


@every_method
@pytest.mark.parametrize("pictures", [1, 2])
def test_gives_one_finite_map_per_token_in_0_to_1(name, pictures):
    maps, trace = maps_of(name, pictures), run(pictures)
    assert maps.array.shape == (len(maps.tokens), 16 * pictures)
    assert maps.array.dtype == np.float32
    assert np.isfinite(maps.array).all()
    assert maps.array.min() >= 0
    assert maps.array.max() <= 1
    positions = [token.position for token in maps.tokens]
    assert positions[-len(trace.answer_ids) :] == trace.answer_positions.tolist()
    assert method(name).answer_only or {token.role for token in maps.tokens} <= {Role.ANSWER, Role.QUESTION}


@every_method
def test_says_something_and_not_the_same_for_every_cell(name):
    assert np.ptp(maps_of(name).array, axis=1).max() > 0


@every_method
def test_is_the_same_every_time(name):
    np.testing.assert_array_equal(method(name).maps(run()).array, maps_of(name).array)


@every_method
def test_leaves_the_trace_alone(name):
    trace = run()
    before = {key: array.copy() for key, array in trace.arrays().items()}
    method(name).maps(trace)
    for key, array in trace.arrays().items():
        np.testing.assert_array_equal(array, before[key])
    assert "maps" not in trace.fingerprint


@every_method
def test_a_token_a_word_and_a_phrase_can_be_asked_for(name):
    trace = run()
    word = next(positions for text, positions in trace.words() if text == "house")
    maps = method(name).maps(trace, word.tolist())
    assert [token.position for token in maps.tokens] == word.tolist()
    (found,) = maps.find("house", role="answer")
    assert maps[found].shape == (4, 4)
    phrase = method(name).maps(trace, maps_of(name).find("left of the house", role="answer"))
    assert len(phrase.tokens) >= 4
    assert method(name).maps(trace, int(word[0])).array.shape == (1, 16)


@every_method
def test_what_is_asked_for_has_the_map_it_has_among_all(name):
    """Up to the common scale, which is the largest value among the tokens asked for."""
    trace, position = run(), int(run().answer_positions[2])
    one, all_of_them = method(name).maps(trace, position), maps_of(name)
    if hasattr(one.parts, "values"):
        row = [token.position for token in all_of_them.tokens].index(position)
        np.testing.assert_allclose(one.parts.values[0], all_of_them.parts.values[row], rtol=1e-3, atol=1e-5)
    else:
        np.testing.assert_array_equal(one.array[0], all_of_them.flat(position))


@every_method
def test_a_generated_answer_has_the_maps_of_the_same_answer_given(name):
    asked = tiny_runner().ask(picture(0), "what is this?", max_new_tokens=3)
    given = tiny_runner().read(asked.images[0], asked.question, asked.answer_ids.tolist())
    np.testing.assert_allclose(
        method(name).maps(asked, asked.answer_positions).array,
        method(name).maps(given, given.answer_positions).array,
        atol=2e-3,
    )


@every_method
def test_a_saved_trace_gives_the_same_maps(name, tmp_path):
    trace = run()
    trace.save(tmp_path / "run.trace")
    again = open_trace(tmp_path / "run.trace")
    if method(name).reruns:
        with pytest.raises(NotRecordedError, match="runner="):
            method(name).maps(again)
    maps = method(name).maps(again, runner=tiny_runner())
    np.testing.assert_allclose(maps.array, maps_of(name).array, atol=1e-6)


@every_method
def test_the_fingerprint_names_method_and_parameters(name):
    found = maps_of(name).fingerprint
    assert found["checkpoint"] == "tiny"
    assert found["maps"]["method"] == name
    assert set(found["maps"]) == {"method"} | {parameter.name for parameter in fields(METHODS[name])}


@every_method
def test_an_answer_that_repeats_the_question_and_itself_has_maps(name):
    trace = run(1, "the dog the dog what colour is the dog?", "what colour is the dog?")
    maps = method(name).maps(trace)
    assert np.isfinite(maps.array).all()
    assert len(maps.find("the dog", role="answer")) == 3


@every_method
def test_an_empty_answer_is_its_end_token(name):
    trace = tiny_runner().read(picture(0), "what is this?", "")
    assert trace.answer == ""
    maps = method(name).maps(trace)
    assert np.isfinite(maps.array).all()
    assert maps.tokens[-1].position == trace.answer_positions[0]


@every_method
def test_a_picture_of_one_colour_has_finite_maps(name):
    trace = tiny_runner().read(Image.new("RGB", (40, 30)), "what is this?", "a dog")
    maps = method(name).maps(trace)
    assert np.isfinite(maps.array).all()
    if name in ("occlusion", "ablation"):
        np.testing.assert_allclose(maps.parts.values, 0, atol=1e-5)


@functools.cache
def one_patch_runner():
    model, processor = tiny_llava(image_size=8, patch=8)
    return Runner(model, processor, checkpoint="one patch", revision="test")


@every_method
def test_a_single_visual_token_has_a_map(name):
    trace = one_patch_runner().read(picture(0), "what is this?", "a dog")
    maps = method(name).maps(trace)
    assert maps.array.shape == (len(maps.tokens), 1)
    assert np.isfinite(maps.array).all()


def other_runner(kind):
    if kind == "full":  # the class token stays in the sequence, outside the grid
        processor = tiny_processor()
        processor.vision_feature_select_strategy = "full"
        model, processor = tiny_llava(strategy="full", processor=processor)
    elif kind == "siglip":
        model, processor = tiny_llava(vision="siglip")
    else:
        model, processor = tiny_llava()
        model = model.to(getattr(torch, kind))
    return Runner(model, processor, checkpoint=kind, revision="test")


@every_method
@pytest.mark.parametrize("kind", ["full", "siglip", "bfloat16", "float64"])
def test_other_towers_and_number_types_have_maps(name, kind):
    runner = other_runner(kind)
    trace = runner.read(picture(0), "what is this?", "a dog")
    maps = method(name).maps(trace)
    assert maps.array.shape == (len(maps.tokens), 16)
    assert maps.array.dtype == np.float32
    assert np.isfinite(maps.array).all()
    if name == "integrated_gradients" and kind == "full":
        outside = set(trace.layout.visual.tolist()) - set(maps.positions.tolist())
        assert len(outside) == 1


@every_method
def test_a_token_of_another_run_is_refused(name):
    other = tiny_runner().read(picture(0), "what is this?", "two cats")
    with pytest.raises(ParameterError, match="another run"):
        method(name).maps(run(), other.tokens[int(other.answer_positions[1])])
    with pytest.raises(ParameterError, match="can be explained"):
        method(name).maps(run(), 3.0)


@every_method
def test_bad_tokens_are_refused(name):
    with pytest.raises(ParameterError, match="can be explained"):
        method(name).maps(run(), 0)
    with pytest.raises(ParameterError, match="text"):
        method(name).maps(run(), "dog")
    if METHODS[name].answer_only:
        with pytest.raises(ParameterError, match="did not say"):
            method(name).maps(run(), int(run().layout.positions("question")[0]))


@every_method
def test_half_recorded_runs_say_how_to_record(name):
    bare = tiny_runner().read(
        picture(0), "what is this?", "a dog", record=RecordingPlan(hidden="none", attention="none", columns=False)
    )
    reads_the_record = name in ("tam", "logit", "attention", "similarity")
    with pytest.raises(NotRecordedError, match="RecordingPlan") if reads_the_record else nullcontext():
        method(name).maps(bare)


RECORD_ONLY = [name for name in METHODS if not method(name).reruns and name != "attention"]


@pytest.mark.parametrize("name", RECORD_ONLY)
@pytest.mark.parametrize("shapes", [[(4, 5)], [(1, 1)], [(3, 4), (2, 6)]])
@pytest.mark.parametrize("video", [False, True])
def test_any_grid_will_do_for_methods_that_need_no_model(name, shapes, video):
    trace = fake_trace(shapes, video=video)
    maps = method(name).maps(trace)
    assert maps.array.shape == (14, sum(rows * cols for rows, cols in shapes))
    assert np.isfinite(maps.array).all()
    assert method(name).maps(fake_trace(answer=())).array.shape == (5, 20)


def test_logit_is_tam_with_both_parts_off():
    trace = fake_trace()
    plain = token_activation_maps(trace, eci=False, rank_filter=False)
    np.testing.assert_array_equal(METHODS["logit"]().maps(trace).array, plain.array)
    assert not np.array_equal(METHODS["tam"]().maps(trace).array, plain.array)


def test_logit_of_the_last_layer_is_logit():
    found = METHODS["logit"](layer=run().layers).maps(run())
    np.testing.assert_allclose(found.array, METHODS["logit"]().maps(run()).array, atol=1e-5)
    assert not np.allclose(METHODS["logit"](layer=0).maps(run()).array, found.array, atol=1e-2)


def test_random_depends_on_seed_and_position_only():
    short, long = fake_trace(answer=("On",)), fake_trace(answer=("On", " top"))
    chance = METHODS["random"]
    np.testing.assert_array_equal(chance().maps(short).array, chance().maps(long).array[:-1])
    assert not np.array_equal(chance().maps(short).array, chance(seed=1).maps(short).array)


def test_the_table_opens_without_torch_and_captum():
    """Maps of a saved trace must not cost two seconds of imports, nor a library that may not be there."""
    code = "import sys, explore.maps; sys.exit(bool({'torch', 'captum'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
