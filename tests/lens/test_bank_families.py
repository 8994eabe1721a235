"""Banks of real models of many families: their rows are the model's own states, whichever side a tokenizer pads on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from explore.errors import Cancelled
from explore.lens.bank_building import build_bank
from explore.lens.bank_encoding import unit_rows
from explore.lens.banks import Bank
from tests.families.cases import SUPPORTED, runner_of
from tests.lens.test_bank_building import contents, stored

pytestmark = pytest.mark.filterwarnings("ignore")
families = pytest.mark.parametrize("name", SUPPORTED)
some = pytest.mark.parametrize("name", ["llava", "qwen2_5_vl", "gemma3", "internvl", "idefics3"])
TEXTS = [
    "what is the colour of this?",
    "this is",
    "of the colour of this",
    "is this what this is?",
    "the colour of the colour is what?",
    "what is the colour of this?",
]


def owned(bank: Bank) -> set[tuple[str, int]]:
    """The sentence up to the row's last character, and the row's token."""
    return {(bank.sentence(row)[: (bank.span(row) or (0, 0))[1]], int(bank.token_ids[row])) for row in range(bank.rows)}


@families
def test_rows_are_the_models_own_states(name: str, tmp_path: Path) -> None:
    runner = runner_of(name)
    language, last = runner.language, runner.info.layers
    bank = build_bank(runner, TEXTS, tmp_path / "bank", layers=[0, 1, last], cap=2)
    alone = dict(zip(TEXTS, language.tokenize(TEXTS), strict=True))
    assert bank.width == runner.info.width
    for layer in bank.layers:
        rows, norms = stored(bank, layer), bank.norms(layer)
        for text in {bank.sentence(row) for row in range(bank.rows)}:
            mine = [row for row in range(bank.rows) if bank.sentence(row) == text]
            places = bank.positions[mine]
            unit, sizes = unit_rows(language.states([alone[text].ids], [layer], [places])[layer])
            np.testing.assert_allclose(rows[mine], unit.numpy(), atol=2e-3)
            np.testing.assert_allclose(norms[mine], sizes.numpy(), rtol=1e-3)
            assert bank.token_ids[mine].tolist() == alone[text].ids[places].tolist()
            assert not alone[text].special[places].any()
    assert len({(bank.sentence(row), int(bank.positions[row])) for row in range(bank.rows)}) == bank.rows


@some
def test_golden_g5_the_side_of_padding_makes_no_difference(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runner = runner_of(name)
    tokenizer = runner._family.processor.tokenizer
    banks = {}
    for side in ("right", "left"):
        monkeypatch.setattr(tokenizer, "padding_side", side)
        banks[side] = build_bank(runner, TEXTS, tmp_path / side, mode="reference", layers=[1])
    assert contents(banks["right"].folder) == contents(banks["left"].folder)
    assert published_rows(tokenizer, "right") == [
        (int(token), int(place)) for token, place in zip(banks["left"].token_ids, banks["left"].positions, strict=True)
    ]
    assert published_rows(tokenizer, "left") != published_rows(tokenizer, "right"), "the published defect, must differ"


def published_rows(tokenizer: Any, side: str) -> list[tuple[int, int]]:
    """Token and position as the published library takes them: the mask's sum for a length, counted from the left."""
    made = tokenizer(TEXTS, padding=True, padding_side=side, return_tensors="np")
    seen, found = set(), []
    for ids, mask in zip(made["input_ids"].tolist(), made["attention_mask"], strict=True):
        for place in range(2, int(mask.sum())):
            prefix = tuple(ids[: place + 1])
            if prefix not in seen:
                seen.add(prefix)
                found.append((ids[place], place))
    return found


@some
def test_a_stopped_build_of_a_real_model_ends_in_the_same_bytes(name: str, tmp_path: Path) -> None:
    runner, settings = runner_of(name), {"part_rows": 8, "batch_tokens": 24}
    whole = build_bank(runner, TEXTS, tmp_path / "whole", **settings)  # type: ignore[arg-type]
    assert len(whole.manifest["parts"]) > 1

    def stop(share: float | None, message: str) -> None:
        if share is not None and share > 0.6:
            raise Cancelled

    with pytest.raises(Cancelled):
        build_bank(runner, TEXTS, tmp_path / "stopped", progress=stop, **settings)  # type: ignore[arg-type]
    build_bank(runner, TEXTS, tmp_path / "stopped", **settings)  # type: ignore[arg-type]
    assert contents(tmp_path / "stopped") == contents(whole.folder)
    coarse = build_bank(runner, TEXTS, tmp_path / "coarse")
    for layer in whole.layers:
        np.testing.assert_allclose(stored(coarse, layer), stored(whole, layer), atol=2e-3)


@some
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_models_in_half_precision(name: str, dtype: torch.dtype, tmp_path: Path) -> None:
    """A tiny random model of its own, in the number types of large ones."""
    from explore.models.runner import Runner
    from tests.zoo import ZOO

    model, processor = ZOO[name].build.__wrapped__()  # type: ignore[attr-defined]
    bank = build_bank(Runner(model.to(dtype), processor), TEXTS, tmp_path / "half")
    exact = build_bank(runner_of(name), TEXTS, tmp_path / "exact")
    assert owned(bank) == owned(exact)
    assert bank.manifest["forward_dtype"] == str(dtype).removeprefix("torch.")
    for layer in bank.layers:
        cosines = (stored(bank, layer) * stored(exact, layer)).sum(axis=1)
        assert cosines.min() > 0.99
