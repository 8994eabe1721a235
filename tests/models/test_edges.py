"""Cutting edges: the mask of one call, and whole runs against masks built by hand."""

import numpy as np
import pytest
import torch
from PIL import Image

from explore.errors import Cancelled
from explore.models.edges import blocked_keys, without_cut_edges
from tests.tiny import tiny_llava, tiny_runner

LOW = torch.finfo(torch.float32).min


def made(kind):
    """The causal mask of four positions in each of the forms a model may hand over."""
    seen = torch.ones(4, 4, dtype=torch.bool).tril()[None, None]
    return {"none": None, "bool": seen, "float": torch.zeros(1, 1, 4, 4).masked_fill(~seen, LOW)}[kind]


@pytest.mark.parametrize("kind", ["none", "bool", "float"])
def test_a_blocked_key_is_seen_by_itself_alone(kind):
    blocked = torch.tensor([[False, True, False, False], [False, False, False, False]])
    with blocked_keys(blocked):
        mask = without_cut_edges(made(kind), 4, 4, causal=True)
    seen = mask.expand(2, 1, 4, 4)[:, 0] if mask.dtype == torch.bool else (mask == 0).expand(2, 1, 4, 4)[:, 0]
    expected = torch.ones(2, 4, 4, dtype=torch.bool).tril()
    expected[0, 2:, 1] = False
    assert torch.equal(seen, expected)


def test_what_sees_everything_goes_on_seeing_everything_else():
    with blocked_keys(torch.tensor([[True, False, False]])):
        mask = without_cut_edges(None, 3, 3, causal=False)
    assert mask[0, 0].tolist() == [[True, True, True], [False, True, True], [False, True, True]]


@pytest.mark.parametrize("kind", ["none", "bool", "float"])
def test_without_a_cut_the_mask_is_the_models_own(kind):
    mask = made(kind)
    assert without_cut_edges(mask, 4, 4, causal=True) is mask


def trace():
    pixels = np.random.default_rng(3).integers(0, 255, (30, 40, 3), dtype=np.uint8)
    return tiny_runner().read(Image.fromarray(pixels), "what is it?", "a red dog")


def test_scores_are_those_of_an_eager_run_under_a_mask_made_by_hand():
    run = trace()
    rerun, cell = tiny_runner().rerun(run), int(run.layout.visual[5])
    blocked = np.zeros((1, run.positions_fed), bool)
    blocked[0, cell] = True
    model = tiny_llava()[0]
    model.set_attn_implementation("eager")
    seen = torch.ones(run.positions_fed, run.positions_fed, dtype=torch.bool).tril()
    seen[cell + 1 :, cell] = False
    mask = torch.zeros(seen.shape).masked_fill(~seen, LOW)[None, None]
    with torch.no_grad():
        made_by_hand = model.model.language_model(inputs_embeds=rerun._inputs.embeds, attention_mask=mask)
        rows = made_by_hand.last_hidden_state[0, run.prompt_length - 1 :][: len(run.answer_ids)]
        logprobs = torch.log_softmax(model.lm_head(rows), -1)[range(len(rows)), run.answer_ids]
    np.testing.assert_allclose(rerun.without(blocked).logprobs[0], logprobs.numpy(), atol=1e-5)
    assert np.abs(rerun.without(blocked).logprobs - rerun.without(blocked & False).logprobs).max() > 1e-3


def test_a_cancelled_run_leaves_the_model_as_it_was_while_its_error_is_held():
    run = trace()
    config = tiny_runner()._family.text_model.config
    before = config._attn_implementation

    def stop(fraction, message):
        raise Cancelled("stopped")

    held = None
    try:
        tiny_runner().rerun(run).without(np.zeros((8, run.positions_fed), bool), batch_size=2, progress=stop)
    except Cancelled as error:
        held = error  # a notebook keeps its last error, and with it every frame it passed
    assert held is not None
    assert config._attn_implementation == before
    assert without_cut_edges(None, 2, 2, causal=True) is None


def test_two_pictures_with_the_same_words_are_not_mixed_up():
    runner = tiny_runner()
    one, other = (
        runner.read(Image.new("RGB", (40, 30), colour), "what is it?", "a red dog") for colour in ("red", "blue")
    )
    nothing = np.zeros((1, one.positions_fed), bool)
    first = runner.rerun(one).without(nothing).logprobs
    second = runner.rerun(other).without(nothing).logprobs
    assert not np.allclose(first, second)
    np.testing.assert_array_equal(runner.rerun(one).without(nothing).logprobs, first)
