"""From a name to a runner: the shipped model, a folder, or the hub, with every failure put into words.

Nothing here waits for a network that is not there: one short request decides whether the hub can be reached, and if
not only the local cache is used.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from transformers import AutoConfig, AutoModelForImageTextToText, AutoProcessor
from transformers.utils import logging

from explore.errors import CheckpointError, DeviceError, ParameterError, RemoteCodeError
from explore.models.families import require_family
from explore.models.fingerprints import folder_revision
from explore.models.guards import memory_errors
from explore.models.runner import Runner

_WEIGHTS = Path(__file__).parents[1] / "sketch" / "weights"
SHIPPED = {"sketch": _WEIGHTS / "default", "sketch-frozen": _WEIGHTS / "frozen"}

_ANSWER_SECONDS = 5.0
_USE_SHIPPED = "The model that ships needs no network: explore.load()."


def load_runner(
    checkpoint: str | os.PathLike[str] | None = None,
    *,
    revision: str | None = None,
    dtype: Any = None,
    device: Any = None,
    trust_remote_code: bool = False,
    lock: Any = None,
    cache: Any = None,
) -> Runner:
    """Load a checkpoint and its processor.

    Parameters
    ----------
    checkpoint
        A folder, a name on the hub, "sketch" (None: the model that ships) or "sketch-frozen".
    revision
        Branch, tag or commit on the hub.
    dtype
        Number type of the weights, such as "bfloat16"; "auto" is the checkpoint's own. None means float32 on the CPU
        and the checkpoint's own elsewhere.
    device
        "cpu", "cuda", "cuda:1", ...; None or "auto" takes a GPU if there is one.
    trust_remote_code
        Whether a checkpoint may run Python code of its own.
    lock, cache
        The session's, see `Runner`.

    Raises
    ------
    CheckpointError
        Not found, unreadable, or of no known family.
    RemoteCodeError
        The checkpoint wants to run code of its own and was not allowed to.
    DeviceError
        The device is not there.
    OutOfMemoryError
        The weights do not fit.
    """
    where = resolve_device(device)
    kind = _resolve_dtype(dtype, where)
    name = "sketch" if checkpoint is None else os.fspath(checkpoint)
    source, options = _locate(name, revision)
    options["trust_remote_code"] = bool(trust_remote_code)
    config = _loaded(name, AutoConfig, source, options)
    require_family(config)
    with memory_errors(), _quiet() if name in SHIPPED else nullcontext():
        model = _loaded(
            name, AutoModelForImageTextToText, source, options, dtype=kind, attn_implementation="sdpa", device_map=where
        )
    processor = _loaded(name, AutoProcessor, source, options)
    found = folder_revision(Path(source)) if Path(source).is_dir() else getattr(config, "_commit_hash", None)
    return Runner(model, processor, checkpoint=name, revision=str(found or revision or ""), lock=lock, cache=cache)


@contextmanager
def _quiet() -> Iterator[None]:
    """No progress bar for weights that are read within a blink; in a notebook it would stay as an empty widget."""
    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()


def resolve_device(device: Any) -> torch.device:
    """The device meant, checked to be there.

    Raises
    ------
    DeviceError
        It is not a device, or this machine does not have it.
    """
    if device is None or str(device) == "auto":
        return torch.device("cuda:0" if torch.cuda.is_available() else "cpu")
    try:
        where = torch.device(device)
    except (RuntimeError, TypeError) as error:
        raise DeviceError(
            f"The device {device!r} was asked for", 'Devices are "cpu", "cuda", "cuda:1" and "mps".'
        ) from error
    if where.type == "cuda":
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
        if (where.index or 0) >= count:
            raise DeviceError(
                f"The device '{where}' was asked for, but the number of CUDA devices here is {count}",
                'On the CPU everything runs too: device="cpu".',
                "If there should be a GPU, check its driver and that torch was built for CUDA (explore doctor).",
            )
        return torch.device("cuda", where.index or 0)
    if where.type == "mps" and not torch.backends.mps.is_available():
        raise DeviceError("The device 'mps' was asked for, but this machine has none", 'Use device="cpu".')
    return where


def _resolve_dtype(dtype: Any, device: torch.device) -> Any:
    if dtype is None:
        return torch.float32 if device.type == "cpu" else "auto"
    found = getattr(torch, dtype.removeprefix("torch."), None) if isinstance(dtype, str) and dtype != "auto" else dtype
    if found == "auto" or (isinstance(found, torch.dtype) and found.is_floating_point):
        return found
    raise ParameterError(
        f"dtype={dtype!r} was given", 'Allowed: "float32", "bfloat16", "float16", "auto", or the torch dtype.'
    )


def _locate(name: str, revision: str | None) -> tuple[str, dict[str, Any]]:
    """Where to load from, and the options that keep the library from waiting for a network."""
    if name in SHIPPED:
        if not (SHIPPED[name] / "config.json").is_file():
            raise CheckpointError(
                f"The shipped model '{name}' is missing from this installation",
                f"It belongs in '{SHIPPED[name]}'.",
                "Install the toolkit again, or train it with the scripts in explore/sketch.",
            )
        return str(SHIPPED[name]), {"local_files_only": True}
    folder = Path(name).expanduser()
    if folder.is_dir():
        if not (folder / "config.json").is_file():
            raise CheckpointError(
                f"The folder '{name}' holds no config.json",
                "A checkpoint folder is what save_pretrained writes, processor included.",
                _USE_SHIPPED,
            )
        return str(folder), {"local_files_only": True}
    if name.startswith(("/", "./", "../", "~")) or folder.is_file() or name.count("/") > 1:
        raise CheckpointError(
            f"There is no folder '{name}'",
            "A checkpoint is a folder, or a name on the hub such as 'llava-hf/llava-1.5-7b-hf'.",
            _USE_SHIPPED,
        )
    return name, {"revision": revision, "local_files_only": not hub_answers()}


def hub_answers() -> bool:
    """Whether the hub can be reached: one request, without the library's retries, which take half a minute."""
    from huggingface_hub import constants
    from huggingface_hub.utils import get_session

    if constants.HF_HUB_OFFLINE:
        return False
    try:
        get_session().head(constants.ENDPOINT, timeout=_ANSWER_SECONDS)
    except Exception:  # whatever a client raises when there is no network, there is none
        return False
    return True


