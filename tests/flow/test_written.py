"""What attention writes, taken apart: sums, norms and shares against the same with nothing in chunks."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from explore.errors import CheckpointError, ParameterError
from explore.flow import alti, group_alti, position_groups, value_norm
from explore.flow.group_mixing import group_parts
from explore.flow.token_mixing import shares_of, transformed
from explore.flow.written_norms import head_norms, layer_norms
from explore.written_parts import head_lengths
from tests.flow.reading_cases import EVERY, FAMILIES, UNREADABLE, case, taken_apart


@pytest.fixture(params=EVERY)
def run(request):
    return case(request.param)


def test_what_comes_from_each_source_and_the_biases_sum_to_the_stream_behind_attention(run):
    runner, trace = run
    with runner.rerun(trace).replay() as replay:
        for layer in replay.layers:
            stream = replay.state(layer.number)
            rows = torch.arange(layer.positions)
            parts = torch.cat([part for _, part in transformed(layer, stream, rows, rows)], dim=1)
            middle = stream + layer.added(rows)
            torch.testing.assert_close(parts.sum(1) + layer.constant(rows), middle, rtol=1e-4, atol=1e-4)
            whole, _ = taken_apart(layer, stream)
            torch.testing.assert_close(parts, whole, rtol=1e-4, atol=1e-5)


def test_the_stream_behind_attention_is_the_one_that_the_model_reads(run):
    """A hook on the model's own parts, where the layer has a norm there."""
    runner, trace = run
    found = {}
    hooks = []
    names = ("pre_feedforward_layernorm", "post_attention_layernorm", "final_layer_norm", "ffn_norm")
    for number, layer in enumerate(runner._family.layers):
        parts = [each for name in names if (each := getattr(layer, name, None)) is not None]
        if (parts and not hasattr(layer, "post_feedforward_layernorm")) or hasattr(layer, names[0]):
            hooks.append(parts[0].register_forward_pre_hook(lambda _, args, n=number: found.update({n: args[0]})))
    with runner.rerun(trace).replay() as replay:
        for layer in replay.layers:
            if layer.number in found:
                middle = replay.state(layer.number) + layer.added(range(layer.positions))
                torch.testing.assert_close(middle, found[layer.number].reshape(middle.shape), rtol=1e-4, atol=1e-4)
    for hook in hooks:
        hook.remove()


