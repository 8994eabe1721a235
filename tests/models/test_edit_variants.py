"""Variants of one run: together and alone, from the start and from a kept beginning, against eager masks by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from explore.edits import AddNoise, CutEdges, FreezeStates, ReplaceStates, ScaleStates, SkipUpdate
from explore.errors import Cancelled, ParameterError
from explore.models.attention import AttentionCall
from explore.models.editing_cuts import less_values, without_edges
from explore.models.editing_prefix import KeptBeginning, WholeRun
from explore.models.inputs import prepare, with_answer
from tests.families.cases import QUESTION, pictures_of, runner_of

pytestmark = pytest.mark.filterwarnings("ignore")
# Windows, chunks, two-way pictures, features between layers, shared keys, several streams, position tables, soft caps.
FAMILIES = (
    "llava",
    "qwen2_5_vl",
    "qwen3_vl",
    "gemma3",
    "gemma3n",
    "gemma4",
    "llama4",
    "internvl",
    "cohere2_vision",
    "paligemma",
    "granite4_vision",
    "molmo2",
    "kosmos-2",
    "blip-2",
)
LOW = torch.finfo(torch.float32).min


def read(name: str):
    runner, pictures = runner_of(name), pictures_of(name, (40, 30), (30, 64))
    said = runner.ask(pictures, QUESTION, max_new_tokens=3).answer_ids
    return runner, runner.read(pictures, QUESTION, said)


def apart(one, other) -> float:
    said = other > -1e30
    return float(np.abs(one - other)[said].max() / np.abs(other[said]).max())


def variants_of(trace, streams: int):
    edits = [CutEdges("image", "last", layers=layer) for layer in range(trace.layers)]
    edits += [CutEdges("image", ("question", "last"), layers=layer) for layer in range(trace.layers)]
    edits += [CutEdges("image", "last", layers=0, zero_value=True), CutEdges("image", "last", layers=0, heads=0), ()]
    edits += [CutEdges("last", "last", layers=1, own=True)]
    if streams == 1:
        edits += [SkipUpdate("mlp", "last", layers=0), AddNoise("question", layers=1), FreezeStates("last", layers=1)]
        edits += [ReplaceStates("last", layers=1, values=np.ones(trace.width)), ScaleStates("image", factor=2)]
    return edits


@pytest.mark.parametrize("name", FAMILIES)
def test_a_kept_beginning_gives_what_the_whole_run_gives(name):
    runner, trace = read(name)
    edits = variants_of(trace, runner._family.streams)
    with runner.rerun(trace).variants() as variants:
        found, base, reuses, short = variants.logits(edits), variants.base, variants.reuses, variants.rows_run
    with runner.rerun(trace).variants(reuse=False) as variants:
        whole, long = variants.logits(edits, batch_size=3), variants.rows_run
        alone = variants.logits(edits[:2], batch_size=1)
    assert reuses
    assert short < long or name == "paligemma"  # its whole prompt sees itself both ways
    assert apart(found, whole) < 1e-4
    assert apart(whole[:2], alone) < 1e-4
    assert apart(base, trace.logits[0]) < 1e-4
    assert apart(whole[0], base) > 1e-4 or apart(whole[1], base) > 1e-4


@pytest.mark.parametrize("name", ["mistral_large4", "dots3_note"])
def test_a_decoder_that_chooses_its_keys_is_run_from_the_start(name):
    runner, trace = read(name)
    with runner.rerun(trace).variants() as variants:
        assert not variants.reuses
        assert apart(variants.logits([()])[0], trace.logits[0]) < 1e-4


@pytest.mark.parametrize("name", ["llava", "qwen2_5_vl", "gemma3"])
def test_a_variant_is_an_edited_read(name):
    runner, trace = read(name)
    for edits in variants_of(trace, 1):
        with runner.rerun(trace).variants() as variants:
            found = variants.logits([edits])[0]
        with runner.edited(edits):
            whole = runner.read(list(trace.images), QUESTION, trace.answer_ids).logits[0]
        assert apart(found, whole) < 1e-4


@pytest.mark.parametrize("name", ["llava", "qwen2_5_vl", "gemma3", "internvl"])
def test_the_edit_is_an_eager_run_with_edges_taken_from_its_masks(name):
    runner, trace = read(name)
    family, visual = runner._family, torch.from_numpy(trace.layout.visual)
    made = prepare(family, runner._writer.write(QUESTION, len(trace.images)), list(trace.images))
    tensors = family.on_device(with_answer(family, made.tensors, trace.answer_ids[:-1].tolist()))
    rows = torch.from_numpy(np.append(trace.layout.positions("question"), trace.prompt_length - 1))

    def hook(module, args, kwargs):
        mask = kwargs["attention_mask"].clone()
        mask[:, :, rows[:, None], visual] = LOW
        return args, {**kwargs, "attention_mask": mask}

    configs = {id(m.config): m.config for m in family.model.modules() if hasattr(m, "config")}.values()
    before = [config._attn_implementation for config in configs]
    handle = family.layers[1].self_attn.register_forward_pre_hook(hook, with_kwargs=True)
    try:
        for config in configs:
            config._attn_implementation_internal = "eager"
        with torch.inference_mode():
            eager = family.model(**tensors, use_cache=False).logits[0, trace.prompt_length - 1].float().numpy()
    finally:
        handle.remove()
        for config, own in zip(configs, before, strict=True):
            config._attn_implementation_internal = own
    with runner.edited(CutEdges("image", ("question", "last"), layers=1)):
        found = runner.read(list(trace.images), QUESTION, trace.answer_ids).logits[0]
    assert apart(found, eager) < 1e-5
    assert apart(found, trace.logits[0]) > 1e-4


def test_later_answer_tokens_are_predicted_too():
    runner, trace = read("llava")
    for number in range(len(trace.answer_ids)):
        with runner.rerun(trace).variants(number=number) as variants:
            assert apart(variants.base, trace.logits[number]) < 1e-5
            cut = variants.logits([CutEdges("image", "answer")])[0]
        if not number:
            assert apart(cut, variants.base) < 1e-5
        else:
            with runner.edited(CutEdges("image", "answer")):
                whole = runner.read(list(trace.images), QUESTION, trace.answer_ids).logits[number]
            assert apart(cut, whole) < 1e-4
    with pytest.raises(ParameterError, match="no answer token"), runner.rerun(trace).variants(number=9):
        pass


def test_every_variant_has_edits_of_its_own_and_all_have_the_shared_ones():
    runner, trace = read("qwen2_5_vl")
    shared, own = SkipUpdate("mlp", "image", layers=0), [CutEdges("image", "last"), CutEdges("question", "last"), ()]
    with runner.rerun(trace).variants(edits=shared) as variants:
        together, base = variants.logits(own), variants.base
    for edits, found in zip(own, together, strict=True):
        with runner.edited(shared, edits):
            assert apart(found, runner.read(list(trace.images), QUESTION, trace.answer_ids).logits[0]) < 1e-4
    assert apart(together[2], base) < 1e-5


def test_states_and_their_slopes_are_those_of_the_run():
    runner, trace = read("qwen2_5_vl")
    rows, token = trace.layout.positions("question"), int(trace.answer_ids[0])
    with runner.rerun(trace).variants() as variants:
        states = variants.states("state", rows)
        own, slopes = variants.slopes("state", rows, {token: 1.0})
        step = 1e-2 * np.random.default_rng(0).normal(size=states[1].shape).astype(np.float32)
        ends = variants.logits([ReplaceStates(rows, layers=1, values=states[1] + sign * step) for sign in (1, -1)])
        parts = [variants.states(part, rows) for part in ("attention", "mlp")]
    for layer in range(trace.layers + 1):
        np.testing.assert_allclose(states[layer], trace.hidden(layer)[rows], atol=1e-5)
    np.testing.assert_allclose(states, own, atol=1e-6)
    measured = (ends[0, token] - ends[1, token]) / 2
    np.testing.assert_allclose((slopes[1] * step).sum(), measured, rtol=2e-2, atol=1e-5)
    # Pre-norm: what attention and MLP hand on is what the stream gains.
    np.testing.assert_allclose(states[:-1] + parts[0] + parts[1], states[1:], atol=1e-5)


def test_measures_are_taken_batch_by_batch_in_the_order_given():
    runner, trace = read("llava")
    edits, sizes = variants_of(trace, 1), list[int]()

    def measure(logits):
        sizes.append(len(logits))
        return logits[:, :2]

    with runner.rerun(trace).variants() as variants:
        found, whole = variants.logits(edits, batch_size=2, measure=measure), variants.logits(edits)
    np.testing.assert_allclose(found, whole[:, :2], atol=1e-5)
    assert max(sizes) == 2
    assert sum(sizes) == len(edits)


def test_variants_are_cancelled_between_batches():
    runner, trace = read("llava")
    base = runner.read(list(trace.images), QUESTION, trace.answer_ids).logits

    class Progress:
        checks = 0

        def __call__(self, fraction, message):
            pass

        def check(self):
            self.checks += 1
            if self.checks == 3:
                raise Cancelled

    with pytest.raises(Cancelled), runner.rerun(trace).variants(progress=Progress()) as variants:
        variants.logits(variants_of(trace, 1), batch_size=1)
    np.testing.assert_array_equal(runner.read(list(trace.images), QUESTION, trace.answer_ids).logits, base)


@pytest.mark.parametrize("kind", ["none", "bool", "float"])
def test_masks_of_every_form_lose_the_same_edges(kind):
    seen = torch.ones(4, 4, dtype=torch.bool).tril()[None, None]
    mask = {"none": None, "bool": seen, "float": torch.zeros(1, 1, 4, 4).masked_fill(~seen, LOW)}[kind]
    cut = torch.zeros(2, 1, 4, 4, dtype=torch.bool)
    cut[0, 0, 3, 1:3] = True
    cut[1, 0, 2] = True
    rows = torch.arange(4)
    made = without_edges(mask, cut, rows, rows, causal=True)
    left = made if made.dtype == torch.bool else made == 0
    assert left[0, 0, 3].tolist() == [True, False, False, True]
    assert left[1, 0, 2].tolist() == [False, False, True, False]
    assert torch.equal(left[1, 0, :2], seen[0, 0, :2])


@pytest.mark.parametrize("softcap", [None, 2.0])
@pytest.mark.parametrize("kind", ["none", "bool", "float"])
def test_attention_over_a_kept_beginning_is_attention_over_everything(kind, softcap):
    torch.manual_seed(0)
    query, key, value = (torch.randn(1, heads, 7, 5) for heads in (4, 2, 2))
    seen = torch.ones(7, 7, dtype=torch.bool).tril()
    seen[2, 3] = True  # a block that sees itself both ways
    mask = {"none": None, "bool": seen[None, None], "float": torch.zeros(1, 4, 7, 7).masked_fill(~seen, LOW)}[kind]
    call, run = AttentionCall(0.4, softcap, True), WholeRun()
    run.keep(query, key, value, mask, call, query)
    expected = [True, True, True, kind == "none", *[True] * 4]
    assert run.starts().tolist() == expected
    beginning = KeptBeginning(run, 4)
    rows = beginning.mask(query.device)
    own = torch.cat([each[:, :, 4:] for each in (query, query)])
    keys, values = (torch.cat([each[:, :, 4:]] * 2) for each in (key, value))
    found = beginning.attend(own, keys, values, rows, call)
    scores = query @ key.repeat_interleave(2, 1).transpose(2, 3) * 0.4
    scores = scores if softcap is None else torch.tanh(scores / softcap) * softcap
    allowed = torch.ones(7, 7, dtype=torch.bool).tril() if kind == "none" else seen
    weights = scores.masked_fill(~allowed, LOW).softmax(-1)
    expected_rows = (weights @ value.repeat_interleave(2, 1))[:, :, 4:].transpose(1, 2)
    for row in found:
        torch.testing.assert_close(row[None], expected_rows)
    whole = beginning.whole(keys, values)
    torch.testing.assert_close(whole[0][:1], key)
    cut = torch.zeros(2, 1, 3, 7, dtype=torch.bool)
    cut[1, 0, 2, :3] = True
    zeroed = less_values(found, own, *whole, rows, cut, call)
    torch.testing.assert_close(zeroed[0], found[0])
    by_hand = weights[0, :, 6].clone()
    by_hand[:, :3] = 0
    torch.testing.assert_close(zeroed[1, 2], (by_hand[:, None] @ value[0].repeat_interleave(2, 0))[:, 0])