def _loaded(name: str, kind: Any, source: str, options: dict[str, Any], **more: Any) -> Any:
    """Load one part of a checkpoint, and put what the library raises into the words of ours."""
    try:
        return kind.from_pretrained(source, **options, **more)
    except (OSError, ValueError, ImportError, KeyError, RuntimeError, SafetensorError) as error:
        if isinstance(error, RuntimeError) and "memory" in str(error).lower():
            raise
        raise _explained(name, error, offline=bool(options.get("local_files_only"))) from error


def _explained(name: str, error: Exception, *, offline: bool) -> CheckpointError:
    text = " ".join(str(error).split())
    if "trust_remote_code" in text or "custom code" in text:
        return RemoteCodeError(
            f"The checkpoint '{name}' wants to run Python code of its own, and was not allowed to",
            "Code from a checkpoint can do anything on this machine.",
            "Read that code; if you trust it, load with trust_remote_code=True.",
        )
    if offline and name not in SHIPPED and not Path(name).expanduser().is_dir():
        return CheckpointError(
            f"The checkpoint '{name}' is not on this machine, and the hub cannot be reached",
            "Without network, folders and checkpoints downloaded before can be loaded.",
            _USE_SHIPPED,
        )
    return CheckpointError(f"The checkpoint '{name}' cannot be loaded: {text[:400]}", "", _USE_SHIPPED)
