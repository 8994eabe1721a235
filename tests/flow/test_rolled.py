"""Rollout, group flow and AdaToken-3D's sums: products and triangles, on made-up attention and on runs."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from explore.attention_rows import even_chunks
from explore.errors import ParameterError
from explore.flow import group_flow, keep_curve, position_groups, rollout, spatial_flows
from explore.flow.adatoken import contributions, flow_sums, memory_of, pooled, position_kinds
from explore.flow.max_flow import flows, group_means
from explore.flow.rolling import rolled
from tests.flow.reading_cases import EVERY, case

KINDS = np.array([0, 0, 1, 1, 1, 2, 2])


class MadeUp:
    """A layer of made-up attention."""

    def __init__(self, weights, number=0):
        self.given, self.number, self.positions, self.problem = torch.as_tensor(weights), number, weights.shape[-1], ""

    def weights(self, rows):
        return self.given[:, list(rows)]

    def values(self):
        return torch.zeros(len(self.given), self.positions, 2)


def random_attention(seed, layers=3, heads=2, length=7):
    scores = np.random.default_rng(seed).standard_normal((layers, heads, length, length))
    scores = np.where(np.tril(np.ones((length, length), bool)), scores, -np.inf)
    powers = np.exp(scores)
    return (powers / powers.sum(-1, keepdims=True)).astype(np.float32)


def even_attention(layers=3, heads=2, length=7):
    even = np.tril(np.ones((length, length), np.float32)) / np.arange(1, length + 1, dtype=np.float32)[:, None]
    return np.broadcast_to(even, (layers, heads, length, length)).copy()


def downwards(weights):
    return [MadeUp(each, number) for number, each in reversed(list(enumerate(weights)))]


def test_rollout_of_even_attention_is_nothing_after_its_baseline():
    layers, rows = downwards(even_attention()), np.array([2, 6])
    less = rolled(layers, rows, 3) - rolled(layers, rows, 3, even=True)
    np.testing.assert_allclose(less, 0, atol=1e-7)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32 - 1))
def test_every_depth_is_the_product_down_to_it(seed):
    weights = random_attention(seed)
    found = rolled(downwards(weights), np.arange(7), 3)
    product = np.eye(7)
    np.testing.assert_allclose(found[3], product, atol=1e-6)
    for layer in (2, 1, 0):
        product = product @ (0.5 * weights[layer].mean(0) + 0.5 * np.eye(7))
        np.testing.assert_allclose(found[layer], product, atol=1e-6)
    np.testing.assert_allclose(found.sum(-1), 1, atol=1e-5)
    assert not np.triu(found, 1).any()


def test_layers_without_attention_change_nothing():
    weights = random_attention(3, layers=2)
    layers = [MadeUp(weights[1], 3), MadeUp(weights[0], 1)]
    found = rolled(layers, np.arange(7), 5)
    assert len(found) == 6
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_array_equal(found[2], found[3])
    np.testing.assert_array_equal(found[4], found[5])


@pytest.mark.parametrize("name", EVERY)
def test_rollout_of_a_run(name):
    runner, trace = case(name)
    row = trace.prompt_length - 1
    found = rollout(runner, trace)
    groups = position_groups(trace)
    np.testing.assert_allclose(found.shares.sum(-1), 1, atol=1e-4)
    np.testing.assert_allclose(found.less_baseline.sum(-1), 0, atol=1e-4)
    np.testing.assert_allclose(found.by_group(groups).sum(-1), 0, atol=1e-4)
    assert not found.shares[:, 0, row + 1 :].any()
    assert found.to_json()["labels"]["layers"] == list(range(len(runner._family.layers) + 1))


def test_maximum_flow_of_small_nets():
    one = np.array([[[0.5, 0.5], [0.2, 0.8]]])
    np.testing.assert_allclose(flows(one), one[0])
    narrow = np.array([[[1.0, 0.0], [0.3, 0.7]], [[0.6, 0.4], [0.0, 1.0]]])
    # To node 0 above: 0.6 through node 0, which holds input 0 only, and 0.4 through node 1, at most 0.3 of input 0.
    np.testing.assert_allclose(flows(narrow)[0], [0.6 + 0.3, 0.4], atol=1e-6)
    with pytest.raises(ParameterError):
        flows(np.ones((2, 3)))


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 2**32 - 1))
def test_maximum_flow_is_that_of_another_algorithm(seed):
    """A linear programme over the same pipes."""
    from scipy.optimize import linprog

    rng = np.random.default_rng(seed)
    layers = rng.random((2, 3, 3)).round(2)
    edges = [(level, top, below) for level in range(2) for top in range(3) for below in range(3)]
    balance = np.zeros((3, len(edges)))
    for column, (level, top, below) in enumerate(edges):
        if level == 1:
            balance[below, column] += 1
        else:
            balance[top, column] -= 1
    for top in range(3):
        for below in range(3):
            gain = [-(level == 0 and low == below) for level, _, low in edges]
            limits = [
                (0, layers[edge] * (edge[0] == 0 or edge[1] == top) * (edge[0] == 1 or edge[2] == below))
                for edge in edges
            ]
            best = -linprog(gain, A_eq=balance, b_eq=np.zeros(3), bounds=limits).fun
            assert flows(layers)[top, below] == pytest.approx(best, abs=1e-5)


def test_group_flow_of_a_run():
    runner, trace = case("shipped")
    found = group_flow(runner, trace)
    np.testing.assert_allclose(found.share.sum(-1), 1, atol=1e-9)
    np.testing.assert_allclose(found.capacities.sum(-1), 1, atol=1e-5)
    order = {name: place for place, name in enumerate(found.inputs)}
    assert found.flow[order["question"], order["answer"]] == 0  # the answer stands behind the question
    assert np.abs(found.share - found.baseline).max() > 0.01
    assert len(found.to_frame()) == len(found.inputs) ** 2


def test_group_means_are_means_of_rows_and_sums_of_columns():
    runner, trace = case("llava")
    groups = position_groups(trace)
    with runner.rerun(trace).replay() as replay:
        layer = replay.layers[0]
        full = layer.weights(range(layer.positions)).mean(0).numpy()
        found = group_means([(range(at, at + 1), layer.weights(range(at, at + 1))) for at in range(len(full))], groups)
        even = group_means(even_chunks(layer), groups)
    columns = groups.columns
    np.testing.assert_allclose(found, columns.T @ full @ columns / groups.sizes[:, None], atol=1e-6)
    np.testing.assert_allclose(even.sum(-1), 1, atol=1e-5)


def test_the_right_triangle_is_the_reference_on_a_transposed_matrix():
    """Fed the transposed matrix, the released sums are ours on the matrix itself; on that they are zero."""
    matrix = random_attention(5)[0].mean(0)
    ours = flow_sums(matrix, KINDS)
    assert flow_sums(matrix.T, KINDS, wrong=True) == pytest.approx(ours)
    assert flow_sums(matrix, KINDS, wrong=True) == (0, 0)
    intra = sum(matrix[y, x] for x in (2, 3, 4) for y in (2, 3, 4) if x < y)
    into = sum(matrix[y, x] for x in (0, 1) for y in (2, 3, 4))
    out = sum(matrix[y, x] for x in (2, 3, 4) for y in (5, 6))
    assert ours == pytest.approx((100 * intra, 100 * (0.7 * into + 0.3 * out)))
    assert flow_sums(matrix, KINDS, per_row=True)[0] == pytest.approx(100 * intra / 3)


def test_memory_and_contribution():
    np.testing.assert_allclose(memory_of(np.array([2.0, 1.0, 3.0])), [2.0, 2.73, 4.92])
    np.testing.assert_allclose(contributions([2.0, 1.0], [1.0, 4.0]), [0.8 + 0.3 + 0.6, 0.4 + 1.2 + 0.3 * 2.73])


def test_squares_are_averaged_and_the_rest_is_cut():
    matrix = np.arange(49.0).reshape(7, 7)
    rows = [(range(at, min(at + 2, 7)), torch.from_numpy(matrix[None, at : at + 2])) for at in range(0, 7, 2)]
    np.testing.assert_allclose(pooled(rows, 7, 1), matrix)
    expected = [[matrix[3 * a : 3 * a + 3, 3 * b : 3 * b + 3].mean() for b in range(2)] for a in range(2)]
    np.testing.assert_allclose(pooled(rows, 7, 3), expected)


def test_spatial_flows_of_a_run():
    runner, trace = case("shipped")
    found, wrong = spatial_flows(runner, trace), spatial_flows(runner, trace, mode="reference")
    assert not np.any([wrong.intra, wrong.inter])
    kinds = position_kinds(trace)
    with runner.rerun(trace).replay() as replay:
        full = replay.layers[2].weights(range(trace.positions_fed)).mean(0).double().numpy()
    assert (found.intra[2], found.inter[2]) == pytest.approx(flow_sums(full, kinds), rel=1e-5)
    text = kinds == 2
    np.testing.assert_allclose(found.received[2], full[text][:, found.visual].mean(0), atol=1e-6)
    assert ((found.idle_share() >= 0) & (found.idle_share() <= 1)).all()
    with pytest.raises(ParameterError):
        spatial_flows(runner, trace, mode="other")


@pytest.mark.parametrize("mode", ["paper", "reference"])
@pytest.mark.parametrize("last", [10.0, 40.0])
def test_the_keep_curve_goes_from_all_to_what_is_wanted(mode, last):
    curve = keep_curve(100 * np.exp(-0.2 * np.arange(12)), last, mode=mode)
    assert curve[0] == pytest.approx(100, abs=1e-3)
    assert curve[-1] == pytest.approx(last, abs=1e-3)
    assert (np.diff(curve) < 0).all()
    with pytest.raises(ParameterError):
        keep_curve([1.0, 2.0])
