"""ReAGent against its steps written out one by one with the same random stream, and on runs."""

from __future__ import annotations

import math

import numpy as np
import pytest

from explore.errors import ParameterError
from explore.flow import Recursion, any_token, own_guesses, reagent_importance, same_shape
from explore.flow.recursive_importance import first_units, gain, recurse, softmax
from explore.flow.replaced_units import Replacer, units_of
from explore.flow.token_samplers import shape_of
from explore.layout import Role
from tests.flow.reading_cases import FAMILIES, case

IDS = np.array([5, 1, 4, 2, 8, 3])
GOLDEN_STEPS = [13, 22, 30, 10]
"""Of this recursion with numpy's streams, frozen; `step_by_step` is what says that they are right."""

TARGET_NEEDS = 2  # the toy model says its target while this unit is in place


def toy(replaced, ids):
    """The target is likely while unit 2 stands, a little more while unit 4 does; ids above 5 add noise."""
    tokens = np.where(replaced, ids, IDS)
    chance = 0.2 + 0.6 * ~replaced[:, TARGET_NEEDS] + 0.1 * ~replaced[:, 4] + 0.01 * (tokens > 5).sum(1)
    return chance, np.where(~replaced[:, TARGET_NEEDS], 0, 7)


def draw(rng, count):
    return rng.integers(0, 10, (count, len(IDS)))


def step_by_step(settings, before=0.9):
    """The steps of the specification for one probe after the other, in plain numbers but for the random stream."""
    rng = np.random.default_rng(settings.seed)
    scores = rng.random((settings.probes, len(IDS))).tolist()
    top = math.ceil(settings.top_share * len(IDS)) if not settings.top else settings.top
    stopped = [0] * settings.probes
    for step in range(1, settings.steps + 1):
        masks = rng.random((settings.probes, len(IDS))) < settings.rate
        first, second = draw(rng, settings.probes), draw(rng, settings.probes)
        for probe in range(settings.probes):
            if stopped[probe]:
                continue
            chance = float(toy(masks[probe : probe + 1], first[probe : probe + 1])[0][0])
            for unit in range(len(IDS)):
                change = (before - chance) if masks[probe, unit] else (chance - before)
                half = min(max((change + 1) / 2, 1e-6), 1 - 1e-6)
                scores[probe][unit] += math.log(half / (1 - half))
            best = sorted(range(len(IDS)), key=lambda unit: (-scores[probe][unit], unit))[:top]
            others = np.array([[unit not in best for unit in range(len(IDS))]])
            if toy(others, second[probe : probe + 1])[1][0] < settings.tolerance:
                stopped[probe] = step
        if all(stopped):
            break
    importance = [[math.exp(value) for value in row] for row in scores]
    return np.array([[value / sum(row) for value in row] for row in importance]), stopped, step


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("rate", [0.1, 0.3])
def test_steps_and_importance_are_those_of_the_written_out_recursion(seed, rate):
    settings = Recursion(seed=seed, rate=rate, steps=60, probes=4)
    found = recurse(toy, len(IDS), draw, 0.9, settings)
    importance, stopped, steps = step_by_step(settings)
    assert found.stopped_at.tolist() == stopped
    assert found.steps == steps
    np.testing.assert_allclose(found.by_probe, importance, rtol=1e-9)
    np.testing.assert_allclose(found.history[-1], importance.mean(0), rtol=1e-9)


def test_step_counts_of_a_fixed_stream():
    counts = [recurse(toy, len(IDS), draw, 0.9, Recursion(seed=seed, steps=200, top=1)).steps for seed in range(4)]
    again = [recurse(toy, len(IDS), draw, 0.9, Recursion(seed=seed, steps=200, top=1)).steps for seed in range(4)]
    assert counts == again == GOLDEN_STEPS


def test_the_unit_that_matters_comes_out_and_the_mean_is_over_probes_that_stopped():
    found = recurse(toy, len(IDS), draw, 0.9, Recursion(steps=200, top=1))
    assert found.complete
    assert found.importance.argmax() == TARGET_NEEDS
    assert found.votes(1)[TARGET_NEEDS] == 8
    never = recurse(lambda *given: (toy(*given)[0], np.full(len(given[0]), 9)), 6, draw, 0.9, Recursion(steps=5))
    assert not never.complete
    assert never.steps == 5
    np.testing.assert_allclose(never.importance, never.by_probe.mean(0))


def test_a_step_is_twice_the_gain_on_replaced_units_alone():
    """Softmax does not see what is added to all units."""
    replaced = np.array([[True, False, True, False]])
    added = gain(np.array([0.3]), replaced)
    np.testing.assert_allclose(added, np.where(replaced, 2, -2) * np.arctanh(0.3))
    start = np.random.default_rng(0).random((1, 4))
    only = start + np.where(replaced, 4 * np.arctanh(0.3), 0)
    np.testing.assert_allclose(softmax(start + added), softmax(only))
    assert np.isfinite(gain(np.array([1.0, -1.0]), np.ones((2, 3), bool))).all()


def test_the_first_of_equals_win():
    found = first_units(np.array([[0.2, 0.3, 0.3, 0.2]]), 3)
    assert found.tolist() == [[True, True, True, False]]


