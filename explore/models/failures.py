"""What the library raises while a checkpoint is loaded or reads a prompt, in words a person can act on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from explore.errors import CheckpointError, ExploreError, RemoteCodeError
from explore.models.guards import is_memory_error
from explore.models.sources import SHIPPED, USE_SHIPPED, folder_of

_NEEDS = (
    r"`pip install ([^`]+)`",
    r"pip install (?:-U )?(\S+)",
    r"requires the (\S+) library",
    r"No module named '(\w+)",
)


@contextmanager
def explaining(name: str, options: dict[str, Any]) -> Iterator[None]:
    """Put what the library raises while it loads into the words of ours.

    Parameters
    ----------
    name
        The checkpoint's.
    options
        What the library was told of where to look.

    Raises
    ------
    CheckpointError, RemoteCodeError
        For whatever was raised inside; running out of memory is left as it is.
    """
    try:
        yield
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
    if offline and name not in SHIPPED and not folder_of(name).is_dir():
        return CheckpointError(
            f"The checkpoint '{name}' is not on this machine, and the hub cannot be reached",
            "Without network, folders and checkpoints downloaded before can be loaded.",
            USE_SHIPPED,
        )
    package = _missing_package(error, text)
    if package is not None:
        return CheckpointError(
            f"The checkpoint '{name}' needs a package that is not installed: {text[:400]}",
            "Some checkpoints need more than the toolkit does.",
            f"Install it with: pip install {package}",
        )
    return CheckpointError(f"The checkpoint '{name}' cannot be loaded: {text[:400]}", "", USE_SHIPPED)


def _missing_package(error: Exception, text: str) -> str | None:
    """The package that an import lacked, by the library's instructions or by Python's words."""
    if not isinstance(error, ImportError):
        return None
    named = next(filter(None, (re.search(each, text) for each in _NEEDS)), None)
    return named and named[1].lower()


@contextmanager
def processor_failures(processor: Any) -> Iterator[None]:
    """What a checkpoint's processor stumbles over, in words.

    Raises
    ------
    CheckpointError
        It could not make inputs of what it was given.
    """
    try:
        yield
    except (ValueError, TypeError, RuntimeError, IndexError, KeyError, AttributeError) as error:
        if isinstance(error, ExploreError) or is_memory_error(error):
            raise
        said = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise CheckpointError(
            f"The checkpoint's {type(processor).__name__} cannot make inputs of this: {said}",
            "Some take several pictures only if they are of one size, or only one.",
            "Try one picture, or bring them to one size.",
        ) from error
