"""Attention with a position bias, as some decoders pass it, is the softmax of scores, bias and mask added up."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from explore.models.attention import AttentionCall, watched_attention, watching
from explore.models.edges import blocked_keys

KEYS, HEADS, WIDTH, SCALE = 5, 4, 8, 0.3
LOW = torch.finfo(torch.float32).min


class Heads(nn.Module):
    """What SDPA reads of an attention module: two query heads per key head."""

    num_key_value_groups = 2

    def __init__(self, causal: bool) -> None:
        super().__init__()
        self.is_causal = causal


def drawn(queries: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Queries, keys, values and a bias, (batch, heads, queries, keys)."""
    random = torch.Generator().manual_seed(3)
    shapes = ((2, HEADS, queries, WIDTH), (2, 2, KEYS, WIDTH), (2, 2, KEYS, WIDTH), (2, HEADS, queries, KEYS))
    query, key, value, bias = (torch.randn(shape, generator=random) for shape in shapes)
    return query, key, value, 2 * bias


def weights_of(query: Tensor, key: Tensor, bias: Tensor, seen: Tensor) -> Tensor:
    scores = SCALE * query @ key.repeat_interleave(2, dim=1).transpose(2, 3) + bias
    return torch.softmax(scores.masked_fill(~seen, -torch.inf), dim=-1)


def outcome(weights: Tensor, value: Tensor) -> Tensor:
    return (weights @ value.repeat_interleave(2, dim=1)).transpose(1, 2)


def seen_of(queries: int) -> Tensor:
    """Causal, and one key hidden from the later queries of the second sequence."""
    seen = torch.ones(queries, KEYS, dtype=torch.bool).tril(KEYS - queries).repeat(2, 1, 1, 1)
    seen[1, 0, -1, 1] = False
    return seen


@pytest.mark.parametrize("queries", [1, KEYS])
@pytest.mark.parametrize("kind", ["bool", "float"])
def test_bias_and_mask_are_added_to_the_scores(kind: str, queries: int) -> None:
    query, key, value, bias = drawn(queries)
    seen = seen_of(queries)
    mask = seen if kind == "bool" else torch.zeros(seen.shape).masked_fill(~seen, LOW)
    found, _ = watched_attention(Heads(True), query, key, value, mask, scaling=SCALE, position_bias=bias)
    expected = outcome(weights_of(query, key, bias, seen), value)
    assert torch.allclose(found, expected, atol=1e-5)
    assert not torch.allclose(found, outcome(weights_of(query, key, 0 * bias, seen), value), atol=1e-2)


@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("queries", [1, KEYS])
def test_no_mask_means_causal_or_everything_under_a_bias_too(queries: int, causal: bool) -> None:
    query, key, value, bias = drawn(queries)
    seen = torch.ones(queries, KEYS, dtype=torch.bool)
    seen = seen.tril(KEYS - queries) if causal else seen
    found, _ = watched_attention(Heads(causal), query, key, value, None, scaling=SCALE, position_bias=bias)
    assert torch.allclose(found, outcome(weights_of(query, key, bias, seen), value), atol=1e-5)


def test_the_listener_is_shown_the_bias_and_cut_edges_stay_cut() -> None:
    shown: list[Tensor | None] = []

    class Listener:
        def attend(self, query: Tensor, key: Tensor, mask: Tensor | None, call: AttentionCall) -> None:
            shown.append(mask)

    query, key, value, bias = drawn(KEYS)
    blocked = torch.tensor([[False, True, False, False, False]]).repeat(2, 1)
    seen = torch.ones(KEYS, KEYS, dtype=torch.bool).tril()
    with watching(Listener()), blocked_keys(blocked):
        found, _ = watched_attention(Heads(True), query, key, value, None, scaling=SCALE, position_bias=bias)
    seen[2:, 1] = False
    assert torch.allclose(found, outcome(weights_of(query, key, bias, seen), value), atol=1e-5)
    assert shown[0] is not None
    assert torch.equal(shown[0][:, :, seen], bias[:, :, seen])
    assert bool((shown[0][:, :, ~seen] < -1e30).all())


def test_one_bias_serves_a_batch_with_masks_of_its_own() -> None:
    query, key, value, bias = drawn(KEYS)
    seen = seen_of(KEYS)
    found, _ = watched_attention(Heads(True), query, key, value, seen, scaling=SCALE, position_bias=bias[:1])
    assert torch.allclose(found, outcome(weights_of(query, key, bias[:1], seen), value), atol=1e-5)
