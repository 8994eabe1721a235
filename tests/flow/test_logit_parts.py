"""Logits taken apart: every part adds up, and no part is another one's."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from explore.errors import ParameterError
from explore.flow import alti, alti_logit, contribution_graph, group_alti, logit_attribution, value_norm
from explore.flow.proximity import FLOOR, attention_shares
from explore.flow.token_mixing import shares_of
from explore.models.loading import load_runner
from explore.sketch import scene
from tests.flow.reading_cases import EVERY, UNREADABLE, case, taken_apart


@pytest.mark.parametrize("name", [*EVERY, *UNREADABLE])
@pytest.mark.parametrize("against", ["runner-up", None])
def test_all_parts_sum_to_the_logit(name, against):
    runner, trace = case(name)
    for number in range(min(2, len(trace.answer_ids))):
        found = logit_attribution(runner, trace, number, against=against)
        logits = trace.logits_of(number)
        ids = [each for each, _ in found.tokens]
        assert ids[0] == trace.answer_ids[number]
        expected = logits[ids[0]] - (logits[ids[1]] if len(ids) > 1 else 0)
        if found.cap is None:
            assert found.logit == pytest.approx(expected, abs=2e-4)
        else:
            capped = [found.cap * np.arctanh(logits[each] / found.cap) for each in ids]
            assert found.logit == pytest.approx(capped[0] - (capped[1] if len(ids) > 1 else 0), abs=1e-3)
            assert any("soft cap" in note for note in found.notes)
        assert abs(found.residual) < 2e-4
        assert found.total == pytest.approx(found.logit, abs=2e-4)
        if len(ids) > 1:
            assert ids[1] == np.argsort(-np.where(np.arange(len(logits)) == ids[0], -np.inf, logits))[0]


@pytest.mark.parametrize("name", EVERY)
def test_heads_are_sums_over_what_they_read_before_the_row(name):
    runner, trace = case(name)
    found = logit_attribution(runner, trace)
    known = ~np.isnan(found.by_head)
    np.testing.assert_allclose(np.nansum(found.by_source, -1)[known], found.by_head[known], atol=1e-5)
    assert not np.nan_to_num(found.by_source[:, :, trace.prompt_length :]).any()
    assert set(np.flatnonzero(~known.any(1))) == set(found.missing)


@pytest.mark.parametrize("name", ["shipped", "gemma3", "granite4_vision"])
def test_each_source_is_its_vector_times_the_direction(name):
    """Heads and sources against whole vectors, the final norm differentiated by autograd instead of held still."""
    runner, trace = case(name)
    found = logit_attribution(runner, trace, against=None)
    row, token = found.row, found.tokens[0][0]
    with runner.rerun(trace).replay() as replay:
        direction = replay.readout(0, [token]).directions[0]
        for layer in replay.layers:
            vectors, bias = taken_apart(layer, replay.state(layer.number))
            vectors[row, row] -= replay.state(layer.number)[row]
            np.testing.assert_allclose(found.by_position[layer.number], (vectors[row] @ direction).numpy(), atol=1e-4)
            assert found.bias[layer.number] == pytest.approx(float(bias[row] @ direction), abs=1e-5)
        state = replay.state(replay.depth)[row].clone()
    # Held still, a norm by the root mean square is linear in the state: its value is direction times state.
    assert float(direction @ state) + found.constant == pytest.approx(found.logit, abs=1e-3)


def test_tokens_by_text_and_their_refusals():
    runner, trace = case("shipped")
    found = logit_attribution(runner, trace, 1, token=" orange", against=" red")
    assert [text for _, text in found.tokens] == [" orange", " red"]
    swapped = logit_attribution(runner, trace, 1, token=" red", against=" orange")
    np.testing.assert_allclose(found.by_head, -swapped.by_head, atol=1e-5)
    with pytest.raises(ParameterError, match="tokens"):
        logit_attribution(runner, trace, token="several words here")
    with pytest.raises(ParameterError, match="against itself"):
        logit_attribution(runner, trace, 1, token=" red", against=" red")
    with pytest.raises(ParameterError, match="no answer token"):
        logit_attribution(runner, trace, 999)


def test_several_residual_streams_are_refused():
    runner, trace = case("gemma3n")
    with pytest.raises(ParameterError, match="residual streams"):
        logit_attribution(runner, trace)


@pytest.mark.parametrize("name", EVERY)
def test_what_is_traced_back_to_inputs_keeps_its_total(name):
    runner, trace = case(name)
    found, parts = alti_logit(runner, trace), logit_attribution(runner, trace)
    assert found.attention == pytest.approx(np.nansum(parts.by_head), abs=1e-3)
    assert found.by_input.sum() == pytest.approx(found.attention, abs=1e-3)
    np.testing.assert_allclose(found.direct, parts.by_position.sum(0), atol=1e-4)
    assert not found.by_input[trace.prompt_length :].any()


def test_traced_back_is_the_sum_over_layers():
    r"""$\sum_\ell \Delta^\ell M^{\ell-1}$ from whole matrices, bottom up."""
    runner, trace = case("shipped")
    found, parts = alti_logit(runner, trace, 2), logit_attribution(runner, trace, 2)
    total, below = np.zeros(trace.positions_fed), np.eye(trace.positions_fed)
    with runner.rerun(trace).replay() as replay:
        for layer in replay.layers:
            total += parts.by_position[layer.number] @ below
            own = shares_of(layer, replay.state(layer.number), torch.arange(layer.positions))
            below = own.double().numpy() @ below
    np.testing.assert_allclose(found.by_input, total, atol=1e-4)


@pytest.mark.parametrize("name", ["shipped", "qwen3_vl", "gemma3", "exaone4_5"])
def test_shares_of_heads_and_sources_are_the_formula(name):
    runner, trace = case(name)
    with runner.rerun(trace).replay() as replay:
        layer = replay.layers[1]
        stream, row = replay.state(layer.number), trace.prompt_length - 1
        found, residual = attention_shares(layer, stream, [row])[0]
        whole = stream[row] + layer.added(range(row, row + 1))[0]
        near = []
        for head in range(len(layer.values())):
            written = layer.written(head, layer.values()[head])
            for source in range(layer.positions):
                part = layer.weights(range(row, row + 1))[head, 0, source] * written[source]
                part = layer.landed(range(row, row + 1), part[None])[0]
                near.append(float((whole.abs().sum() - (whole - part).abs().sum()).clamp_min(FLOOR)))
        near.append(float((whole.abs().sum() - (whole - stream[row]).abs().sum()).clamp_min(FLOOR)))
    expected = np.array(near) / np.sum(near)
    np.testing.assert_allclose(np.append(found.ravel(), residual), expected, rtol=2e-2, atol=1e-5)


@pytest.mark.parametrize("name", EVERY)
def test_a_graph_holds_what_is_strong_and_leads_to_where_it_began(name):
    runner, trace = case(name)
    for renormalise in (False, True):
        found = contribution_graph(runner, trace, threshold=0.05, renormalise=renormalise)
        assert (found.weight > 0.05).all()
        assert found.nodes[0].position == trace.prompt_length - 1
        assert found.nodes[0].layer == len(runner._family.layers) - 1
        # Whatever has an edge out of it was reached, and everything but the beginning has one.
        assert set(range(1, len(found.nodes))) == set(found.start.tolist())
        for end in set(found.end.tolist()):
            assert found.weight[found.end == end].sum() <= 1 + 1e-4 or found.nodes[end].kind == "mlp"
        assert all(node.position <= trace.prompt_length - 1 for node in found.nodes)
        mixed = found.to_frame()
        attended = mixed[mixed.end_kind == "attention"]
        assert (attended.start_position <= attended.end_position).all()
        found.to_json()


def test_a_lower_threshold_only_adds():
    runner, trace = case("shipped")
    few, many = (contribution_graph(runner, trace, threshold=each) for each in (0.1, 0.02))
    assert set(few.nodes) < set(many.nodes)
    with pytest.raises(ParameterError, match="share"):
        contribution_graph(runner, trace, threshold=0)
    with pytest.raises(ParameterError, match="Layers count"):
        contribution_graph(runner, trace, layer=99)


def test_layers_that_cannot_be_taken_apart_are_one_edge():
    runner, trace = case("qwen3_5")
    found = contribution_graph(runner, trace)
    assert found.missing == tuple(range(len(runner._family.layers)))
    assert [node.kind for node in found.nodes] == ["output"] * len(found.missing) + ["input"]
    assert any("gates" in note for note in found.notes)


@pytest.mark.parametrize(("dtype", "close"), [("float64", 2e-4), ("bfloat16", 0.1), ("float16", 1e-2)])
def test_other_number_types_are_taken_apart_and_say_what_is_left(dtype, close):
    runner = load_runner(dtype=dtype)
    trace = runner.ask(scene(seed=7).image, "What is in the picture?")
    found = logit_attribution(runner, trace, 2)
    assert not found.missing
    assert abs(found.residual) < close
    for method in (alti, group_alti):
        np.testing.assert_allclose(method(runner, trace).shares.sum(-1), 1, atol=1e-3)
    for level in ("heads", "layer", "residual"):
        assert np.isfinite(value_norm(runner, trace, level=level).lengths).all()
    assert len(contribution_graph(runner, trace).nodes) > 2
