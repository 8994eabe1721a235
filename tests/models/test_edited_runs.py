"""Edits in asks and reads: what they do, that they compose, undo themselves, and stand in the fingerprint."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from PIL import Image

from explore.edits import (
    AddNoise,
    CutEdges,
    DropTokens,
    FreezeStates,
    MergeTokens,
    ReplaceStates,
    ScaleStates,
    SkipUpdate,
)
from explore.errors import CheckpointError, ParameterError
from explore.models.plans import RecordingPlan
from explore.models.runner import Runner
from explore.result_cache import ResultCache
from tests.families.cases import QUESTION, noise, pictures_of, runner_of
from tests.models.samples import fresh
from tests.tiny import tiny_llava

pytestmark = pytest.mark.filterwarnings("ignore")
FAMILIES = ("llava", "qwen2_5_vl", "qwen3_vl", "gemma3", "llama4", "internvl", "idefics3", "blip-2")
ALL = RecordingPlan(attention="all")


def asked(name: str):
    runner = runner_of(name)
    pictures = pictures_of(name, (40, 30), (30, 64))
    return runner, pictures, runner.ask(pictures, QUESTION, max_new_tokens=3, record=ALL)


def apart(one, other) -> float:
    said = other > -1e30
    return float(np.abs(one - other)[said].max() / np.abs(other[said]).max())


@pytest.mark.parametrize("name", FAMILIES)
def test_with_all_edges_from_the_picture_cut_the_answer_does_not_depend_on_it(name):
    runner, pictures, _ = asked(name)
    others = [Image.new("RGB", each.size, (250, 30 * at, 20)) for at, each in enumerate(pictures)]
    with runner.edited(CutEdges("image", "~image")):
        one, other = (runner.ask(each, QUESTION, max_new_tokens=3) for each in (pictures, others))
    assert one.answer_ids.tolist() == other.answer_ids.tolist()
    assert apart(one.logits, other.logits) < 1e-5
    assert apart(runner.ask(pictures, QUESTION, max_new_tokens=3).logits[:1], one.logits[:1]) > 1e-4


@pytest.mark.parametrize("name", FAMILIES)
def test_generation_is_edited_as_reading_is(name):
    runner, pictures, base = asked(name)
    middle = base.layout.visual[::2]
    edits = CutEdges(middle, "answer") + SkipUpdate("mlp", "answer", layers=0) + AddNoise("answer", std=0.1)
    with runner.edited(edits):
        generated = runner.ask(pictures, QUESTION, max_new_tokens=3, record=ALL)
        given = runner.read(pictures, QUESTION, generated.answer_ids, record=ALL)
    assert apart(generated.logits, given.logits) < 1e-4
    rows = generated.attention(base.layers - 1, rows=[base.prompt_length])
    assert float(rows[:, :, middle].max()) < 1e-6
    # The first answer token is predicted at the prompt's last position, which is no answer.
    assert apart(generated.logits[:1], base.logits[:1]) < 1e-4
    assert apart(generated.logits[1:2], runner.read(pictures, QUESTION, generated.answer_ids).logits[1:2]) > 1e-3


@pytest.mark.parametrize("name", FAMILIES)
def test_an_edited_run_leaves_the_model_as_it_was(name):
    runner, pictures, base = asked(name)
    edits = [CutEdges("image", "last"), ScaleStates("question", layers=1, factor=0.5), FreezeStates("image", layers=0)]
    with runner.edited(*edits):
        changed = runner.ask(pictures, QUESTION, max_new_tokens=3, record=ALL)
    again = runner.ask(pictures, QUESTION, max_new_tokens=3, record=ALL)
    np.testing.assert_array_equal(again.logits, base.logits)
    assert apart(changed.logits[:1], base.logits[:1]) > 1e-4
    assert "edits" not in base.fingerprint
    assert changed.fingerprint["edits"] == [each.to_json() for each in edits]


def test_edits_inside_edits_add_up_and_are_taken_away_one_by_one():
    runner, pictures, base = asked("llava")
    one, other = CutEdges("image", "question"), SkipUpdate("attention", "last", layers=1)
    read = lambda: runner.read(pictures, QUESTION, base.answer_ids).logits  # noqa: E731
    plain = read()
    with runner.edited(one):
        first = read()
        with runner.edited(other):
            nested = read()
        np.testing.assert_array_equal(read(), first)
    with runner.edited(one + other):
        np.testing.assert_array_equal(read(), nested)
    with runner.edited():
        np.testing.assert_array_equal(read(), plain)
    assert apart(nested[:1], first[:1]) > 1e-4


def test_another_thread_is_not_edited_unawares():
    runner, pictures, base = asked("llava")
    found = []
    with runner.edited(CutEdges("image", "~image")):
        worker = threading.Thread(
            target=lambda: found.append(runner.read(pictures, QUESTION, base.answer_ids)), daemon=True
        )
        worker.start()
        worker.join(20)
    assert apart(found[0].logits, base.logits) < 1e-5
    assert "edits" not in found[0].fingerprint


def test_the_cache_does_not_mix_edited_runs_with_others():
    model, processor = tiny_llava()
    runner = Runner(model, processor, checkpoint="tiny", cache=ResultCache(1 << 28))
    plain = runner.ask(noise(40, 30), QUESTION, max_new_tokens=2)
    with runner.edited(SkipUpdate("mlp")):
        edited = runner.ask(noise(40, 30), QUESTION, max_new_tokens=2)
        assert runner.ask(noise(40, 30), QUESTION, max_new_tokens=2) is edited
    assert edited is not plain
    assert runner.ask(noise(40, 30), QUESTION, max_new_tokens=2) is plain


def test_states_are_what_the_edits_make_them():
    runner, pictures, base = asked("qwen2_5_vl")
    question = base.layout.positions("question")
    read = lambda *edits: _read(runner, pictures, base, *edits)  # noqa: E731
    values = np.random.default_rng(0).normal(size=(len(question), base.width)).astype(np.float32)
    replaced = read(ReplaceStates("question", layers=1, values=values))
    np.testing.assert_array_equal(replaced.hidden(1)[question], values)
    np.testing.assert_array_equal(replaced.hidden(0), base.hidden(0))
    scaled = read(ScaleStates("question", layers=1, factor=3))
    np.testing.assert_allclose(scaled.hidden(1)[question], 3 * base.hidden(1)[question], rtol=1e-5)
    frozen = read(FreezeStates("question"))
    for layer in range(base.layers + 1):
        np.testing.assert_allclose(frozen.hidden(layer)[question], base.hidden(0)[question], atol=1e-6)
    noisy = read(AddNoise("question", layers=0, std=0.5, seed=1))
    moved = noisy.hidden(0)[question] - base.hidden(0)[question]
    np.testing.assert_allclose(moved, AddNoise("question", std=0.5, seed=1).drawn(0, question, base.width), atol=1e-5)


def _read(runner, pictures, base, *edits):
    with runner.edited(*edits):
        return runner.read(pictures, QUESTION, base.answer_ids, record=ALL)


@pytest.mark.parametrize("name", FAMILIES)
def test_rows_without_any_update_stay_what_they_were(name):
    runner, pictures, base = asked(name)
    rows = base.layout.positions("question")
    trace = _read(runner, pictures, base, SkipUpdate("attention", rows), SkipUpdate("mlp", rows))
    for layer in range(1, base.layers + 1):
        np.testing.assert_allclose(trace.hidden(layer)[rows], base.hidden(0)[rows], atol=1e-5)


@pytest.mark.parametrize("name", ["llava", "qwen2_5_vl", "gemma3"])
def test_zeroed_values_of_all_columns_are_a_skipped_attention(name):
    """With every weight kept and every value zero nothing comes of attention; these projections have no bias."""
    runner, pictures, base = asked(name)
    zeroed = _read(runner, pictures, base, CutEdges("all", "last", layers=1, own=True, zero_value=True))
    skipped = _read(runner, pictures, base, SkipUpdate("attention", "last", layers=1))
    assert apart(zeroed.logits, skipped.logits) < 1e-4
    cut = _read(runner, pictures, base, CutEdges("image", "last", layers=1))
    half = _read(runner, pictures, base, CutEdges("image", "last", layers=1, zero_value=True))
    assert apart(cut.logits[:1], half.logits[:1]) > 1e-4


def test_heads_are_cut_one_by_one():
    runner, pictures, base = asked("llava")
    last = base.prompt_length - 1
    trace = _read(runner, pictures, base, CutEdges("image", "last", layers=0, heads=[1, 2]))
    mass = trace.attention(0, rows=[last])[:, 0, base.layout.visual].sum(axis=-1)
    assert mass[[1, 2]].max() < 1e-6
    np.testing.assert_allclose(mass[[0, 3]], base.attention(0, rows=[last])[:, 0, base.layout.visual].sum(-1)[[0, 3]])
    every = _read(runner, pictures, base, CutEdges("image", "last", heads=range(4)))
    assert apart(every.logits, _read(runner, pictures, base, CutEdges("image", "last")).logits) < 1e-6


def test_a_row_never_goes_without_any_key():
    runner, pictures, base = asked("llava")
    trace = _read(runner, pictures, base, CutEdges("all", "last", own=True))
    rows = trace.attention(0, rows=[base.prompt_length - 1])[:, 0]
    np.testing.assert_allclose(rows[:, base.prompt_length - 1], 1.0, atol=1e-6)


@pytest.mark.parametrize("layer", [0, 1])
@pytest.mark.parametrize("name", ["llava", "qwen2_5_vl", "gemma3", "internvl"])
def test_dropped_tokens_leave_what_cut_ones_leave(name, layer):
    runner, pictures, base = asked(name)
    gone = base.layout.visual[1::3]
    kept = np.setdiff1d(np.arange(base.positions_fed), gone)
    with runner.edited(DropTokens(gone, layer=layer)):
        short = runner.ask(pictures, QUESTION, max_new_tokens=3, record=ALL)
    with runner.edited(CutEdges(gone, "all", layers=range(layer, base.layers))):
        cut = runner.ask(pictures, QUESTION, max_new_tokens=3, record=ALL)
    assert short.answer_ids.tolist() == cut.answer_ids.tolist()
    assert apart(short.logits, cut.logits) < 1e-4
    for number in range(base.layers):
        np.testing.assert_allclose(short.hidden(number)[kept], cut.hidden(number)[kept], atol=1e-4)
        difference = np.abs(short.attention(number) - cut.attention(number))[:, kept]
        assert difference.max() < 1e-4
    assert np.isnan(short.hidden(base.layers)[gone]).all()
    assert np.isnan(short.hidden(0)[gone]).any() == (layer == 0)
    np.testing.assert_allclose(short.columns.logits[kept], cut.columns.logits[kept], atol=1e-3)


@pytest.mark.parametrize("layer", [0, 1])
def test_merged_tokens_go_on_as_their_mean(layer):
    runner, pictures, base = asked("llava")
    group = base.layout.visual[2:5]
    with runner.edited(MergeTokens([group], layer=layer)):
        merged = runner.ask(pictures, QUESTION, max_new_tokens=2, record=ALL)
    mean = base.hidden(layer)[group].mean(axis=0)
    edits = [
        ReplaceStates(group[0], layers=layer, values=mean),
        CutEdges(group[1:], "all", layers=range(layer, base.layers)),
    ]
    with runner.edited(*edits):
        by_hand = runner.ask(pictures, QUESTION, max_new_tokens=2, record=ALL)
    assert merged.answer_ids.tolist() == by_hand.answer_ids.tolist()
    assert apart(merged.logits, by_hand.logits) < 1e-4


def test_answers_to_many_questions_are_edited_too():
    runner, pictures, _ = asked("llava")
    pairs = [(pictures, QUESTION), (pictures[0], "what is it?")]
    with runner.edited(SkipUpdate("mlp", layers=1)):
        found = runner.answers(pairs, max_new_tokens=3)
        assert found == [runner.ask(*pair, max_new_tokens=3).answer for pair in pairs]


def test_reruns_are_edited_too():
    runner, pictures, base = asked("llava")
    edit, nothing = CutEdges("image", "question"), np.zeros((2, base.positions_fed), bool)
    with runner.edited(edit):
        scores = runner.rerun(base).without(nothing)
        with runner.rerun(base).replay() as replay:
            states = [each.cpu().numpy() for each in replay.states]
        painted = runner.rerun(base).with_pictures([base.images])
        with runner.rerun(base).variants() as variants:
            first = variants.base
        read = runner.read(pictures, QUESTION, base.answer_ids)
    blocked = np.zeros((1, base.positions_fed), bool)
    assert np.abs(scores.logits - runner.rerun(base).without(blocked).logits).max() > 1e-4
    np.testing.assert_allclose(scores.logits[0], painted.logits[0], atol=1e-4)
    np.testing.assert_allclose(scores.logits[0], scores.logits[1], atol=1e-5)
    np.testing.assert_allclose(first, read.logits[0], atol=1e-4)
    for layer, found in enumerate(states):
        np.testing.assert_allclose(found, read.hidden(layer), atol=1e-4)
    with runner.edited(DropTokens("image")), pytest.raises(ParameterError, match="dropped"):
        runner.rerun(base).without(nothing)


@pytest.mark.parametrize(
    ("name", "edit", "error", "words"),
    [
        ("qwen3_5", CutEdges("image", "last"), CheckpointError, r"layers=\[1\]"),
        ("inkling_mm_model", CutEdges("image", "last"), CheckpointError, "in no layer"),
        ("lfm2_vl", DropTokens("image"), CheckpointError, "convolutions"),
        ("gemma3n", ScaleStates("image"), CheckpointError, "residual streams"),
        ("gemma3", ScaleStates("image", part="mlp"), CheckpointError, "norm undoes"),
        ("llava", CutEdges("image", "last", layers=[2]), ParameterError, "0 to 1"),
        ("llava", CutEdges("image", "last", heads=[4]), ParameterError, "0 to 3"),
        ("llava", DropTokens("image") + DropTokens("image", layer=1), ParameterError, "one layer"),
        ("llava", CutEdges("system", "last"), ParameterError, "'system'"),
        ("llava", DropTokens("question"), ParameterError, "not visual"),
    ],
)
def test_what_a_model_cannot_have_is_refused_in_words(name, edit, error, words):
    runner = runner_of(name)
    with pytest.raises(error, match=words), runner.edited(edit):
        runner.ask(pictures_of(name, (40, 30)), QUESTION, max_new_tokens=1)


def test_a_layer_that_has_attention_can_be_cut_in_a_model_of_several_kinds():
    runner, pictures, base = asked("qwen3_5")
    with runner.edited(CutEdges("image", "last", layers=1)):
        trace = runner.ask(pictures, QUESTION, max_new_tokens=1, record=ALL)
    assert apart(trace.logits, base.logits[:1]) > 1e-5


def test_values_that_do_not_fit_are_refused_and_the_model_stays_usable():
    _, runner = fresh(seed=3)
    base = runner.ask(noise(40, 30), QUESTION, max_new_tokens=1)
    with runner.edited(ReplaceStates("image", layers=1, values=np.ones(7))), pytest.raises(ParameterError, match="32"):
        runner.ask(noise(40, 30), QUESTION, max_new_tokens=1)
    np.testing.assert_array_equal(runner.ask(noise(40, 30), QUESTION, max_new_tokens=1).logits, base.logits)
