"""What a method room may expect of a runner, and nothing more.

Rooms that need another run are handed something that fits this protocol: the real runner, one on another machine, or a
test double.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from explore.trace import Trace

Report = Callable[[float | None, str], None]
"""Called with the fraction done and a message; raises `explore.errors.Cancelled` when the run shall stop."""


class InfoLike(Protocol):
    """The facts about a loaded model that methods use."""

    @property
    def layers(self) -> int: ...
    @property
    def heads(self) -> int: ...
    @property
    def kv_heads(self) -> int: ...
    @property
    def width(self) -> int: ...
    @property
    def vocab(self) -> int: ...
    @property
    def context_length(self) -> int: ...
    @property
    def dtype(self) -> str: ...
    @property
    def device(self) -> str: ...
    @property
    def nbytes(self) -> int: ...
    @property
    def checkpoint(self) -> str: ...
    @property
    def revision(self) -> str: ...


class RunnerLike(Protocol):
    """A model that can be asked."""

    @property
    def info(self) -> InfoLike: ...

    @property
    def fingerprint(self) -> dict[str, Any]:
        """What identifies the model: checkpoint, revision, dtype and versions."""
        ...

    def ask(
        self,
        image: Any,
        question: str,
        *,
        max_new_tokens: int = 64,
        record: Any = None,
        progress: Report | None = None,
    ) -> Trace:
        """Generate an answer and record the run."""
        ...

    def read(
        self,
        image: Any,
        question: str,
        answer: str | Sequence[int],
        *,
        record: Any = None,
        progress: Report | None = None,
    ) -> Trace:
        """Record one forward pass over a given answer."""
        ...

    def answers(
        self,
        pairs: Sequence[tuple[Any, str]],
        *,
        max_new_tokens: int = 64,
        batch_size: int = 16,
        progress: Report | None = None,
    ) -> list[str]:
        """Answers to many questions, without recording."""
        ...
