"""Recorded rows against eager attention, and the promise that watching changes and leaves behind nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor
from transformers import (
    Gemma2Config,
    Gemma2ForCausalLM,
    LlamaConfig,
    LlamaForCausalLM,
    MistralConfig,
    MistralForCausalLM,
)

from explore.errors import CheckpointError
from explore.models.attention import NAME, AttentionCall, watched, watched_attention, watching
from explore.models.rows import LayerRecord

_SIZES: dict[str, Any] = {
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "vocab_size": 60,
    "max_position_embeddings": 64,
    "pad_token_id": 0,
    "eos_token_id": None,
}

MODELS: dict[str, Callable[[], Any]] = {
    "no groups": lambda: LlamaForCausalLM(LlamaConfig(**_SIZES, num_key_value_heads=4)),
    "grouped": lambda: LlamaForCausalLM(LlamaConfig(**_SIZES, num_key_value_heads=2)),
    "one key head": lambda: LlamaForCausalLM(LlamaConfig(**_SIZES, num_key_value_heads=1)),
    "sliding": lambda: MistralForCausalLM(MistralConfig(**_SIZES, num_key_value_heads=2, sliding_window=4, head_dim=8)),
    "soft cap": lambda: Gemma2ForCausalLM(
        Gemma2Config(
            **_SIZES,
            num_key_value_heads=2,
            head_dim=8,
            sliding_window=5,
            attn_logit_softcapping=2.0,
            query_pre_attn_scalar=8,
        )
    ),
}


class CountingTap:
    """Gives each attention call to the record of its layer, by counting."""

    def __init__(self, layers: int) -> None:
        self.records = [LayerRecord() for _ in range(layers)]
        self.calls = 0

    def attend(self, query: Tensor, key: Tensor, mask: Tensor | None, call: AttentionCall) -> None:
        self.records[self.calls % len(self.records)].add(query, key, mask, call)
        self.calls += 1


def built(name: str) -> Any:
    torch.manual_seed(3)
    model = MODELS[name]().eval()
    with torch.no_grad():
        for each in model.parameters():
            each.copy_(torch.randn_like(each) * 0.3)
    return model


def eager(model: Any, **inputs: Any) -> Any:
    before = model.config._attn_implementation
    model.set_attn_implementation("eager")
    with torch.inference_mode():
        made = model(**inputs, output_attentions=True)
    model.set_attn_implementation(before)
    return made


@pytest.mark.parametrize("name", MODELS)
def test_prefill_and_decoding_rows_equal_eager(name: str) -> None:
    model, ids = built(name), torch.randint(1, 60, (1, 9), generator=torch.Generator().manual_seed(0))
    tap = CountingTap(3)
    with torch.inference_mode(), watching(tap), watched(model):
        made = model.generate(ids, max_new_tokens=6, do_sample=False, attention_mask=torch.ones_like(ids))
    fed = made[:, :-1]
    for record, wanted in zip(tap.records, eager(model, input_ids=fed).attentions, strict=True):
        torch.testing.assert_close(record.rows(), wanted, atol=1e-6, rtol=0)


@pytest.mark.parametrize("name", MODELS)
def test_left_padded_batch_rows_equal_eager(name: str) -> None:
    model = built(name)
    ids = torch.randint(1, 60, (3, 8), generator=torch.Generator().manual_seed(1))
    mask = torch.ones_like(ids)
    ids[1, :3], mask[1, :3] = 0, 0
    ids[2, :6], mask[2, :6] = 0, 0
    tap = CountingTap(3)
    with torch.inference_mode(), watching(tap), watched(model):
        made = model.generate(ids, max_new_tokens=5, do_sample=False, attention_mask=mask)
    fed = made[:, :-1]
    whole = torch.cat([mask, torch.ones(3, fed.shape[1] - 8, dtype=torch.long)], dim=1)
    wanted = eager(model, input_ids=fed, attention_mask=whole, position_ids=(whole.cumsum(-1) - 1).clamp(min=0))
    real = whole.bool()  # rows of padding have no defined attention
    for record, weights in zip(tap.records, wanted.attentions, strict=True):
        rows = record.rows()
        for item in range(3):
            torch.testing.assert_close(rows[item][:, real[item]], weights[item][:, real[item]], atol=1e-6, rtol=0)


@pytest.mark.parametrize("name", MODELS)
def test_outputs_equal_eager_with_padding(name: str) -> None:
    model = built(name)
    ids = torch.randint(1, 60, (2, 10), generator=torch.Generator().manual_seed(2))
    mask = torch.ones_like(ids)
    mask[0, :4] = 0
    wanted = eager(model, input_ids=ids, attention_mask=mask).logits
    with torch.inference_mode(), watched(model):
        found = model(input_ids=ids, attention_mask=mask).logits
    torch.testing.assert_close(found[mask.bool()], wanted[mask.bool()], atol=2e-5, rtol=1e-4)


def test_chosen_rows_are_those_rows_of_all() -> None:
    model, ids = built("grouped"), torch.arange(1, 10)[None]

    class Some(CountingTap):
        def attend(self, query: Tensor, key: Tensor, mask: Tensor | None, call: AttentionCall) -> None:
            self.records[self.calls % 3].add(query, key, mask, call, torch.tensor([2, 7]))
            self.calls += 1

    some, every = Some(3), CountingTap(3)
    for tap in (some, every):
        with torch.inference_mode(), watching(tap), watched(model):
            model(ids)
    for few, all_ in zip(some.records, every.records, strict=True):
        torch.testing.assert_close(few.rows(), all_.rows()[:, :, [2, 7]], atol=1e-7, rtol=0)


def test_rows_are_the_same_in_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    model, tap = built("grouped"), CountingTap(3)
    with torch.inference_mode(), watching(tap), watched(model):
        model(torch.arange(1, 30)[None])
    whole = tap.records[1].rows()
    monkeypatch.setattr("explore.models.rows._CHUNK_BYTES", 4 * 4 * 29 * 3)
    torch.testing.assert_close(tap.records[1].rows(), whole, atol=1e-7, rtol=0)


def test_implementation_is_restored_after_an_error() -> None:
    model = built("grouped")
    seen = []

    def fail() -> None:
        with watched(model):
            seen.append(model.config._attn_implementation)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert seen == [NAME]
    assert model.config._attn_implementation == "sdpa"


def test_nested_watching_restores_the_outer_tap() -> None:
    model, outer, inner = built("grouped"), CountingTap(3), CountingTap(3)
    ids = torch.tensor([[1, 2, 3]])
    with torch.inference_mode(), watched(model), watching(outer):
        with watching(inner), watched(model):
            model(ids)
        model(ids)
    assert (outer.calls, inner.calls) == (3, 3)


def test_unwatched_model_shows_nothing() -> None:
    model, tap = built("grouped"), CountingTap(3)
    with torch.inference_mode(), watching(tap):
        model(torch.tensor([[1, 2, 3]]))
    assert tap.calls == 0


@pytest.mark.parametrize("name", ["s_aux", "sinks"])
def test_unknown_inputs_are_refused(name: str) -> None:
    states = torch.zeros(1, 2, 3, 4)
    with pytest.raises(CheckpointError, match=name):
        watched_attention(torch.nn.Module(), states, states, states, None, **{name: torch.zeros(2)})


def test_other_implementations_are_refused() -> None:
    model = built("grouped")
    model.config._attn_implementation_internal = "flex_attention"
    with pytest.raises(CheckpointError, match="flex_attention"), watched(model):
        pass