def test_parameters_are_checked():
    for wrong in ({"rate": 0}, {"rate": 1}, {"steps": 0}, {"probes": 0}, {"top_share": 2}, {"seed": -1}):
        with pytest.raises(ParameterError):
            Recursion(**wrong)


@pytest.mark.parametrize("name", ["shipped", *FAMILIES])
def test_putting_back_what_was_there_changes_nothing(name):
    """Every unit replaced by its own token or features gives the run's own logits."""
    runner, trace = case(name)
    question = [int(at) for at in trace.layout.positions(Role.QUESTION)]
    units = units_of(trace, question, image=False)
    replacer = Replacer(runner, trace, units)
    own = trace.ids[question][None]
    with runner.rerun(trace).variants() as variants:
        found = variants.logits(replacer.edits(np.ones((1, len(units)), bool), own))
        said = variants.base > 0.1 * np.finfo(np.float32).min
        np.testing.assert_allclose(found[0][said], variants.base[said], atol=1e-3)


def test_another_token_is_what_the_model_reads_of_another_question():
    runner, trace = case("shipped")
    other = runner.read(trace.images, trace.question.replace("picture", "house"), trace.answer_ids.tolist())
    changed = np.flatnonzero(trace.ids != other.ids)
    question = trace.layout.positions(Role.QUESTION)
    assert len(changed) == 1
    units = units_of(trace, question.tolist())
    replacer = Replacer(runner, trace, units)
    mask = np.array([[unit.positions.tolist() == changed.tolist() for unit in units]])
    with runner.rerun(trace).variants(number=0) as variants:
        found = variants.logits(replacer.edits(mask, other.ids[question][None]))[0]
    np.testing.assert_allclose(found, other.logits_of(0), atol=1e-3)


def test_patches_of_another_picture_are_what_the_model_sees_of_it():
    runner, trace = case("shipped")
    grey = trace.images[0].resize((1, 1)).resize(trace.images[0].size)
    units = units_of(trace, [])
    assert sorted(at for unit in units for at in unit.positions.tolist()) == trace.layout.visual.tolist()
    assert len(units) <= 64
    other = runner.read(grey, trace.question, trace.answer_ids.tolist())
    replacer = Replacer(runner, trace, units, grey)
    with runner.rerun(trace).variants() as variants:
        found = variants.logits(replacer.edits(np.ones((1, len(units)), bool), np.empty((1, 0), np.int64)))[0]
    np.testing.assert_allclose(found, other.logits_of(0), atol=1e-3)


@pytest.mark.parametrize("name", ["shipped", "qwen2_5_vl", "gemma3", "internvl", "mistral3", "qwen3_vl", "llava"])
def test_a_run_is_explained_the_same_way_twice(name):
    runner, trace = case(name)
    settings = Recursion(steps=3, probes=3)
    found, again = (reagent_importance(runner, trace, settings=settings) for _ in range(2))
    np.testing.assert_array_equal(found.by_probe, again.by_probe)
    np.testing.assert_allclose(found.by_probe.sum(-1), 1)
    assert found.by_position().sum() == pytest.approx(1)
    assert not found.by_position()[trace.layout.positions(Role.TEMPLATE)].any()
    assert found.steps[-1] <= 3
    assert any("between layers" in note for note in found.notes) == (name == "qwen3_vl")
    found.to_json()


def test_importance_finds_what_the_answer_needs_better_than_chance():
    """Deleting the units that ReAGent names costs more than deleting as many others."""
    runner, trace = case("shipped")
    found = reagent_importance(runner, trace, 2, settings=Recursion(steps=40, tolerance=1, top_share=0.1))
    order, count = np.argsort(-found.importance), 8
    replacer = Replacer(runner, trace, found.parts)
    rng, masks = np.random.default_rng(0), np.zeros((9, len(order)), bool)
    masks[0, order[:count]] = True
    for row in masks[1:]:
        row[rng.choice(order[count:], count, replace=False)] = True
    ids = same_shape(runner, trace, trace.layout.positions(Role.QUESTION).tolist())(rng, len(masks))
    with runner.rerun(trace).variants(number=2) as variants:
        logits = variants.logits(replacer.edits(masks, ids)).astype(np.float64)
    chances = softmax(logits)[:, found.token[0]]
    assert chances[0] < np.mean(chances[1:])


def test_samplers_draw_for_every_token():
    runner, trace = case("shipped")
    places = trace.layout.positions(Role.QUESTION).tolist()
    words = runner.language.words()
    for sampler in (same_shape, any_token, own_guesses(5)):
        drawn = sampler(runner, trace, places)(np.random.default_rng(0), 50)
        assert drawn.shape == (50, len(places))
        assert words[drawn].all()
    drawn = same_shape(runner, trace, places)(np.random.default_rng(0), 20)
    for texts in drawn:
        shapes = [shape_of(text) for text in runner.language.token_texts(texts)]
        assert shapes == [shape_of(trace.tokens[at].text) for at in places]


def test_what_cannot_be_replaced_is_refused():
    runner, trace = case("shipped")
    with pytest.raises(ParameterError, match="as text"):
        reagent_importance(runner, trace, text=trace.layout.visual[:2].tolist())
    with pytest.raises(ParameterError, match="nothing to replace"):
        reagent_importance(runner, trace, text=[], image=False)
    with pytest.raises(ParameterError, match="fill"):
        reagent_importance(runner, trace, fill="stars")
