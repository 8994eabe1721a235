"""How much memory this machine has, containers and devices included. Imports torch only when asked about a device."""

from __future__ import annotations

import sys
from pathlib import Path

import psutil

_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
_USES = (Path("/sys/fs/cgroup/memory.current"), Path("/sys/fs/cgroup/memory/memory.usage_in_bytes"))
_STATS = (Path("/sys/fs/cgroup/memory.stat"), Path("/sys/fs/cgroup/memory/memory.stat"))

HOST_SHARE = 0.5
DEVICE_SHARE = 0.8


def host_total() -> int:
    """Bytes of main memory this process may use: the machine's, or its container's where that is less."""
    total = int(psutil.virtual_memory().total)
    limit = _first_number(_LIMITS)
    return total if limit is None else min(total, limit)


def host_available() -> int:
    """Bytes of main memory that are free for this process now."""
    available = int(psutil.virtual_memory().available)
    limit, used = _first_number(_LIMITS), _first_number(_USES)
    if limit is None or used is None:
        return available
    return max(0, min(available, limit - used + _reclaimable()))


def available(device: str) -> int:
    """Bytes that are free for this process on a device ("cpu", "cuda:1", "mps") now.

    On a GPU the blocks that this process holds without using them count as free.
    """
    if _kind(device) != "cuda":
        return host_available()
    import torch

    card = torch.device(device).index or 0
    free, _ = torch.cuda.mem_get_info(card)
    return int(free + torch.cuda.memory_reserved(card) - torch.cuda.memory_allocated(card))


def devices() -> list[str]:
    """Every device of this machine with memory of its own that weights can lie in, GPUs first."""
    torch = sys.modules.get("torch")
    cards = range(torch.cuda.device_count()) if torch is not None and torch.cuda.is_available() else range(0)
    return [*(f"cuda:{card}" for card in cards), "cpu"]


def default_budget(device: str) -> int:
    """Bytes that runners on a device may take together unless the user says otherwise.

    Four fifths of a GPU's memory, the rest being left to activations; half of main memory, which traces, kernels and
    the browser need too.
    """
    if _kind(device) != "cuda":
        return int(HOST_SHARE * host_total())
    import torch

    cards = range(torch.cuda.device_count())
    return int(DEVICE_SHARE * sum(torch.cuda.get_device_properties(card).total_memory for card in cards))


def device_allocated() -> int:
    """Bytes that tensors take on all GPUs now; 0 where torch is not imported or sees none."""
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_available():
        return 0
    return sum(torch.cuda.memory_allocated(card) for card in range(torch.cuda.device_count()))


def release_device_cache() -> None:
    """Give unused blocks back to the GPU driver, so that other processes can have them."""
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        torch.cuda.empty_cache()


def readable(count: int) -> str:
    """A number of bytes for people: ``1.5 GB`` (powers of 1000, as disks and model hubs count)."""
    size = float(count)
    for unit in ("bytes", "kB", "MB", "GB"):
        if abs(size) < 1000:
            return f"{size:.0f} {unit}" if unit == "bytes" or size >= 100 else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"


def _kind(device: str) -> str:
    return device.split(":", 1)[0]


def _reclaimable() -> int:
    """Bytes of cached files that count as used by a container and are given up when memory is wanted."""
    for file in _STATS:
        try:
            fields = dict(line.split() for line in file.read_text().splitlines())
            return int(fields.get("inactive_file", 0))
        except (OSError, ValueError):
            continue
    return 0


def _first_number(files: tuple[Path, ...]) -> int | None:
    for file in files:
        try:
            return int(file.read_text())
        except (OSError, ValueError):  # not there, or "max"
            continue
    return None