def test_shares_are_the_formula_row_by_row(run):
    runner, trace = run
    with runner.rerun(trace).replay() as replay:
        for layer in replay.layers[:2]:
            stream = replay.state(layer.number)
            rows = torch.tensor([0, layer.positions // 2, layer.positions - 1])
            vectors, bias = taken_apart(layer, stream)
            whole = vectors.sum(1) + bias
            near = whole.abs().sum(-1)[:, None] - (whole[:, None] - vectors).abs().sum(-1)
            expected = near.clamp_min(0) / near.clamp_min(0).sum(-1, keepdim=True)
            found = shares_of(layer, stream, rows)
            torch.testing.assert_close(found, expected[rows], rtol=1e-3, atol=1e-5)
            torch.testing.assert_close(found.sum(-1), torch.ones(3))


@pytest.mark.parametrize("name", ["shipped", "gemma3", "qwen3_vl"])
def test_alti_is_the_product_of_all_layers(name):
    runner, trace = case(name)
    rows = [trace.prompt_length - 1, trace.positions_fed - 1]
    found = alti(runner, trace, rows)
    product = np.eye(trace.positions_fed)
    with runner.rerun(trace).replay() as replay:
        for layer in replay.layers:
            own = shares_of(layer, replay.state(layer.number), torch.arange(layer.positions)).numpy()
            product = own.astype(np.float64) @ product
    np.testing.assert_allclose(found.shares[0], product[rows], atol=1e-5)
    assert not found.missing


def test_alti_rows_sum_to_one_and_look_back_only(run):
    runner, trace = run
    row = trace.prompt_length - 1
    found = alti(runner, trace, row)
    np.testing.assert_allclose(found.shares.sum(-1), 1, atol=1e-4)
    np.testing.assert_allclose(found.baseline.sum(-1), 1, atol=1e-4)
    assert not found.shares[:, 0, row + 1 :].any()
    assert found.shares[-1, 0, row] == 1
    assert len(found.shares) == len(runner._family.layers) + 1
    assert list(found.missing) == [
        number for number, layer in enumerate(runner._family.layers) if runner._family.output_projection(layer) is None
    ]
    assert bool(found.missing) == any("as if they mixed nothing" in note for note in found.notes)


def test_columns_of_groups_are_exact(run):
    """The part of a group is the sum of the parts of its positions, and its share the same formula on that."""
    runner, trace = run
    groups = position_groups(trace)
    with runner.rerun(trace).replay() as replay:
        for layer in replay.layers:
            stream, rows = replay.state(layer.number), torch.arange(layer.positions)
            vectors, _ = taken_apart(layer, stream)
            expected = torch.einsum("ijd,jg->igd", vectors, torch.from_numpy(groups.columns))
            torch.testing.assert_close(group_parts(layer, stream, rows, groups), expected, rtol=1e-3, atol=1e-4)
    found = group_alti(runner, trace)
    np.testing.assert_allclose(found.shares.sum(-1), 1, atol=1e-4)
    np.testing.assert_allclose(found.baseline.sum(-1), 1, atol=1e-4)
    np.testing.assert_allclose(found.chained().sum(-1), 1, atol=1e-4)


def test_groups_of_single_positions_are_alti_itself():
    """With as few positions as groups, coarsening changes nothing."""
    runner, trace = case("shipped")
    last = trace.prompt_length - 1
    groups = position_groups(trace, {"last": last})
    with runner.rerun(trace).replay() as replay:
        layer = replay.layers[3]
        stream = replay.state(3)
        parts = group_parts(layer, stream, torch.tensor([last]), groups)[0, groups.number("last")]
        vectors, _ = taken_apart(layer, stream)
    torch.testing.assert_close(parts, vectors[last, last], rtol=1e-3, atol=1e-4)


def test_cheap_norms_are_the_direct_ones(run):
    runner, trace = run
    rows = torch.tensor([trace.prompt_length - 1, 3])
    with runner.rerun(trace).replay() as replay:
        for layer in replay.layers:
            stream = replay.state(layer.number)
            values, weights = layer.values(), layer.weights(rows)
            written = torch.stack([layer.written(head, values[head]) for head in range(len(values))])
            torch.testing.assert_close(
                head_lengths(layer, torch.arange(layer.positions)), written.norm(dim=-1), rtol=1e-3, atol=1e-5
            )
            each = weights[..., None] * written[:, None]  # (heads, rows, positions, width)
            landed = layer.landed(rows, each.transpose(0, 1)).transpose(0, 1)
            torch.testing.assert_close(head_norms(layer, rows), landed.norm(dim=-1), rtol=1e-3, atol=1e-5)
            lengths, mixing = layer_norms(layer, rows)
            torch.testing.assert_close(lengths, landed.sum(0).norm(dim=-1), rtol=1e-3, atol=1e-5)
            full, _ = taken_apart(layer, stream)
            lengths, mixing = layer_norms(layer, rows, stream[rows])
            torch.testing.assert_close(lengths, full[rows].norm(dim=-1), rtol=1e-3, atol=1e-5)
            own = full[rows, rows]
            others, alone = (full[rows].sum(1) - own).norm(dim=-1), own.norm(dim=-1)
            torch.testing.assert_close(mixing, others / (others + alone), rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("level", ["heads", "layer", "residual"])
def test_value_norms_of_a_run(level):
    runner, trace = case("shipped")
    found = value_norm(runner, trace, level=level)
    assert found.lengths.shape == (6, 1, trace.positions_fed)
    assert (found.by_head is None) == (level != "heads")
    assert ((found.mixing >= 0) & (found.mixing <= 1)).all()
    table = found.to_frame()
    assert len(table) == found.lengths.size
    assert {"lengths", "weights", "role", "text"} <= set(table.columns)
    # A triangle inequality: heads can only shorten each other.
    each, together = (value_norm(runner, trace, level=name).lengths for name in ("heads", "layer"))
    assert (each + 1e-5 >= together).all()


@pytest.mark.parametrize("name", UNREADABLE)
def test_attention_that_cannot_be_taken_apart_is_refused_in_words(name):
    runner, trace = case(name)
    for method in (alti, group_alti, value_norm):
        with pytest.raises(CheckpointError, match="cannot be taken apart"):
            method(runner, trace)


def test_wrong_parameters_are_refused():
    runner, trace = case("llava")
    with pytest.raises(ParameterError, match="level"):
        value_norm(runner, trace, level="tokens")
    with pytest.raises(ParameterError, match="Positions fed"):
        alti(runner, trace, trace.positions_fed)
    with pytest.raises(ParameterError, match="no position of their own"):
        position_groups(trace, {"a": "image", "b": "image"})


def test_families_are_as_many_as_promised():
    assert len(FAMILIES) >= 6
