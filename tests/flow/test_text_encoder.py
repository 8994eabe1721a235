"""Flow in text encoders: sets of kept tokens, alignment, leaks and repairs, on tiny random encoders of every kind."""

from __future__ import annotations

import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest
import torch

from explore.edits import CutEdges
from explore.errors import ParameterError
from explore.flow import text_encoder as flow
from tests.flow.text_encoder_cases import CAUSAL, ITEMS, KINDS, PROMPT, encoded, encoder

TOKENS = "the red pool by a big table"
THREE = ["red", "pool", "table"]


@pytest.mark.parametrize("kind", KINDS)
def test_mixing_is_index_put_on_the_two_encodings(kind):
    whole = encoded(kind)
    empty = flow.empty_prompt(encoder(kind), whole)
    keep = np.array([1, 4, 9, 20])
    expected = torch.from_numpy(empty.states.copy())
    expected.index_put_((torch.from_numpy(keep),), torch.from_numpy(whole.states)[torch.from_numpy(keep)])
    made = flow.mixed(whole, empty, keep)
    np.testing.assert_array_equal(made.states, expected.numpy())
    assert made.fingerprint["flow"]["positions"] == keep.tolist()


@pytest.mark.parametrize("kind", KINDS)
def test_the_full_set_is_the_encoding_bit_by_bit(kind):
    whole = encoded(kind)
    empty = flow.empty_prompt(encoder(kind), whole)
    made = flow.mixed(whole, empty, np.ones(len(whole.tokens), bool), pooled="whole")
    assert made.states.tobytes() == encoder(kind).encode(PROMPT).states.tobytes()
    assert made.pooled is whole.pooled
    assert flow.mixed(whole, empty, np.ones(len(whole.tokens), bool)).pooled is empty.pooled


@pytest.mark.parametrize("kind", KINDS)
def test_complementary_sets_mix_to_the_encoding(kind):
    whole = encoded(kind)
    empty = flow.empty_prompt(encoder(kind), whole)
    sets = {each.name: each for each in flow.keep_sets(whole.tokens, ITEMS)}
    prompt, pads = sets["prompt"], sets["pads"]
    np.testing.assert_array_equal(prompt.keep, ~pads.keep)
    one, other = flow.mixed(whole, empty, prompt), flow.mixed(whole, empty, pads)
    np.testing.assert_array_equal(np.where(prompt.keep[:, None], one.states, other.states), whole.states)
    np.testing.assert_array_equal(one.states[pads.keep], empty.states[pads.keep])


def test_the_empty_prompt_of_t5_is_its_end_token():
    empty = flow.empty_prompt(encoder("t5"), encoded("t5"))
    assert empty.tokens.special.nonzero()[0].tolist() == [0]
    assert empty.tokens.pads.sum() == len(empty.tokens) - 1


def test_sets_have_random_controls_of_the_same_size():
    tokens = encoded("clip").tokens
    sets = flow.keep_sets(tokens, ITEMS, draws=3)
    for item in flow.prompt_items(tokens, ITEMS):
        drawn = [each for each in sets if each.control and each.name.startswith(item.name)]
        assert [each.keep.sum() for each in drawn] == [len(item.positions)] * len(drawn)
        assert not any(each.keep[item.positions].any() or each.keep[tokens.pads].any() for each in drawn)
    single = [each for each in sets if each.name.startswith("pool: ") and not each.control]
    assert all(each.keep.sum() == 1 for each in single)
    item = flow.one_item(tokens, "red table")
    redundant = flow.without_redundant(tokens, item, [int(item.positions[-1])])
    assert np.flatnonzero(~redundant.keep).tolist() == item.positions[:-1].tolist()
    with pytest.raises(ParameterError, match="representative"):
        flow.without_redundant(tokens, item, [0])


def test_what_does_not_belong_together_is_refused():
    whole = encoded("clip")
    with pytest.raises(ParameterError, match="read differently"):
        flow.mixed(whole, encoder("clip").encode("", layer=-2), [1])
    with pytest.raises(ParameterError, match="to be kept"):
        flow.mixed(whole, flow.empty_prompt(encoder("clip"), whole), [99])
    with pytest.raises(ParameterError, match="2 times"):
        flow.prompt_items(encoder("clip").tokenize("red by red"), ["red"])
    with pytest.raises(ParameterError, match="share tokens"):
        flow.prompt_items(whole.tokens, ["red table", "table"])
    with pytest.raises(ParameterError, match="stand apart"):
        flow.encoder_knockout(encoder("clip"), whole, "pool", "pool")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("offset", ["own", "kept"])
def test_an_item_alone_has_the_same_tokens(kind, offset):
    whole = encoded(kind)
    made = flow.context_shift(encoder(kind), whole, ITEMS, offset=offset)
    inside = made.item >= 0
    assert np.isfinite(made.shift[inside]).all()
    assert np.isnan(made.shift[~inside]).all()
    assert (made.shift[inside] > 0).any()
    assert (made.control[inside] > 0).all()
    assert set(made.by_item()) == set(ITEMS)
    assert len(made.to_frame()) == len(whole.tokens)
    assert made.to_json()["arrays"]["shift"]["axes"] == ["positions"]


def test_another_split_is_refused():
    """Without the space in front this tokenizer would split the word otherwise."""
    whole = encoder("t5").encode("a bypool")
    with pytest.raises(ParameterError, match="alone"):
        flow.context_shift(encoder("t5"), whole, {"pool": (4, 8)})


