"""What a checkpoint will take in memory, read from the headers of its weights before they are loaded.

Headers lie on this machine, or come from the hub by a few kilobytes of every file.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from huggingface_hub import get_safetensors_metadata, try_to_load_from_cache
from huggingface_hub.errors import HFValidationError
from safetensors import SafetensorError, safe_open

from explore.models.devices import resolve_device, resolve_dtype
from explore.models.sources import SHIPPED, checkpoint_name, folder_of

_FLOATS = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2}
_OTHERS = {"I64": 8, "I32": 4, "I16": 2}
_BITS = {"8bit": 8, "4bit": 4}
_SCALE_BITS = {"8bit": 0.0, "4bit": 32 / 64}  # one float32 for every 64 numbers; 8 bits have one for a whole row
# Embeddings, heads, and experts that the library joins to blocks are left as they are.
_LEFT_ALONE = ("embed", "lm_head", ".experts.", "wte", "wpe")


@dataclass(frozen=True)
class StoredTensor:
    """One tensor of a weight file: its name, its shape, and its number type as safetensors calls it."""

    name: str
    shape: tuple[int, ...]
    dtype: str

    def bytes_as(self, size: int | None = None, quantization: str | None = None) -> float:
        """Bytes it takes when loaded with ``size`` bytes a number (None: as it is stored), quantised or not."""
        count = math.prod(self.shape)
        if self.dtype not in _FLOATS:
            return count * _OTHERS.get(self.dtype, 1)
        if quantization is not None and self._quantised:
            return count * (_BITS[quantization] + _SCALE_BITS[quantization]) / 8
        return count * (size or _FLOATS[self.dtype])

    @property
    def packed(self) -> bool:
        """Whether it holds numbers of a checkpoint that is quantised already."""
        return self.dtype not in _FLOATS and self.dtype not in ("I64", "BOOL")  # those are places and masks

    @property
    def _quantised(self) -> bool:
        matrix = len(self.shape) == 2 and self.name.endswith(".weight")
        return matrix and not any(part in self.name for part in _LEFT_ALONE)


def stored_tensors(name: str, revision: str | None = None, *, online: bool = False) -> tuple[StoredTensor, ...]:
    """The tensors of a checkpoint; none where nothing tells.

    Parameters
    ----------
    name, revision
        As `explore.load` takes them.
    online
        Whether the hub may be asked for what is not on this machine.
    """
    folder = _folder_of(name, revision)
    found = _in_folder(folder) if folder is not None else ()
    return found or (_on_hub(name, revision) if online else ())


def bytes_of(tensors: tuple[StoredTensor, ...], dtype: Any, quantization: str | None = None) -> int:
    """Bytes that tensors take in a torch dtype ("auto": as they are stored), quantised or not."""
    size = dtype.itemsize if isinstance(dtype, torch.dtype) else None
    return math.ceil(sum(each.bytes_as(size, quantization) for each in tensors))


def expected_bytes(
    checkpoint: Any, device: Any, dtype: Any, revision: str | None = None, quantization: str | None = None
) -> int:
    """Bytes the weights of a checkpoint will take; 0 where nothing on this machine tells.

    Parameters
    ----------
    checkpoint, device, dtype, revision, quantization
        As `explore.load` takes them.
    """
    tensors = stored_tensors(checkpoint_name(checkpoint), revision)
    return bytes_of(tensors, resolve_dtype(dtype, resolve_device(device)), quantization)


def _folder_of(name: str, revision: str | None) -> Path | None:
    """Where the checkpoint lies on this machine, if it does."""
    folder = SHIPPED.get(name) or folder_of(name)
    if folder.is_dir():
        return folder
    try:
        found = try_to_load_from_cache(name, "config.json", revision=revision)
    except HFValidationError:
        return None
    return Path(found).parent if isinstance(found, str) else None


def _in_folder(folder: Path) -> tuple[StoredTensor, ...]:
    """What the files of a folder hold; nothing where they are not all there."""
    try:
        index = folder / "model.safetensors.index.json"
        parts = json.loads(index.read_text())["weight_map"].values() if index.is_file() else ["model.safetensors"]
        return tuple(each for part in sorted(set(parts)) for each in _in_file(folder / part))
    except (SafetensorError, OSError, ValueError, KeyError, TypeError, AttributeError):
        return ()  # loading will say what is wrong with them


def _in_file(path: Path) -> list[StoredTensor]:
    with safe_open(path, framework="numpy") as file:
        slices = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118 (no mapping)
        return [StoredTensor(name, tuple(each.get_shape()), each.get_dtype()) for name, each in slices.items()]


def _on_hub(name: str, revision: str | None) -> tuple[StoredTensor, ...]:
    try:
        files = get_safetensors_metadata(name, revision=revision).files_metadata.values()
    except Exception:  # no such repository, no safetensors, no answer: loading will say which
        return ()
    return tuple(
        StoredTensor(name, tuple(each.shape), each.dtype) for file in files for name, each in file.tensors.items()
    )
