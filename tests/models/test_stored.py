"""Headers of weights: on this machine or on the hub, and the bytes they come to."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from explore.models import stored
from explore.models.stored import StoredTensor, bytes_of, expected_bytes, stored_tensors
from tests.tiny import tiny_llava

MATRIX = StoredTensor("model.layers.0.mlp.up_proj.weight", (64, 100), "F32")


@pytest.mark.parametrize(
    ("tensor", "size", "quantization", "expected"),
    [
        (MATRIX, None, None, 25_600),
        (MATRIX, 2, None, 12_800),
        (MATRIX, 4, "8bit", 6_400),
        (MATRIX, 4, "4bit", 3_600),
        (StoredTensor("lm_head.weight", (64, 100), "BF16"), 4, "4bit", 25_600),
        (StoredTensor("model.embed_tokens.weight", (64, 100), "BF16"), None, "8bit", 12_800),
        (StoredTensor("layers.0.mlp.experts.3.up_proj.weight", (64, 100), "F16"), 2, "4bit", 12_800),
        (StoredTensor("norm.weight", (64,), "F32"), 2, "4bit", 128),
        (StoredTensor("layers.0.qweight", (64, 100), "I32"), 2, None, 25_600),
        (StoredTensor("layers.0.up.weight", (64, 100), "U8"), 2, None, 6_400),
        (StoredTensor("layers.0.up.weight", (64, 100), "F8_E4M3"), 2, None, 6_400),
    ],
)
def test_bytes_of_one_tensor(tensor: StoredTensor, size: int | None, quantization: str | None, expected: int) -> None:
    assert tensor.bytes_as(size, quantization) == expected


def test_packed_numbers_are_told_from_places() -> None:
    kinds = {
        dtype: StoredTensor("x", (1,), dtype).packed for dtype in ("F32", "BF16", "I64", "BOOL", "U8", "I8", "I32")
    }
    assert [dtype for dtype, packed in kinds.items() if packed] == ["U8", "I8", "I32"]


def test_files_in_parts_are_read_by_their_index_and_only_whole(tmp_path: Path) -> None:
    model = tiny_llava(seed=9)[0]
    model.save_pretrained(tmp_path, max_shard_size="100KB")
    parts = sorted(tmp_path.glob("model-*.safetensors"))
    assert len(parts) > 1
    count = sum(each.numel() for each in model.parameters())
    assert bytes_of(stored_tensors(str(tmp_path)), torch.float32) == pytest.approx(4 * count, rel=0.01)
    (tmp_path / "consolidated.safetensors").write_bytes(parts[0].read_bytes())
    assert expected_bytes(tmp_path, "cpu", "float32") == pytest.approx(4 * count, rel=0.01)
    parts[0].unlink()
    assert stored_tensors(str(tmp_path)) == ()


@pytest.mark.parametrize("damage", ["{ not json", "[]", "{}"])
def test_a_damaged_index_tells_nothing(damage: str, tmp_path: Path) -> None:
    (tmp_path / "model.safetensors.index.json").write_text(damage)
    assert expected_bytes(tmp_path, "cpu", None) == 0


def test_the_hub_tells_of_what_is_not_here_if_it_may_be_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, str | None]] = []

    def answer(name: str, *, revision: str | None) -> Any:
        asked.append((name, revision))
        file = SimpleNamespace(tensors={"a.weight": SimpleNamespace(shape=[2, 3], dtype="F16")})
        return SimpleNamespace(files_metadata={"model.safetensors": file})

    monkeypatch.setattr(stored, "get_safetensors_metadata", answer)
    assert stored_tensors("nobody/nothing", "v2") == ()
    assert asked == []
    assert stored_tensors("nobody/nothing", "v2", online=True) == (StoredTensor("a.weight", (2, 3), "F16"),)
    assert asked == [("nobody/nothing", "v2")]


def test_a_hub_that_does_not_tell_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: Any, **options: Any) -> None:
        raise ConnectionError("no answer")

    monkeypatch.setattr(stored, "get_safetensors_metadata", fail)
    assert stored_tensors("nobody/nothing", online=True) == ()
