"""What a checkpoint on this machine will take in memory, read from its headers before it is loaded."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import torch
from huggingface_hub import try_to_load_from_cache
from huggingface_hub.errors import HFValidationError
from safetensors import SafetensorError, safe_open

from explore.models.devices import resolve_device, resolve_dtype
from explore.models.loading import SHIPPED, checkpoint_name

_BYTES = {"F64": 8, "I64": 8, "F32": 4, "I32": 4, "F16": 2, "BF16": 2, "I16": 2}


def expected_bytes(checkpoint: Any, device: Any, dtype: Any, revision: str | None = None) -> int:
    """Bytes the weights of a checkpoint will take; 0 where nothing on this machine tells.

    Parameters
    ----------
    checkpoint, device, dtype, revision
        As `explore.load` takes them.
    """
    folder = _folder_of(checkpoint_name(checkpoint), revision)
    if folder is None:
        return 0
    kind = resolve_dtype(dtype, resolve_device(device))
    size = kind.itemsize if isinstance(kind, torch.dtype) else None
    try:
        return sum(_bytes_in(path, size) for path in folder.glob("*.safetensors"))
    except (SafetensorError, OSError):
        return 0  # loading will say what is wrong with them


def _folder_of(name: str, revision: str | None) -> Path | None:
    """Where the checkpoint lies on this machine, if it does."""
    folder = SHIPPED.get(name) or Path(name).expanduser()
    if folder.is_dir():
        return folder
    try:
        found = try_to_load_from_cache(name, "config.json", revision=revision)
    except HFValidationError:
        return None
    return Path(found).parent if isinstance(found, str) else None


def _bytes_in(path: Path, size: int | None) -> int:
    """Bytes of a file's tensors, with ``size`` bytes a number where that is given."""
    with safe_open(path, framework="numpy") as file:
        slices = [file.get_slice(name) for name in file.keys()]  # noqa: SIM118 (no mapping)
        return sum(math.prod(each.get_shape()) * (size or _BYTES.get(each.get_dtype(), 1)) for each in slices)
