"""What decided a result, as plain JSON, and the key it is found by."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from explore.models.info import ModelInfo
from explore.models.plans import RecordingPlan
from explore.version import __version__

_BLOCK, _BLOCKS = 1 << 20, 64


def digest(data: Any) -> str:
    """Hash of plain data, equal for equal data."""
    return hashlib.sha256(json.dumps(data, sort_keys=True, default=int).encode()).hexdigest()[:32]


@cache
def versions() -> dict[str, str]:
    """Versions of the toolkit and of the libraries that compute."""
    return {"vlmscope": __version__, "torch": version("torch"), "transformers": version("transformers")}


def runner_fingerprint(info: ModelInfo) -> dict[str, Any]:
    """What identifies a loaded model."""
    return {
        "checkpoint": info.checkpoint,
        "revision": info.revision,
        "family": info.family,
        "dtype": info.dtype,
        "quantization": info.quantization,
        "device": info.device.split(":")[0],
        "versions": dict(versions()),
    }


def run_fingerprint(
    kind: str,
    info: ModelInfo,
    prompt: str,
    images: Sequence[str],
    generation: dict[str, Any],
    plan: RecordingPlan,
) -> dict[str, Any]:
    """What decided one run: the model, the prompt's and the pictures' hashes, how the answer was made, the plan."""
    found: dict[str, Any] = json.loads(json.dumps(plan.to_json()))  # lists, as the saved trace will have them
    return {
        **runner_fingerprint(info),
        "run": kind,
        "prompt": prompt,
        "images": list(images),
        "generation": generation,
        "plan": found,
    }


def folder_revision(folder: Path) -> str:
    """Short hash that tells two states of a checkpoint folder apart without reading gigabytes.

    Taken over the names and sizes of all files and over their bytes: all of them up to 64 MiB, and 64 blocks of one
    mebibyte, evenly spread, of larger ones. Training changes every block of a weight file.
    """
    hashed = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        if not path.is_file() or path.name.startswith("."):
            continue
        size = path.stat().st_size
        hashed.update(f"{path.name} {size}".encode())
        with path.open("rb") as file:
            for start in np.linspace(0, max(0, size - _BLOCK), min(_BLOCKS, -(-size // _BLOCK)), dtype=np.int64):
                file.seek(int(start))
                hashed.update(file.read(_BLOCK))
    return hashed.hexdigest()[:12]
