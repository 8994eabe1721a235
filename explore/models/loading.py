"""From a name to a runner: the shipped model, a folder, or the hub, with every failure put into words.

Nothing here waits for a network that is not there: one short request decides whether the hub can be reached, and if
not only the local cache is used.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from transformers import AutoConfig, AutoModelForImageTextToText, AutoProcessor
from transformers.utils import logging

from explore.errors import CheckpointError, ParameterError, RemoteCodeError
from explore.models.devices import resolve_device, resolve_dtype
from explore.models.families import require_family
from explore.models.fingerprints import folder_revision
from explore.models.guards import is_memory_error, memory_errors
from explore.models.runner import Runner

_WEIGHTS = Path(__file__).parents[1] / "sketch" / "weights"
SHIPPED = {"sketch": _WEIGHTS / "default", "sketch-frozen": _WEIGHTS / "frozen"}

ANSWER_SECONDS = 5.0
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
    kind = resolve_dtype(dtype, where)
    name = checkpoint_name(checkpoint)
    source, options = _locate(name, revision)
    options["trust_remote_code"] = bool(trust_remote_code)
    config = _loaded(name, AutoConfig, source, options)
    require_family(config)
    with memory_errors(), _quiet() if name in SHIPPED else nullcontext():
        model, report = _loaded(
            name,
            AutoModelForImageTextToText,
            source,
            options,
            dtype=kind,
            attn_implementation="sdpa",
            device_map=where,
            output_loading_info=True,
        )
    _require_weights(name, report)
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


def checkpoint_name(checkpoint: Any) -> str:
    """The name of a checkpoint as it is asked for; None is the model that ships.

    Raises
    ------
    ParameterError
        It is neither text nor a path.
    """
    if checkpoint is None:
        return "sketch"
    if not isinstance(checkpoint, (str, os.PathLike)) or isinstance(os.fspath(checkpoint), bytes):
        raise ParameterError(
            f"The checkpoint {checkpoint!r} was given",
            "A checkpoint is a folder, or a name on the hub such as 'llava-hf/llava-1.5-7b-hf'.",
            _USE_SHIPPED,
        )
    return str(os.fspath(checkpoint))


def _require_weights(name: str, report: dict[str, Any]) -> None:
    """Refuse a model whose gaps the library filled with random weights; warn of layers it left out.

    Left out may be what only training needs, such as layers that predict several tokens at once.

    Raises
    ------
    CheckpointError
        Naming how many are missing, and one of them.
    """
    lacking = sorted(str(key) for key in report["missing_keys"])
    if lacking:
        raise CheckpointError(
            f"The checkpoint '{name}' lacks {len(lacking)} of the weights its config asks for, such as {lacking[0]}",
            "It would run with random parts.",
            "Download or save the checkpoint again, config.json and weights together.",
        )
    surplus = sorted(key for key in map(str, report["unexpected_keys"]) if ".layers." in key and "inv_freq" not in key)
    if surplus:
        warnings.warn(
            f"The config of '{name}' has no place for {len(surplus)} weights of layers, such as {surplus[0]}",
            stacklevel=3,
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
        _refuse_revision(name, revision)
        return str(SHIPPED[name]), {"local_files_only": True}
    folder = _folder(name)
    if folder.is_dir():
        _refuse_revision(name, revision)
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


def _folder(name: str) -> Path:
    """The path a name may mean; where no path can be made of it, itself as a relative one."""
    try:
        path = Path(name).expanduser()
        path.is_dir()  # a name too long for a file system fails here
    except (RuntimeError, OSError, ValueError):
        raise CheckpointError(
            f"The checkpoint '{name[:80]}' is neither a folder nor a name on the hub",
            "A checkpoint is a folder, or a name on the hub such as 'llava-hf/llava-1.5-7b-hf'.",
            _USE_SHIPPED,
        ) from None
    return path


def _refuse_revision(name: str, revision: str | None) -> None:
    if revision is not None:
        raise ParameterError(
            f"revision={revision!r} was given for '{name}'",
            "Only checkpoints on the hub have revisions.",
            "Leave it out.",
        )


def hub_answers() -> bool:
    """Whether the hub can be reached."""
    return hub_silence() is None


def hub_silence() -> str | None:
    """Why the hub cannot be reached, None where it can: one request, without the library's half a minute of retries."""
    from huggingface_hub import constants
    from huggingface_hub.utils import get_session

    if constants.HF_HUB_OFFLINE:
        return "offline by choice (HF_HUB_OFFLINE)"
    try:
        get_session().head(constants.ENDPOINT, timeout=ANSWER_SECONDS)
    except Exception as error:  # whatever a client raises when there is no network, there is none
        return str(error) or type(error).__name__
    return None


def _loaded(name: str, kind: Any, source: str, options: dict[str, Any], **more: Any) -> Any:
    """Load one part of a checkpoint, and put what the library raises into the words of ours."""
    try:
        return kind.from_pretrained(source, **options, **more)
    except Exception as error:  # a damaged file may raise anything at all, Exception itself included
        if is_memory_error(error):
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
    if offline and name not in SHIPPED and not _folder(name).is_dir():
        return CheckpointError(
            f"The checkpoint '{name}' is not on this machine, and the hub cannot be reached",
            "Without network, folders and checkpoints downloaded before can be loaded.",
            _USE_SHIPPED,
        )
    return CheckpointError(f"The checkpoint '{name}' cannot be loaded: {text[:400]}", "", _USE_SHIPPED)
