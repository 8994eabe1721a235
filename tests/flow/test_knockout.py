"""Knockout curves: against edited reads, captum, and themselves; controls; data sets."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from captum.attr import FeatureAblation

import explore
from explore.edits import CutEdges
from explore.errors import CheckpointError, ParameterError
from explore.flow import (
    CONTROLS,
    edges_by_position,
    knockout,
    knockout_over,
    layer_windows,
    object_edges,
)
from explore.flow.bootstrap import mean_interval
from explore.flow.controls import mass_columns, random_edges
from explore.flow.effects import MEASURES, effects_of, prediction_of
from explore.flow.knockout_edges import Edge, placed_edges
from tests.families.cases import QUESTION, pictures_of, runner_of

pytestmark = pytest.mark.filterwarnings("ignore")
FAMILIES = ("llava", "qwen2_5_vl", "qwen3_vl", "gemma3", "llama4", "internvl", "idefics3", "blip-2")
EDGES = {"image->question": ("image", "question"), "image->last": ("image", "last")}


def read(name: str):
    runner, pictures = runner_of(name), pictures_of(name, (40, 30), (30, 64))
    said = runner.ask(pictures, QUESTION, max_new_tokens=2).answer_ids
    return runner, runner.read(pictures, QUESTION, said)


@pytest.fixture(scope="module")
def shipped():
    return explore.load()


def asked(runner, seed: int = 7):
    return runner.ask(explore.sketch.scene(seed=seed).image, "What is in the picture?", max_new_tokens=8)


@pytest.mark.parametrize("name", FAMILIES)
def test_every_number_is_that_of_an_edited_read(name):
    runner, trace = read(name)
    curves = knockout(runner, trace, EDGES, window=1, draws=2)
    assert curves.effects.kl.shape == (2, trace.layers)
    assert set(curves.controls) == set(CONTROLS)
    answer = int(trace.answer_ids[0])
    base = runner.read(list(trace.images), QUESTION, trace.answer_ids).logits[0].astype(np.float64)
    for number, (source, target) in enumerate(EDGES.values()):
        for layer in range(trace.layers):
            with runner.edited(CutEdges(source, target, layers=layer)):
                new = runner.read(list(trace.images), QUESTION, trace.answer_ids).logits[0].astype(np.float64)
            old, now = (np.exp(each - each.max()) / np.exp(each - each.max()).sum() for each in (base, new))
            change = 100 * (now[answer] - old[answer]) / old[answer]
            assert curves.effects.relative_change[number, layer] == pytest.approx(change, abs=1e-2)
            some = old > 0
            kl = (old[some] * np.log(old[some] / now[some])).sum()
            assert curves.effects.kl[number, layer] == pytest.approx(kl, abs=1e-5)
            assert curves.effects.flip[number, layer] == float(now.argmax() != answer and old.argmax() == answer)


@pytest.mark.parametrize("name", FAMILIES)
def test_a_reused_beginning_gives_the_curves_of_whole_runs(name):
    runner, trace = read(name)
    short, long = (knockout(runner, trace, EDGES, window=1, reuse=reuse, draws=1) for reuse in (True, False))
    assert short.reused
    assert not long.reused
    assert short.rows_run < long.rows_run
    for one, other in [(short.effects, long.effects), *((short.controls[k], long.controls[k]) for k in CONTROLS)]:
        for measure in MEASURES:
            np.testing.assert_allclose(getattr(one, measure), getattr(other, measure), atol=2e-2, rtol=1e-3)


@pytest.mark.parametrize("name", ["llava", "qwen2_5_vl", "gemma3"])
def test_knockout_is_captums_ablation_over_gates_of_edges(name):
    runner, trace = read(name)
    names = {**EDGES, "question->last": ("question", "last")}
    curves = knockout(runner, trace, names, window=1, controls=["all layers"])
    answer, other = curves.before.answer, curves.before.runner_up
    with runner.rerun(trace).variants() as variants:

        def through(gates: torch.Tensor) -> torch.Tensor:
            edits = [
                [CutEdges(*pair) for gate, pair in zip(row, names.values(), strict=True) if not gate]
                for row in gates.tolist()
            ]
            logits = variants.logits(edits)
            return torch.from_numpy(logits[:, answer] - logits[:, other])

        found = FeatureAblation(through).attribute(torch.ones(1, 3), perturbations_per_eval=3)
    np.testing.assert_allclose(-found[0], curves.controls["all layers"].delta_logit, atol=1e-4)


def test_nothing_cut_changes_nothing_and_all_cut_forgets_the_picture():
    runner, trace = read("llava")
    pictures = [each.rotate(180) for each in trace.images]
    other = runner.read(pictures, QUESTION, trace.answer_ids)
    found = []
    for run in (trace, other):
        with runner.rerun(run).variants() as variants:
            found.append(variants.logits([CutEdges((), "last"), CutEdges("image", "~image")]))
            np.testing.assert_allclose(found[-1][0], variants.base, atol=1e-5)
    np.testing.assert_allclose(found[0][1], found[1][1], atol=1e-5)
    assert np.abs(found[0][0] - found[1][0]).max() > 1e-3


def test_the_opposite_keeps_only_the_named_edges():
    runner, trace = read("llava")
    kept = knockout(runner, trace, {"image->last": ("image", "last")}, opposite=True, controls=(), window=1)
    by_hand = knockout(runner, trace, {"rest->last": ("~image", "last")}, controls=(), window=1)
    np.testing.assert_allclose(kept.effects.kl, by_hand.effects.kl, atol=1e-7)
    assert kept.opposite
    assert "all other edges" in repr(kept)


def test_the_last_position_can_lose_the_edge_to_itself():
    runner, trace = read("llava")
    curves = knockout(runner, trace, EDGES, window=1)
    with runner.edited(CutEdges("last", "last", layers=0, own=True)):
        new = runner.read(list(trace.images), QUESTION, trace.answer_ids).logits[0]
    expected = effects_of(trace.logits[0], new, curves.before)
    assert curves.controls["last->last"].kl[0, 0, 0] == pytest.approx(float(expected.kl), abs=1e-5)


def test_single_positions_and_values_and_heads_and_strides():
    runner, trace = read("qwen2_5_vl")
    curves = knockout(runner, trace, edges_by_position(trace, "image"), stride=2, window=1, controls=())
    assert curves.effects.kl.shape == (len(trace.layout.visual), 1)
    assert curves.edges[3] == str(trace.layout.visual[3])
    zeroed = knockout(runner, trace, EDGES, window=1, zero_value=True, controls=())
    plain = knockout(runner, trace, EDGES, window=1, controls=())
    assert np.abs(zeroed.effects.kl - plain.effects.kl).max() > 1e-6
    heads = knockout(runner, trace, EDGES, window=1, heads=range(trace.heads), controls=())
    np.testing.assert_allclose(heads.effects.kl, plain.effects.kl, atol=1e-6)


@pytest.mark.parametrize(
    ("depth", "window", "used"),
    [(32, None, 9), (32, 9, 9), (28, None, 9), (24, None, 7), (6, None, 1), (6, 9, 1), (6, 5, 5), (2, None, 1)],
)
def test_windows_are_no_wider_than_a_model_can_show(depth, window, used):
    assert layer_windows(depth, window).window == used


def test_windows_are_those_of_the_paper_cut_off_at_the_ends():
    found = layer_windows(32, 9)
    assert found.layers[0] == tuple(range(5))
    assert found.layers[16] == tuple(range(12, 21))
    assert found.layers[31] == tuple(range(27, 32))
    assert layer_windows(8, 3, stride=3).centres.tolist() == [0, 3, 6]
    assert layer_windows(8, 3, among=[4]).layers == ((4,), (4,), (4,))
    for wrong in ({"window": 4}, {"window": 0}, {"stride": 0}, {"among": []}):
        with pytest.raises(ParameterError):
            layer_windows(8, **wrong)


def test_a_model_of_several_kinds_of_layers_is_knocked_out_where_it_has_attention():
    runner, trace = read("qwen3_5")
    with pytest.raises(CheckpointError, match=r"layers=\[1\]"):
        knockout(runner, trace, EDGES, window=1)
    curves = knockout(runner, trace, EDGES, window=1, layers=[1])
    assert curves.centres.tolist() == [1]
    assert not curves.reused


@pytest.mark.parametrize(
    "wrong",
    [
        {"edges": {}},
        {"edges": {"x": ("image",)}},
        {"edges": {"x": ("last", "image")}},
        {"edges": {"x": ("image", "answer")}},
        {"controls": ["shuffled"]},
        {"draws": 0},
        {"number": 7},
        {"layers": [5]},
    ],
)
def test_what_fits_no_run_is_refused(wrong):
    runner, trace = read("llava")
    with pytest.raises(ParameterError):
        knockout(runner, trace, **{"edges": EDGES, **wrong})


def test_random_edges_are_as_many_of_the_same_rows():
    edge, rng = Edge("x", np.array([2, 3, 4, 9]), np.array([6, 11])), np.random.default_rng(0)
    drawn = random_edges(edge, (1,), rng)
    by_row = {row: each.source for each in drawn for row in each.target}
    assert {row: len(columns) for row, columns in by_row.items()} == {6: 3, 11: 4}
    assert all(max(columns) < row for row, columns in by_row.items())


def test_columns_of_equal_mass_carry_as_much_elsewhere():
    rng = np.random.default_rng(0)
    masses = rng.dirichlet(np.ones(60), size=4)
    edge = Edge("x", np.arange(10, 30), np.array([59]))
    for _ in range(5):
        columns, share = mass_columns(edge, masses, (1, 2), rng)
        assert not set(columns) & set(range(10, 30))
        mass = masses[[1, 2]].mean(0)
        assert share == pytest.approx(mass[columns].sum() / mass[10:30].sum())
        assert share == pytest.approx(1.0, abs=0.15)
    masses[:, 10:30] = 1.0
    assert mass_columns(edge, masses, (0,), rng)[1] < 0.1


def test_attention_masses_are_those_of_the_record():
    runner, trace = read("qwen2_5_vl")
    from explore.models.plans import RecordingPlan

    full = runner.read(list(trace.images), QUESTION, trace.answer_ids, record=RecordingPlan(attention="all"))
    rows = [np.array([trace.prompt_length - 1]), trace.layout.positions("question")]
    with runner.rerun(trace).variants() as variants:
        found = variants.attention(rows)
    for wanted, means in zip(rows, found, strict=True):
        for layer in range(trace.layers):
            expected = full.attention(layer, rows=wanted).mean(axis=(0, 1))[: trace.prompt_length]
            np.testing.assert_allclose(means[layer], expected, atol=1e-6)


def test_effects_of_hand_made_logits():
    base = np.log(np.array([0.5, 0.3, 0.2]))
    before = prediction_of(base, 0, lambda ids: [str(each) for each in ids])
    assert (before.runner_up, before.probability) == (1, pytest.approx(0.5))
    new = np.log(np.array([[0.25, 0.5, 0.25], [0.5, 0.3, 0.2]])) + 3.0
    found = effects_of(base, new, before)
    np.testing.assert_allclose(found.relative_change, [-50, 0], atol=1e-9)
    np.testing.assert_allclose(found.delta_logprob, [np.log(0.5), 0], atol=1e-12)
    np.testing.assert_allclose(found.delta_logit, [np.log(0.5) - np.log(5 / 3), 0], atol=1e-12)
    np.testing.assert_allclose(found.kl, [0.5 * np.log(2) + 0.3 * np.log(0.6) + 0.2 * np.log(0.8), 0], atol=1e-12)
    assert found.flip.tolist() == [1.0, 0.0]
    silent = np.array([1.0, np.finfo(np.float32).min, 0.0])
    assert np.isfinite(effects_of(silent, silent[None], prediction_of(silent, 0, lambda ids: ["a", "b"])).kl).all()


def test_intervals_hold_the_mean_and_leave_out_what_is_not_there():
    values = np.random.default_rng(0).normal(3.0, 1.0, (200, 2))
    values[:150, 1] = np.nan
    mean, low, high = mean_interval(values)
    np.testing.assert_allclose(mean, np.nanmean(values, axis=0))
    assert (low < mean).all()
    assert (mean < high).all()
    assert high[0] - low[0] == pytest.approx(2 * 1.96 / np.sqrt(200), rel=0.15)
    assert high[1] - low[1] > 1.5 * (high[0] - low[0])
    assert np.isnan(mean_interval(np.full((3, 1), np.nan))[0]).all()


def test_patches_of_an_object_are_those_that_a_pixel_of_its_mask_touches(shipped):
    trace = asked(shipped)
    grid = trace.layout.grid()
    mask = np.zeros((grid.size[1], grid.size[0]), bool)
    x0, y0, x1, y1 = grid.boxes[3, 4]
    mask[int((y0 + y1) / 2), int((x0 + x1) / 2)] = True
    edges = object_edges(trace, mask)
    assert edges["object->question"][0].tolist() == [grid.positions[3, 4]]
    assert len(edges["background->question"][0]) == grid.positions.size - 1
    mask[int(y1) + 1, int((x0 + x1) / 2)] = True
    assert len(object_edges(trace, mask)["object->question"][0]) == 2
    for wrong in (np.zeros_like(mask), np.ones_like(mask), mask[:-1], mask.astype(int)):
        with pytest.raises(ParameterError):
            object_edges(trace, wrong)
    curves = knockout(shipped, trace, object_edges(trace, mask, "last"), controls=())
    assert curves.edges == ("object->last", "background->last")


def test_the_shipped_model_has_curves_with_their_controls(shipped):
    trace = asked(shipped)
    curves = knockout(shipped, trace, window=9)
    assert curves.window == 1
    assert curves.edges == ("image->question", "image->template", "image->last", "question->last")
    assert curves.controls["random edges"].kl.shape == curves.controls["equal mass"].kl.shape == (5, 4, 6)
    assert curves.controls["all layers"].kl.shape == (4,)
    assert curves.effects.kl[2].max() > curves.controls["random edges"].kl[:, 2].mean(axis=0).max()
    assert curves.before.answer == trace.answer_ids[0]
    frame = curves.to_frame()
    assert len(frame) == 4 * 6 * (1 + 5 + 5) + 6 + 4
    assert set(frame["kind"]) == {"edge", *CONTROLS}
    told = json.loads(json.dumps(curves.to_json()))
    assert told["fingerprint"]["knockout"]["window"] == 1
    assert "image->last" in repr(curves)
    assert "2304.14767" in curves.source
    again = knockout(shipped, trace, window=9)
    np.testing.assert_array_equal(again.controls["equal mass"].kl, curves.controls["equal mass"].kl)


def test_a_data_set_counts_correct_answers_alone_and_says_how_many(shipped):
    scenes = [explore.sketch.scene(seed=seed).image for seed in range(300, 306)]
    question = "What is in the picture?"
    said = shipped.answers([(each, question) for each in scenes], max_new_tokens=16)
    items = [
        (image, question, answer.upper() if at else "a lie")
        for at, (image, answer) in enumerate(zip(scenes, said, strict=True))
    ]
    reports = []
    found = knockout_over(shipped, items, EDGES, progress=lambda *report: reports.append(report))
    assert (found.asked, found.correct) == (6, 5)
    assert found.curves["kl"].mean.shape == (2, 6)
    assert found.curves["kl"].items == 5
    sure = [each.before.probability >= 0.05 for each in found.items]
    assert found.curves["relative_change"].items == sum(sure)
    expected = np.mean([each.effects.kl for each in found.items], axis=0)
    np.testing.assert_allclose(found.curves["kl"].mean, expected)
    assert (found.curves["kl"].low <= expected).all()
    assert set(found.controls) == set(CONTROLS)
    assert set(found.to_frame()["kind"]) == {"edge", *CONTROLS}
    json.dumps(found.to_json())
    assert "5 correct of 6" in repr(found)
    assert reports[-1][0] == 1.0
    with pytest.raises(ParameterError, match="answered correctly"):
        knockout_over(shipped, [(scenes[0], question, "a lie")], EDGES)
    with pytest.raises(ParameterError, match="No item"):
        knockout_over(shipped, [])


def test_positions_behind_the_one_that_predicts_have_no_part_in_it():
    _, trace = read("llava")
    edge = placed_edges({"x": ("image", ("last", "answer"))}, trace, trace.prompt_length)[0]
    assert edge.target.tolist() == [trace.prompt_length - 1]


def test_edits_that_are_open_around_a_knockout_stand_in_its_fingerprint():
    runner, trace = read("llava")
    edit = CutEdges("image", "last")
    with runner.edited(edit):
        inside = knockout(runner, trace, EDGES, window=1, controls=())
    outside = knockout(runner, trace, EDGES, window=1, controls=())
    assert inside.fingerprint["knockout"]["edits"] == [edit.to_json()]
    assert outside.fingerprint["knockout"]["edits"] == []
    np.testing.assert_allclose(inside.effects.kl[1], 0, atol=1e-9)
    assert outside.effects.kl[1].max() > 1e-6
