"""What is free where; on a GPU by what its driver and torch say."""

from __future__ import annotations

import pytest
import torch

from explore import memory


def test_main_memory_is_what_is_free_for_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "host_available", lambda: 123)
    assert memory.available("cpu") == memory.available("mps") == 123


def test_on_a_gpu_blocks_held_without_use_count_as_free(monkeypatch: pytest.MonkeyPatch) -> None:
    """Card 1 has 700 bytes free, and this process holds 300 of which it uses 100."""
    for name, values in {
        "mem_get_info": [(0, 0), (700, 1000)],
        "memory_reserved": [0, 300],
        "memory_allocated": [0, 100],
    }.items():
        monkeypatch.setattr(torch.cuda, name, values.__getitem__)
    assert memory.available("cuda:1") == 900
    assert memory.available("cuda") == 0


def test_devices_are_gpus_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert memory.devices() == ["cuda:0", "cuda:1", "cpu"]
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert memory.devices() == ["cpu"]
