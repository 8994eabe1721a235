"""Telling others of changes without depending on them."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable

log = logging.getLogger(__name__)


class Observers:
    """Callbacks that are told of changes; one that raises is logged and keeps nobody else from being told."""

    def __init__(self) -> None:
        self._callbacks: dict[int, Callable[..., None]] = {}
        self._keys = itertools.count()

    def add(self, callback: Callable[..., None]) -> Callable[[], None]:
        """Add a callback; the returned function takes it off again and may be called twice."""
        key = next(self._keys)
        self._callbacks[key] = callback

        def unobserve() -> None:
            self._callbacks.pop(key, None)

        return unobserve

    def notify(self, *args: object) -> None:
        for callback in list(self._callbacks.values()):
            try:
                callback(*args)
            except Exception:
                log.exception("an observer failed on %s", args)
