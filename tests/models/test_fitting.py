"""Checkpoints that do not fit: by how much, and what would; every number against one worked out by hand."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from explore import memory
from explore.errors import OutOfMemoryError
from explore.models import fitting
from explore.models.fitting import other_ways, require_fit, spread_memory
from explore.models.loading import load_runner
from explore.models.stored import StoredTensor
from tests.tiny import tiny_llava

CPU, GPU = torch.device("cpu"), torch.device("cuda:0")
MB = 1_000_000
# A matrix of 10 million numbers and an embedding of 2 million: 48 MB in float32, 24 MB in half precision.
TENSORS = (StoredTensor("layers.0.weight", (5_000, 2_000), "BF16"), StoredTensor("embed.weight", (1_000, 2_000), "F32"))


def machine(monkeypatch: pytest.MonkeyPatch, quantises: bool = True, **free: float) -> None:
    """A machine with so many MB free on its devices; cuda0 is "cuda:0"."""
    named = {name.replace("cuda", "cuda:"): int(count * MB) for name, count in free.items()}
    monkeypatch.setattr(memory, "available", named.__getitem__)
    monkeypatch.setattr(memory, "devices", lambda: list(named))
    words = (lambda kind, where: f'quantization="{kind}"') if quantises else (lambda kind, where: None)
    monkeypatch.setattr(fitting, "way_to", words)
    monkeypatch.setattr(fitting, "missing_for", lambda where: None if quantises else "not here")


def refusal(where: torch.device, dtype: torch.dtype = torch.float32, quantization: str | None = None) -> str:
    with pytest.raises(OutOfMemoryError) as raised:
        require_fit("some/model", TENSORS, where, dtype, quantization)
    return str(raised.value)


def test_what_fits_is_not_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    machine(monkeypatch, cpu=48)
    require_fit("some/model", TENSORS, CPU, torch.float32)
    require_fit("some/model", (), CPU, torch.float32)
    machine(monkeypatch, cpu=47.9)
    refusal(CPU)


def test_need_room_and_gap_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    machine(monkeypatch, cuda0=30, cpu=1)
    said = refusal(GPU)
    assert "'some/model' take 48.0 MB (float32), and 30.0 MB are free on 'cuda:0': 18.0 MB are missing" in said


@pytest.mark.parametrize(
    ("free", "offered"),
    [
        (47, ['dtype="bfloat16" (24.0 MB of 47.0 MB free)', '"8bit" (18.0 MB of', '"4bit" (13.6 MB of']),
        (23, ['"8bit" (18.0 MB of 23.0 MB free)', '"4bit" (13.6 MB of']),
        (14, ['"4bit" (13.6 MB of 14.0 MB free)']),
    ],
)
def test_only_what_fits_is_offered(free: float, offered: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    machine(monkeypatch, cuda0=free, cpu=1)
    said = refusal(GPU)
    assert all(each in said for each in offered)
    assert said.count(" free)") == len(offered)
    assert "session().close()" in said


def test_other_devices_and_all_together_are_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    machine(monkeypatch, quantises=False, cuda0=10, cuda1=50, cpu=49)
    said = refusal(GPU)
    for way in (
        'device="cuda:1" (48.0 MB of 50.0',
        'device="cpu" (48.0 MB of 49.0',
        'device_map="auto" (48.0 MB of 98.1',
    ):
        assert way in said
    machine(monkeypatch, quantises=False, cuda0=20, cuda1=20, cpu=20)
    said = refusal(GPU)
    assert 'device="' not in said
    assert 'device_map="auto" (48.0 MB of 54.0 MB free)' in said
    machine(monkeypatch, quantises=False, cuda0=17, cuda1=17, cpu=17)
    assert "No other number type or device of this machine fits it" in refusal(GPU)


def test_where_nothing_fits_the_disk_is_named_with_its_price(monkeypatch: pytest.MonkeyPatch) -> None:
    machine(monkeypatch, cpu=10)
    said = refusal(CPU)
    assert 'device_map="auto" would keep 9.0 MB in memory and read the other 39.0 MB from the disk' in said
    assert "a smaller checkpoint" in said


def test_quantised_requests_are_offered_less_and_the_plain_model_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    machine(monkeypatch, cuda0=17, cpu=1)
    said = refusal(GPU, quantization="8bit")
    assert "take 18.0 MB (8bit, the rest float32)" in said
    assert 'quantization="4bit"' in said
    assert 'dtype="bfloat16"' not in said
    machine(monkeypatch, cuda0=5, cpu=60)
    said = refusal(GPU, quantization="4bit")
    assert "quantization=" not in said.replace("quantization=None", "")
    assert 'device="cpu" (13.6 MB of 60.0 MB free)' in said
    assert 'device_map="auto" with quantization=None (48.0 MB of 58.5 MB free)' in said


def test_half_precision_is_not_offered_to_what_is_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    machine(monkeypatch, cuda0=20, cpu=1)
    assert 'dtype="' not in refusal(GPU, torch.bfloat16)


def test_weights_that_come_packed_are_not_offered_to_be_packed(monkeypatch: pytest.MonkeyPatch) -> None:
    machine(monkeypatch, cuda0=1, cpu=1)
    packed = (*TENSORS, StoredTensor("layers.1.qweight", (100, 100), "I32"))
    assert not any("quantization" in way.words for way in other_ways(packed, GPU, torch.float32, None))
    assert any("quantization" in way.words for way in other_ways(TENSORS, GPU, torch.float32, None))


def test_spread_weights_leave_a_tenth_of_every_device(monkeypatch: pytest.MonkeyPatch) -> None:
    machine(monkeypatch, cuda0=10, cuda1=20, cpu=30)
    assert spread_memory() == {0: 9 * MB, 1: 18 * MB, "cpu": 27 * MB}


def test_a_folder_is_refused_before_it_is_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model, processor = tiny_llava(seed=9)
    model.save_pretrained(tmp_path)
    processor.save_pretrained(tmp_path)
    need = sum(each.numel() for each in model.parameters()) * 4
    monkeypatch.setattr(memory, "host_available", lambda: int(need * 0.6))
    with pytest.raises(OutOfMemoryError, match=rf"take {memory.readable(need)} \(float32\).*dtype=\"bfloat16\""):
        load_runner(tmp_path)
    assert load_runner(tmp_path, dtype="bfloat16").info.dtype == "bfloat16"
