"""Activation patching, causal tracing and attribution patching."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

import explore
from explore.edits import ReplaceStates
from explore.errors import CheckpointError, ParameterError
from explore.flow import activation_patching, attribution_patching, causal_tracing
from tests.families.cases import QUESTION, noise, pictures_of, runner_of

pytestmark = pytest.mark.filterwarnings("ignore")
FAMILIES = ("llava", "qwen2_5_vl", "qwen3_vl", "gemma3", "llama4", "internvl", "idefics3")
GROUPS = {"image": "image", "question": "question", "last": "last"}


def read(name: str):
    runner, pictures = runner_of(name), pictures_of(name, (40, 30), (30, 64))
    said = runner.ask(pictures, QUESTION, max_new_tokens=2).answer_ids
    return runner, runner.read(pictures, QUESTION, said)


def others_of(trace):
    return [noise(*each.size, seed=9 + at) for at, each in enumerate(trace.images)]


@pytest.fixture(scope="module")
def shipped():
    return explore.load()


@pytest.fixture(scope="module")
def asked(shipped):
    return shipped.ask(explore.sketch.scene(seed=7).image, "What is in the picture?", max_new_tokens=8)


@pytest.mark.parametrize("name", FAMILIES)
def test_a_runs_own_states_change_nothing(name):
    runner, trace = read(name)
    rows = np.arange(trace.prompt_length)
    with runner.rerun(trace).variants() as variants:
        edits = [
            ReplaceStates(rows, layers=layer, part=part, values=states)
            for part in ("state", "attention", "mlp")
            for layer, states in enumerate(variants.states(part, rows))
        ]
        found, base = variants.logits(edits), variants.base
    said = base > -1e30
    assert np.abs(found - base)[:, said].max() < 1e-5 * np.abs(base[said]).max()


@pytest.mark.parametrize("direction", ["clean->corrupt", "corrupt->clean"])
@pytest.mark.parametrize("name", FAMILIES)
def test_the_whole_state_of_the_other_run_makes_its_answer(name, direction):
    runner, trace = read(name)
    # Features that enter between layers are the patched run's own: only behind them is a state all there is.
    layer = trace.layers if name == "qwen3_vl" else trace.layers - 1
    everything = {"all": np.arange(trace.prompt_length)}
    grid = activation_patching(
        runner, trace, others_of(trace), positions=everything, layers=[layer], direction=direction
    )
    whole = 1.0 if direction == "clean->corrupt" else 0.0
    np.testing.assert_allclose(grid.normalised, whole, atol=2e-3)
    assert grid.clean == pytest.approx(
        float(trace.logits[0, grid.answer]) - float(trace.logits[0, grid.foil]), abs=1e-4
    )


def test_the_last_position_holds_it_all_before_the_norm_and_the_picture_at_the_entry():
    runner, trace = read("llava")
    grid = activation_patching(runner, trace, others_of(trace), positions=GROUPS, layers=[0, trace.layers])
    np.testing.assert_allclose(grid.normalised[1], [0, 0, 1], atol=1e-3)
    np.testing.assert_allclose(grid.normalised[0], [1, 0, 0], atol=1e-3)


def test_attention_and_mlp_are_patched_in_windows():
    runner, trace = read("qwen2_5_vl")
    everywhere = {"all": np.arange(trace.prompt_length)}
    one = activation_patching(runner, trace, others_of(trace), part="mlp", positions=everywhere, window=1)
    assert one.normalised.shape == (trace.layers, 1)
    assert one.window == 1
    with runner.rerun(trace).variants() as variants:
        states = variants.states("mlp", everywhere["all"])
    other = runner.read(others_of(trace), QUESTION, trace.answer_ids)
    with runner.edited(ReplaceStates(everywhere["all"], layers=0, part="mlp", values=states[0])):
        new = runner.read(list(other.images), QUESTION, trace.answer_ids).logits[0].astype(float)
    assert one.values[0, 0] == pytest.approx(new[one.answer] - new[one.foil], abs=1e-4)
    with pytest.raises(ParameterError, match="window=3"):
        activation_patching(runner, trace, others_of(trace), window=3)


def test_a_trace_serves_as_the_other_run():
    runner, trace = read("llava")
    pictures = others_of(trace)
    other = runner.read(pictures, QUESTION, trace.answer_ids)
    one = activation_patching(runner, trace, other, positions=GROUPS)
    two = activation_patching(runner, trace, pictures, positions=GROUPS)
    np.testing.assert_allclose(one.values, two.values, atol=1e-4)
    with pytest.raises(ParameterError, match="same tokens"):
        activation_patching(runner, trace, runner.read(pictures, "what is here?", "a"), positions=GROUPS)
    with pytest.raises(ParameterError, match="other pictures"):
        activation_patching(runner, trace, pictures[0], positions=GROUPS)


def test_the_shipped_model_carries_the_answer_from_the_picture_to_the_last_position(shipped, asked):
    other = explore.sketch.scene(seed=8).image
    grid = activation_patching(shipped, asked, other, positions=GROUPS)
    assert grid.normalised.shape == (6, 3)
    assert grid.normalised[0, 0] == pytest.approx(1, abs=1e-3)
    assert grid.normalised[0, 2] == pytest.approx(0, abs=1e-3)
    assert grid.normalised[-1, 2] > 0.5 > grid.normalised[-1, 0]
    back = activation_patching(shipped, asked, other, positions=GROUPS, direction="corrupt->clean")
    assert back.normalised[0, 0] == pytest.approx(0, abs=1e-3)
    assert len(grid.to_frame()) == 18
    json.dumps(grid.to_json())
    assert "clean->corrupt" in repr(grid)
    assert "2202.05262" in grid.source
    assert grid.fingerprint["patching"]["corruption"] == "picture"


def test_a_picture_of_another_size_is_brought_to_the_first_ones(shipped, asked):
    small = explore.sketch.scene(seed=8).image.resize((40, 60))
    grid = activation_patching(shipped, asked, np.asarray(small), positions=GROUPS, layers=[0])
    assert grid.normalised[0, 0] == pytest.approx(1, abs=1e-3)


def test_causal_tracing_restores_probability(shipped, asked):
    grid = causal_tracing(shipped, asked, draws=3, positions=GROUPS)
    assert grid.metric == "probability"
    assert grid.draws == 3
    assert 0 <= grid.corrupt < grid.clean <= 1
    assert grid.indirect_effect[0, 0] == pytest.approx(grid.total_effect, abs=1e-4)
    again = causal_tracing(shipped, asked, draws=3, positions=GROUPS)
    np.testing.assert_array_equal(again.values, grid.values)


@pytest.mark.parametrize("name", FAMILIES)
def test_slopes_are_the_limit_of_small_patches(name):
    """A patch of a hundredth of the way has a hundredth of the estimated effect."""
    runner, trace = read(name)
    other = runner.read(others_of(trace), QUESTION, trace.answer_ids)
    grid = attribution_patching(runner, trace, other, positions=GROUPS, verify=0)
    assert grid.patched.shape == (0,)
    layer, rows = trace.layers - 1, np.arange(trace.prompt_length)
    with runner.rerun(trace).variants() as variants:
        clean = variants.states("state", rows)[layer]
    answer, foil = (_token(runner, trace, other, at) for at in (0, 1))
    with runner.rerun(other).variants() as variants:
        own = variants.states("state", rows)[layer]
        for column, positions in enumerate(grid.positions):
            at, step = list(positions), 1e-2
            moved = [own[at] + sign * step * (clean[at] - own[at]) for sign in (1, -1)]
            ends = variants.logits([ReplaceStates(at, layers=layer, values=each) for each in moved])
            slope = (ends[0, answer] - ends[0, foil] - ends[1, answer] + ends[1, foil]) / (2 * step)
            expected = slope / (grid.clean - grid.corrupt)
            assert grid.estimate[layer, column] == pytest.approx(expected, rel=5e-2, abs=5e-3)


def _token(runner, trace, other, which: int) -> int:
    answer = int(trace.answer_ids[0])
    with runner.rerun(other).variants() as variants:
        foil = int(variants.base.argmax())
    if foil == answer:
        foil = int(np.where(np.arange(trace.logits.shape[1]) == answer, -np.inf, trace.logits[0]).argmax())
    return (answer, foil)[which]


def test_estimates_go_with_real_patching_and_the_largest_are_verified(shipped, asked):
    other = explore.sketch.scene(seed=8).image
    slopes = attribution_patching(shipped, asked, other, positions=("question", "last"))
    real = activation_patching(shipped, asked, other, positions=("question", "last"))
    assert slopes.estimate.shape == real.normalised.shape
    assert np.corrcoef(slopes.estimate.ravel(), real.normalised.ravel())[0, 1] > 0.8
    assert len(slopes.patched) == 20
    np.testing.assert_allclose(slopes.patched, real.normalised[tuple(slopes.verified.T)], atol=1e-3)
    order = np.abs(slopes.estimate[tuple(slopes.verified.T)])
    assert (np.diff(order) <= 0).all()
    assert slopes.agreement > 0.8
    assert slopes.to_frame()["patched"].notna().sum() == 20
    json.dumps(slopes.to_json())
    assert "correlation" in repr(slopes)


def test_noise_has_slopes_too(shipped, asked):
    slopes = attribution_patching(shipped, asked, "noise", positions=GROUPS, verify=5, part="attention")
    assert slopes.estimate.shape == (6, 3)
    assert len(slopes.patched) == 5


def test_runs_that_do_not_differ_are_refused():
    runner, trace = read("llava")
    with pytest.raises(ParameterError, match="differ"):
        activation_patching(runner, trace, trace, positions=GROUPS)


@pytest.mark.parametrize(
    "wrong",
    [
        {"part": "value"},
        {"direction": "back"},
        {"metric": "loss"},
        {"layers": [9]},
        {"positions": {"none": ()}},
        {"positions": 10_000},
        {"number": 5},
    ],
)
def test_what_fits_no_run_is_refused(wrong):
    runner, trace = read("llava")
    with pytest.raises(ParameterError):
        activation_patching(runner, trace, others_of(trace), **{"positions": GROUPS, **wrong})


def test_a_decoder_with_several_streams_is_refused():
    runner, trace = read("gemma3n")
    other = [Image.new("RGB", each.size, "red") for each in trace.images]
    with pytest.raises(CheckpointError, match="residual streams"):
        activation_patching(runner, trace, other, positions=GROUPS)
