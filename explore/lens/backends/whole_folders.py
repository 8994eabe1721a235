"""An index of several files that appears in one step: made in a folder beside its place, which then takes it."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from explore.errors import ParameterError


@contextmanager
def published(target: Path) -> Iterator[Path]:
    """A folder to write into; after the block it is `target`, after an error it is gone.

    Raises
    ------
    ParameterError
        The place cannot be written to.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}.", suffix=".part"))
    except OSError as error:
        raise ParameterError(
            f"The index cannot be written to '{target}': {error.strerror or error}", "", "Choose another folder."
        ) from error
    try:
        yield made
        if target.exists():
            shutil.rmtree(target)
        os.chmod(made, 0o777 & ~_mask())  # mkdtemp makes folders private; a bank may be shared
        os.replace(made, target)
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _mask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
