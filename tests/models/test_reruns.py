"""A trace run again: what is laid open must be what the model itself computes."""

import gc
import weakref

import numpy as np
import pytest
import torch
from PIL import Image

from explore import open_trace
from explore.errors import ParameterError
from explore.models.plans import RecordingPlan
from explore.models.runner import Runner
from tests.tiny import tiny_llava, tiny_runner, tiny_vipllava


def picture(seed=0, size=(40, 30)):
    return Image.fromarray(np.random.default_rng(seed).integers(0, 255, (size[1], size[0], 3), dtype=np.uint8))


@pytest.fixture(scope="module")
def trace():
    return tiny_runner().read(
        picture(), "what colour is the dog?", "the dog is on the left", record=RecordingPlan(attention="all")
    )


@pytest.fixture(scope="module")
def rerun(trace):
    return tiny_runner().rerun(trace)


def test_replayed_states_and_rows_are_the_recorded_ones(trace, rerun):
    with rerun.replay() as replay:
        assert len(replay.layers) == trace.layers
        for layer, states in enumerate(replay.states):
            np.testing.assert_allclose(states.numpy(), trace.hidden(layer), atol=1e-5)
        for layer, kept in enumerate(replay.layers):
            rows = kept.weights(range(3, trace.positions_fed)).numpy()
            np.testing.assert_allclose(rows, trace.attention(layer)[:, 3:], atol=1e-6)


def test_heads_written_through_the_projection_add_up_to_what_the_layer_adds(trace, rerun):
    model = rerun._family
    with rerun.replay() as replay:
        for number, kept in enumerate(replay.layers):
            every = kept.weights(range(trace.positions_fed))
            said = every @ kept.values()
            np.testing.assert_allclose(said.numpy(), kept.output[0].transpose(0, 1).detach().numpy(), atol=1e-5)
            written = sum(kept.written(head, said[head]) for head in range(len(said)))
            expected = model.layers[number].self_attn.o_proj(kept.output.flatten(2))[0]
            np.testing.assert_allclose(written.numpy(), expected.detach().numpy(), atol=1e-5)


def test_gradients_are_those_of_the_whole_model(trace, rerun):
    """Against autograd through eager attention, whose weights are part of the graph."""
    number = 2
    with rerun.replay(gradients=True) as replay:
        found = replay.gradient(number)
        values = [kept.values() for kept in replay.layers]
    model = tiny_llava()[0]
    model.set_attn_implementation("eager")
    embeds = rerun._inputs.embeds.clone().requires_grad_()
    made = model.model.language_model(
        inputs_embeds=embeds, output_attentions=True, output_hidden_states=True, use_cache=False
    )
    row = trace.prompt_length - 1 + number
    score = model.lm_head(made.last_hidden_state[0, row])[trace.answer_ids[number]]
    at_weights = torch.autograd.grad(score, made.attentions, retain_graph=True)
    for layer, expected in enumerate(at_weights):
        folded = found.heads[layer] @ values[layer].transpose(1, 2)
        seen = torch.ones_like(expected[0]).tril()  # what a row cannot see has no weight to change
        np.testing.assert_allclose((folded * seen).numpy(), (expected[0] * seen).numpy(), rtol=1e-4, atol=1e-5)
    (at_input,) = torch.autograd.grad(score, [embeds], retain_graph=True)
    np.testing.assert_allclose(found.states[0].numpy(), at_input[0].numpy(), rtol=1e-4, atol=1e-5)


def test_a_logprob_gradient_differs_and_nothing_after_the_token_matters(trace, rerun):
    with rerun.replay(gradients=True) as replay:
        logit, logprob = replay.gradient(1), replay.gradient(1, of="logprob")
    after = trace.prompt_length + 1
    assert not np.allclose(logit.states[0].numpy(), logprob.states[0].numpy())
    assert not logit.states[0][after:].any()


def test_nothing_taken_away_leaves_the_scores_of_the_trace(trace, rerun):
    scores = rerun.without(np.zeros((1, trace.positions_fed), bool))
    expected = [trace.logits_of(k)[trace.answer_ids[k]] for k in range(len(trace.answer_ids))]
    np.testing.assert_allclose(scores.logits[0], expected, atol=1e-5)
    np.testing.assert_allclose(rerun.with_pictures([trace.images]).logits[0], expected, atol=1e-5)
    with rerun.features() as (features, score):
        np.testing.assert_allclose(score(features[None])[0].detach().numpy(), expected, atol=1e-5)


def test_without_any_picture_the_pixels_do_not_matter(trace, rerun):
    """With every visual key blocked, another picture must give exactly the same scores."""
    blocked = np.zeros((1, trace.positions_fed), bool)
    blocked[:, trace.layout.visual] = True
    other = tiny_runner().read(picture(9), trace.question, trace.answer_ids.tolist())
    again = tiny_runner().rerun(other).without(blocked)
    np.testing.assert_array_equal(again.logprobs, rerun.without(blocked).logprobs)
    assert not np.allclose(rerun.without(blocked).logprobs, rerun.without(~blocked & False).logprobs)


