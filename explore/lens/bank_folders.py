"""Whether a folder can take a bank: it is empty, or holds the same bank, finished or not."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from explore.errors import ParameterError
from explore.lens.bank_files import FORMAT, MANIFEST, PLAN, read_json

_HARMLESS = ("model.versions", "model.device")
"""What may have changed since a bank was finished: it changes rounding, and there is nothing more to be made."""
_FROM_FINISHED = ("norms", "files")
_CONSEQUENCES = ("selection.digest", "rows", "sentences", "parts")
"""Named only where nothing that decides them has changed."""


def claimed_folder(path: str | os.PathLike[str]) -> Path:
    """The folder, made if it is not there.

    Raises
    ------
    ParameterError
        It cannot be made, or holds something that is no bank.
    """
    folder = Path(path).expanduser()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        found = sorted(each.name for each in folder.iterdir() if not each.name.startswith("."))
    except OSError as error:
        raise ParameterError(f"'{folder}' cannot be made a folder for a bank: {error.strerror or error}") from error
    if found and not {MANIFEST, PLAN} & set(found):
        raise ParameterError(
            f"'{folder}' holds other files, such as '{found[0]}'", "A bank has a folder of its own.", "Name a new one."
        )
    return folder


def require_same_settings(folder: Path, settings: Mapping[str, Any]) -> bool:
    """Whether the folder holds the very bank that is wanted, finished.

    Raises
    ------
    ParameterError
        It holds one of other settings, finished or begun; the message says which.
    """
    finished = (folder / MANIFEST).is_file()
    if not finished and not (folder / PLAN).is_file():
        return False
    known = read_json(folder / (MANIFEST if finished else PLAN))
    if known.get("format") != FORMAT:
        raise ParameterError(
            f"'{folder}' holds a {MANIFEST} that is of no bank", "A bank has a folder of its own.", "Name a new one."
        )
    wanted = json.loads(json.dumps(settings))
    for name in _FROM_FINISHED:
        known.pop(name, None)
    changed = dict(_differences(known, wanted))
    if finished:
        changed = {name: words for name, words in changed.items() if not name.startswith(_HARMLESS)}
    if changed:
        causes = [words for name, words in changed.items() if name not in _CONSEQUENCES]
        raise ParameterError(
            f"'{folder}' holds a bank of other settings: {'; '.join(causes or changed.values())}",
            "A folder holds one bank.",
            "Name another folder, or remove this one.",
        )
    return finished


def _differences(known: Any, wanted: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Names of entries that are not the same, and the difference in words."""
    if isinstance(known, dict) and isinstance(wanted, dict):
        for key in [*known, *(each for each in wanted if each not in known)]:
            yield from _differences(known.get(key), wanted.get(key), f"{name}.{key}" if name else key)
    elif known != wanted:
        yield name, f"{name} {json.dumps(known)}, not {json.dumps(wanted)}"
