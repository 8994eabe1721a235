"""Devices, main memory and disk."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from explore import memory
from explore.doctor.checks import Check

_TIGHT_MEMORY = 4_000_000_000
_TIGHT_DISK = 5_000_000_000


def devices() -> Iterator[Check]:
    """What models can run on."""
    import torch

    cores = os.cpu_count() or 1
    if torch.cuda.is_available():
        for card in range(torch.cuda.device_count()):
            properties = torch.cuda.get_device_properties(card)
            free, total = torch.cuda.mem_get_info(card)
            sizes = f"{memory.readable(free)} of {memory.readable(total)} free"
            yield Check(f"device cuda:{card}", "ok", f"{properties.name}, {sizes}")
    elif torch.backends.mps.is_available():
        yield Check("device mps", "ok", f"Apple GPU beside {cores} processor cores")
    elif Path("/dev/nvidia0").exists() or shutil.which("nvidia-smi"):
        yield Check(
            "device",
            "missing",
            f"an NVIDIA GPU that torch {torch.__version__} cannot use",
            "models run on the processor, large ones hundreds of times slower",
            "install the build of torch for your CUDA version, or a newer driver",
        )
    else:
        yield Check(
            "device",
            "note",
            f"no GPU; {cores} processor cores, {torch.get_num_threads()} used by torch",
            "the shipped model is quick here; models of billions of parameters take minutes an answer",
        )


def main_memory() -> Iterator[Check]:
    """Main memory, and what of it a session keeps for models."""
    available, total = memory.host_available(), memory.host_total()
    found = f"{memory.readable(available)} of {memory.readable(total)} free"
    budget = memory.readable(memory.default_budget("cpu"))
    if available < _TIGHT_MEMORY:
        yield Check(
            "memory",
            "missing",
            found,
            f"models of more than {memory.readable(available // 2)} will not fit",
            "close other kernels, or call explore.session().close()",
        )
    else:
        yield Check("memory", "ok", f"{found}; a session keeps up to {budget} of models in it")


def disk() -> Iterator[Check]:
    """Room for downloaded checkpoints."""
    from huggingface_hub import constants

    folder = Path(constants.HF_HUB_CACHE)
    existing = next(parent for parent in (folder, *folder.parents) if parent.exists())
    free = shutil.disk_usage(existing).free
    if free < _TIGHT_DISK:
        yield Check(
            "disk",
            "missing",
            f"{memory.readable(free)} free for checkpoints in {folder}",
            "most checkpoints of the hub cannot be downloaded",
            "free some room, or set HF_HOME to a folder on another disk",
        )
    else:
        yield Check("disk", "ok", f"{memory.readable(free)} free for checkpoints in {folder}")