@pytest.mark.parametrize("kind", ["clip", "llama", "t5"])
def test_at_its_own_place_and_alone_nothing_shifts(kind):
    """An item that stands first in a causal encoder sees nothing of the prompt; a prompt of one item is itself."""
    prompt = "red pool" if kind in CAUSAL else "red"
    whole = encoder(kind).encode(prompt)
    made = flow.context_shift(encoder(kind), whole, {"red": (0, 3)})
    np.testing.assert_allclose(made.shift[made.item == 0], 0, atol=1e-6)
    np.testing.assert_allclose(made.norm_ratio[made.item == 0], 0, atol=1e-5)


def test_with_its_offset_kept_an_item_sees_no_pads_before_it():
    """Position by position: what stands before the item may be anything, since its edges are cut."""
    own, whole = encoder("clip"), encoded("clip")
    item = flow.one_item(whole.tokens, "red table")
    kept = flow.alone_states(own, whole, item, "kept")
    assert np.abs(kept - flow.alone_states(own, whole, item, "own")).max() > 1e-3  # positions are absolute

    class Filled:
        """The encoder, with other tokens where pads stand in front."""

        def __getattr__(self, name):
            return getattr(own, name)

        def encode(self, tokens, **more):
            front = np.flatnonzero(tokens.pads & (np.arange(len(tokens)) < tokens.words[0]))
            return own.encode(tokens.filled(front, with_id=3), **more)

    np.testing.assert_allclose(flow.alone_states(Filled(), whole, item, "kept"), kept, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("instead", [None, "the"])
def test_in_causal_encoders_the_matrix_is_strictly_lower_triangular(kind, instead):
    own = encoder(kind)
    whole = own.encode(TOKENS)
    made = flow.leakage_matrix(own, whole, THREE, instead=instead)
    assert made.targets == made.sources == tuple(THREE)
    upper = np.triu_indices(3)
    lower = np.tril_indices(3, -1)
    assert (made.change[lower] > 1e-6).all()
    if kind in CAUSAL:
        np.testing.assert_allclose(made.change[upper], 0, atol=1e-9)
    else:
        assert (made.change[np.triu_indices(3, 1)] > 1e-6).all()
    assert np.isfinite(made.control[lower]).any()
    assert list(made.to_frame().columns) == ["targets", "sources", "change", "control"]


def test_a_word_instead_is_one_token():
    with pytest.raises(ParameterError, match="tokens"):
        flow.leakage_matrix(encoder("clip"), encoded("clip"), ITEMS, instead="thing")


@pytest.mark.parametrize("kind", KINDS)
def test_cutting_all_layers_and_none(kind):
    own, whole = encoder(kind), encoded(kind)
    made = flow.encoder_knockout(own, whole, "pool", "red table", window=1)
    assert made.change.shape == made.control.shape == (3,)
    assert made.all_layers > 1e-6
    assert (made.change > 0).all()
    again = own.encode(whole.tokens, **whole.how_to_read, edits=[CutEdges((), (1,))])
    assert again.states.tobytes() == whole.states.tobytes()
    back = flow.encoder_knockout(own, whole, "red table", "pool", window=1)
    assert np.allclose(back.change, 0, atol=1e-9) == (kind in CAUSAL)
    assert np.isfinite(made.control).all()
    assert made.control_all_layers > 0
    assert "centres" in made.to_frame()


def test_layers_behind_the_states_are_not_cut():
    whole = encoder("clip").encode(PROMPT, layer=-2)
    assert len(flow.encoder_knockout(encoder("clip"), whole, "pool", "red table", window=1).centres) == 2
    with pytest.raises(ParameterError, match="embeddings"):
        flow.encoder_knockout(encoder("clip"), encoder("clip").encode(PROMPT, layer=0), "pool", "red table")


@pytest.mark.parametrize("kind", KINDS)
def test_proxies_are_labelled_as_such(kind):
    whole = encoded(kind)
    empty = flow.empty_prompt(encoder(kind), whole)
    made = flow.token_proxies(whole, empty, ITEMS)
    assert made.proxy
    assert any("PROXY" in note for note in made.notes)
    assert made.fingerprint["flow"]["proxy"]
    for number, name in enumerate(ITEMS):
        places = np.flatnonzero(made.item == number)
        states = whole.states[places].astype(float)
        mean = states.mean(axis=0)
        expected = states @ mean / np.linalg.norm(states, axis=1) / np.linalg.norm(mean)
        np.testing.assert_allclose(made.similarity[places], expected, atol=1e-6, err_msg=name)
        apart = np.linalg.norm(states - empty.states[places], axis=1)
        np.testing.assert_allclose(made.distance[places], apart, rtol=1e-6)
    senses = flow.sense_similarity(whole.states[places], {"own": whole.states[places], "other": empty.states[:1]})
    assert senses["own"] == pytest.approx(1)
    assert senses["other"] < 1


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("offset", ["own", "kept"])
def test_a_repair_writes_over_the_item_only(kind, offset):
    own, whole = encoder(kind), encoded(kind)
    item = flow.one_item(whole.tokens, "red table")
    made = flow.repaired(own, whole, "red table", offset=offset)
    np.testing.assert_array_equal(made.states[item.positions], flow.alone_states(own, whole, item, offset))
    others = np.setdiff1d(np.arange(len(whole.tokens)), item.positions)
    np.testing.assert_array_equal(made.states[others], whole.states[others])
    with pytest.raises(ParameterError, match="shape"):
        flow.replaced_states(whole, item.positions, made.states[:1])


def test_the_package_opens_without_torch():
    code = "import sys, explore.flow; assert not {'torch', 'transformers', 'diffusers'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_items_come_in_the_order_of_the_prompt():
    found = flow.prompt_items(encoded("t5").tokens, ["red table", "pool"])
    assert all(one.begin < other.begin for one, other in pairwise(found))
