"""Which edits are open just now, and in which thread."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from explore.edits import Edit


class OpenEdits:
    """The edits that `Runner.edited` holds open, each thread its own: a job elsewhere is not edited unawares."""

    def __init__(self) -> None:
        self._here = threading.local()

    @property
    def now(self) -> tuple[Edit, ...]:
        """All that are open in this thread, outermost first."""
        found: tuple[Edit, ...] = getattr(self._here, "edits", ())
        return found

    @contextmanager
    def more(self, edits: Sequence[Edit]) -> Iterator[None]:
        """Hold these open besides."""
        before = self.now
        self._here.edits = (*before, *edits)
        try:
            yield
        finally:
            self._here.edits = before
