"""Libraries that need not be installed."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from explore.errors import ParameterError


def imported(module: str, package: str, backend: str) -> Any:
    """A module that may be missing.

    Raises
    ------
    ParameterError
        It is missing; the message says what to install.
    """
    try:
        return import_module(module)
    except ImportError as error:
        raise ParameterError(
            f"backend={backend!r} needs the package {package}, and it cannot be imported here: {error}",
            "backend='exact' and backend='signs' need nothing.",
            f"Run pip install {package}.",
        ) from error
