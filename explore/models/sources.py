"""From the name of a checkpoint to where it lies: the shipped model, a folder, or the hub.

Nothing here waits for a network that is not there: one short request decides whether the hub can be reached, and if
not only the local cache is used.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from explore.errors import CheckpointError, ParameterError

_WEIGHTS = Path(__file__).parents[1] / "sketch" / "weights"
SHIPPED = {"sketch": _WEIGHTS / "default", "sketch-frozen": _WEIGHTS / "frozen"}

ANSWER_SECONDS = 5.0
USE_SHIPPED = "The model that ships needs no network: explore.load()."


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
            USE_SHIPPED,
        )
    return str(os.fspath(checkpoint))


def locate(name: str, revision: str | None) -> tuple[str, dict[str, Any]]:
    """Where to load from, and the options that keep the library from waiting for a network.

    Raises
    ------
    CheckpointError
        There is no checkpoint there.
    ParameterError
        A revision was given for something that has none.
    """
    if name in SHIPPED:
        if not (SHIPPED[name] / "config.json").is_file():
            raise CheckpointError(
                f"The shipped model '{name}' is missing from this installation",
                f"It belongs in '{SHIPPED[name]}'.",
                "Install the toolkit again, or train it with the scripts in explore/sketch.",
            )
        _refuse_revision(name, revision)
        return str(SHIPPED[name]), {"local_files_only": True}
    folder = folder_of(name)
    if folder.is_dir():
        _refuse_revision(name, revision)
        if not (folder / "config.json").is_file():
            raise CheckpointError(
                f"The folder '{name}' holds no config.json",
                "A checkpoint folder is what save_pretrained writes, processor included.",
                USE_SHIPPED,
            )
        return str(folder), {"local_files_only": True}
    if name.startswith(("/", "./", "../", "~")) or folder.is_file() or name.count("/") > 1:
        raise CheckpointError(
            f"There is no folder '{name}'",
            "A checkpoint is a folder, or a name on the hub such as 'llava-hf/llava-1.5-7b-hf'.",
            USE_SHIPPED,
        )
    return name, {"revision": revision, "local_files_only": not hub_answers()}


def folder_of(name: str) -> Path:
    """The path a name may mean.

    Raises
    ------
    CheckpointError
        No path can be made of it.
    """
    try:
        path = Path(name).expanduser()
        path.is_dir()  # a name too long for a file system fails here
    except (RuntimeError, OSError, ValueError):
        raise CheckpointError(
            f"The checkpoint '{name[:80]}' is neither a folder nor a name on the hub",
            "A checkpoint is a folder, or a name on the hub such as 'llava-hf/llava-1.5-7b-hf'.",
            USE_SHIPPED,
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