def test_variants_in_batches_are_variants_alone(trace, rerun):
    generator = np.random.default_rng(0)
    blocked = generator.random((7, trace.positions_fed)) < 0.3
    together = rerun.without(blocked, batch_size=3).logits
    alone = np.concatenate([rerun.without(row[None]).logits for row in blocked])
    np.testing.assert_allclose(together, alone, atol=1e-5)


def test_other_pictures_are_scored_as_reading_them_would(trace, rerun):
    others = [[picture(seed)] for seed in (3, 4, 5)]
    scores = rerun.with_pictures(others, batch_size=2)
    for index, (other,) in enumerate(others):
        read = tiny_runner().read(other, trace.question, trace.answer_ids.tolist())
        expected = [read.logits_of(k)[read.answer_ids[k]] for k in range(len(read.answer_ids))]
        np.testing.assert_allclose(scores.logits[index], expected, atol=1e-5)


def test_features_have_gradients(trace, rerun):
    with rerun.features() as (features, score):
        given = features[None].repeat(2, 1, 1).requires_grad_()
        (found,) = torch.autograd.grad(score(given)[:, 0].sum(), given)
    with rerun.replay(gradients=True) as replay:
        expected = replay.gradient(0).states[0][trace.layout.visual]
    np.testing.assert_allclose(found[1].numpy(), expected.numpy(), rtol=1e-4, atol=1e-5)


def test_read_out_of_the_last_layer_is_the_recorded_columns(trace, rerun):
    found = rerun.read_out(trace.hidden(trace.layers), trace.columns.ids)
    np.testing.assert_allclose(found, trace.columns.logits, atol=1e-5)


def test_a_saved_trace_can_be_run_again(tmp_path):
    runner = tiny_runner()
    runner.read(picture(), "what is this?", "a dog").save(tmp_path / "run.trace")
    again = open_trace(tmp_path / "run.trace")
    assert again.origin is None
    scores = runner.rerun(again).without(np.zeros((1, again.positions_fed), bool))
    assert scores.logits.shape == (1, len(again.answer_ids))


def test_other_families_can_be_run_again():
    model, processor = tiny_vipllava()
    runner = Runner(model, processor, checkpoint="vip", revision="test")
    trace = runner.ask([picture(1), picture(2)], "what is this?", max_new_tokens=3)
    with runner.rerun(trace).replay(gradients=True) as replay:
        assert replay.gradient(0).states[0][trace.layout.visual].abs().sum() > 0


def test_a_trace_of_another_model_is_refused(trace):
    model, processor = tiny_llava(seed=3)
    other = Runner(model, processor, checkpoint="other", revision="test")
    with pytest.raises(ParameterError, match="recorded with"):
        other.rerun(trace)


def test_bad_requests_say_what_is_allowed(trace, rerun):
    with pytest.raises(ParameterError, match="bool array"):
        rerun.without(np.zeros((1, 3), bool))
    with pytest.raises(ParameterError, match="own"):
        rerun.with_pictures([[picture(0, (8, 8))]])
    with rerun.replay() as replay, pytest.raises(ParameterError, match="no gradients"):
        replay.gradient(0)
    with rerun.replay(gradients=True) as replay, pytest.raises(ParameterError, match="no answer token"):
        replay.gradient(99)


def test_what_a_replay_holds_is_gone_after_its_block(trace, rerun):
    with rerun.replay(gradients=True) as replay:
        replay.gradient(0)
    assert not replay.layers
    with pytest.raises(ParameterError, match="over"):
        replay.gradient(0)


def test_an_unknown_score_is_refused(rerun):
    with rerun.replay(gradients=True) as replay, pytest.raises(ParameterError, match="logprob"):
        replay.gradient(0, of="probability")
    for size in (0, -1, 1.5):
        with pytest.raises(ParameterError, match="batch_size"):
            rerun.without(np.zeros((1, 3), bool), batch_size=size)


def test_the_runner_does_not_keep_a_trace_alive():
    model, processor = tiny_llava()
    runner = Runner(model, processor, checkpoint="short", revision="test")
    trace = runner.read(picture(), "what is this?", "a dog")
    rerun, seen = runner.rerun(trace), weakref.ref(trace)
    del trace
    gc.collect()
    assert seen() is None
    with pytest.raises(ParameterError, match="let go"):
        rerun.without(np.zeros((1, 3), bool))


def test_half_precision_variants_are_told_apart():
    """Scores are summed up in single precision: in half precision most small losses would be exactly 0."""
    model, processor = tiny_llava()
    runner = Runner(model.to(torch.bfloat16), processor, checkpoint="half", revision="test")
    trace = runner.read(picture(), "what is this?", "a dog on the left")
    blocked = np.zeros((17, trace.positions_fed), bool)
    blocked[range(16), trace.layout.grid().positions.ravel()] = True
    lost = runner.rerun(trace).without(blocked).logprobs
    assert len(np.unique(lost[:, 0])) > 12
