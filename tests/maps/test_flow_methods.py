"""Rollout, value norms and relevance against their formulas written out over whole matrices."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from explore.attention_rows import roll_rows
from explore.errors import ParameterError
from explore.maps.attention import AttentionMap
from explore.maps.relevance import Relevance, fold_rows
from explore.maps.rollout import Rollout, full_rollout
from explore.maps.value_norm import ValueNorm
from explore.models.plans import RecordingPlan
from tests.tiny import tiny_runner


@pytest.fixture(scope="module")
def trace():
    pixels = np.random.default_rng(0).integers(0, 255, (30, 40, 3), dtype=np.uint8)
    plan = RecordingPlan(attention="all")
    return tiny_runner().read(Image.fromarray(pixels), "what colour is it?", "the dog is red", record=plan)


@pytest.fixture(scope="module")
def replay(trace):
    with tiny_runner().rerun(trace).replay(gradients=True) as replay:
        yield replay


def visual(trace):
    return trace.layout.grid().positions.ravel()


def random_weights(seed, layers=3, heads=2, length=6, causal=True):
    scores = np.random.default_rng(seed).standard_normal((layers, heads, length, length)) * 2
    if causal:
        scores = np.where(np.tril(np.ones((length, length), bool)), scores, -np.inf)
    powers = np.exp(scores - scores.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


def in_chunks(weights, size):
    return [(range(at, min(at + size, weights.shape[1])), torch.from_numpy(weights[:, at : at + size]))
            for at in range(0, weights.shape[1], size)]  # fmt: skip


@pytest.mark.parametrize("fuse", ["mean", "max", "min"])
@pytest.mark.parametrize("chunk", [1, 4, 6])
def test_rolled_rows_are_rows_of_the_product(fuse, chunk):
    weights = random_weights(1)
    fused = {"mean": weights.mean(1), "max": weights.max(1), "min": weights.min(1)}[fuse]
    product = np.eye(6)
    for layer in fused:
        with_residual = layer + np.eye(6)
        product = (with_residual / with_residual.sum(-1, keepdims=True)) @ product
    rows = torch.eye(6, dtype=torch.float64)
    found = roll_rows(rows, [in_chunks(layer, chunk) for layer in weights[::-1]], fuse)
    np.testing.assert_allclose(found.numpy(), product, atol=1e-12)


@given(st.integers(0, 2**32 - 1), st.integers(1, 4))
def test_rollout_stays_a_distribution_and_causal(seed, layers):
    found = full_rollout(list(random_weights(seed, layers).mean(1)))
    np.testing.assert_allclose(found.sum(-1), 1, atol=1e-9)
    assert (found >= 0).all()
    assert not np.triu(found, 1).any()


def test_rollout_of_attention_to_oneself_stays_put():
    np.testing.assert_allclose(full_rollout([np.eye(4)] * 3), np.eye(4))


def test_rollout_of_a_run_is_the_product_of_its_recorded_attention(trace):
    product = full_rollout([trace.attention(layer).astype(np.float64).mean(0) for layer in range(trace.layers)])
    parts = Rollout().maps(trace).parts
    rows = [token.position - 1 for token in Rollout().maps(trace).tokens]
    np.testing.assert_allclose(parts.values, product[rows][:, visual(trace)], atol=1e-6)


def test_rollout_less_even_attention(trace):
    length = trace.positions_fed
    even = np.tril(np.ones((length, length))) / np.arange(1, length + 1)[:, None]
    baseline = full_rollout([even] * trace.layers)
    plain, less = Rollout().maps(trace), Rollout(minus_uniform=True).maps(trace)
    rows = [token.position - 1 for token in plain.tokens]
    np.testing.assert_allclose(plain.parts.values - less.parts.values, baseline[rows][:, visual(trace)], atol=1e-6)


def test_attention_is_the_mean_of_the_recorded_rows(trace):
    maps = AttentionMap().maps(trace, trace.answer_positions)
    rows = trace.answer_positions - 1
    mean = np.mean([trace.attention(layer, rows).mean(0) for layer in range(trace.layers)], axis=0)
    np.testing.assert_allclose(maps.parts.values, mean[:, visual(trace)], atol=1e-6)
    one = AttentionMap(layers=(1,), heads=(2,)).maps(trace, trace.answer_positions)
    np.testing.assert_allclose(one.parts.values, trace.attention(1, rows)[2][:, visual(trace)], atol=1e-6)


def test_question_rows_show_where_they_were_recorded(trace):
    assert len(AttentionMap().maps(trace).tokens) == len(Rollout().maps(trace).tokens)


def test_value_norms_are_lengths_of_what_is_written(trace, replay):
    """Level 1 and 2 of the source, with W_O taken apart by hand."""
    rows, cells = trace.answer_positions - 1, visual(trace)
    summed, each = [], []
    for layer, kept in enumerate(replay.layers):
        matrix = tiny_runner()._family.layers[layer].self_attn.o_proj.weight.detach().numpy()
        heads, width = kept.values().shape[0], kept.values().shape[2]
        written = np.stack([kept.values()[h].numpy() @ matrix[:, h * width : (h + 1) * width].T for h in range(heads)])
        weights = trace.attention(layer, rows)
        vectors = np.einsum("hij,hjd->hijd", weights, written)[:, :, cells]
        summed.append(np.linalg.norm(vectors.sum(0), axis=-1))
        each.append(np.linalg.norm(vectors, axis=-1).mean(0))
    for setting, expected in (("sum", summed), ("each", each)):
        found = ValueNorm(over_heads=setting).maps(trace, trace.answer_positions).parts.values
        np.testing.assert_allclose(found, np.mean(expected, axis=0), rtol=1e-4, atol=1e-6)


def test_relevance_is_the_row_of_the_full_recurrence(trace, replay):
    """R = I, then R = R + mean_h (A * dA)+ R layer by layer, over whole matrices."""
    for number in (0, 2):
        relevance = np.eye(trace.positions_fed)
        gradient = replay.gradient(number)
        for layer, kept in enumerate(replay.layers):
            slope = (gradient.heads[layer] @ kept.values().transpose(1, 2)).numpy()
            weighted = np.maximum(trace.attention(layer) * slope, 0).mean(0)
            relevance = relevance + weighted @ relevance
        row = trace.prompt_length - 1 + number
        found = Relevance().maps(trace, int(trace.answer_positions[number])).parts.values[0]
        np.testing.assert_allclose(found, relevance[row, visual(trace)], rtol=1e-3, atol=1e-6)


@given(st.integers(0, 2**32 - 1), st.integers(0, 5))
def test_a_folded_row_is_a_row_of_the_recurrence(seed, row):
    weights = np.random.default_rng(seed).random((3, 6, 6))
    full = np.eye(6)
    for layer in weights:
        full = full + layer @ full
    start = torch.zeros(6, dtype=torch.float64)
    start[row] = 1
    chunks = [[(each[0], each[1][0]) for each in in_chunks(layer[None], 2)] for layer in weights[::-1]]
    np.testing.assert_allclose(fold_rows(start, chunks).numpy(), full[row], rtol=1e-9)


def test_no_full_matrix_of_weights_is_ever_asked_for(trace, monkeypatch):
    """With little room, rows come a few at a time and the result stays the same."""
    whole = {kind: kind().maps(trace).parts.values for kind in (Rollout, Relevance)}
    monkeypatch.setattr("explore.attention_rows._CHUNK_VALUES", 4 * trace.positions_fed * 3)
    asked = []
    original = type(next(iter(_layers(trace)))).weights

    def counted(self, rows):
        asked.append(len(rows))
        return original(self, rows)

    monkeypatch.setattr("explore.models.replays.LayerReplay.weights", counted)
    for kind, expected in whole.items():
        np.testing.assert_allclose(kind().maps(trace).parts.values, expected, rtol=1e-4, atol=1e-6)
    assert max(asked) == 3


def _layers(trace):
    with tiny_runner().rerun(trace).replay() as replay:
        return replay.layers


def test_layers_and_heads_that_are_not_there_are_refused(trace):
    for method in (AttentionMap(heads=(9,)), AttentionMap(layers=(9,)), ValueNorm(layers=(9,)), Rollout(start=9)):
        with pytest.raises(ParameterError, match=r"0 to|are 0, 1"):
            method.maps(trace)
    with pytest.raises(ParameterError):
        Rollout(fuse="median")
