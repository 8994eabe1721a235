"""Runners and loaders that compute nothing. Real runners in a session: tests/test_session_runs.py."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from explore.errors import OutOfMemoryError
from explore.sessions import Session
from tests.turns import WAIT


@dataclass
class Info:
    checkpoint: str
    revision: str | None
    dtype: str
    device: str
    nbytes: int = 100
    quantization: str = ""
    spread: tuple[tuple[str, int], ...] = ()

    @property
    def places(self) -> tuple[tuple[str, int], ...]:
        return self.spread or ((self.device, self.nbytes),)


class StandIn:
    """A runner that computes nothing, holds the session's lock while it runs, and notices being closed meanwhile."""

    def __init__(
        self,
        checkpoint: str | None,
        device: Any,
        dtype: Any,
        revision: str | None,
        lock: Any,
        cache: Any,
        device_map: Any = None,
        quantization: str | None = None,
    ):
        dtype = str(dtype or "float32").removeprefix("torch.")
        self.info = Info(checkpoint or "sketch", revision, dtype, str(device or "cpu"))
        self.info.quantization = quantization or ""
        self.lock, self.cache = lock, cache
        self.closed = False

    def ask(self, seconds: float = 0.0, during: Callable[[], object] | None = None) -> str:
        with self.lock:
            assert not self.closed, "asked after close"
            if during is not None:
                during()
            time.sleep(seconds)
            assert not self.closed, "closed in the middle of a run"
            return self.info.checkpoint

    def close(self) -> None:
        self.closed = True


class Loader:
    """Counts its calls; sizes and failures are set by the test."""

    def __init__(self) -> None:
        self.calls: list[str | None] = []
        self.trusted: list[bool] = []
        self.sizes: dict[str | None, int] = {}
        self.spreads: dict[str | None, tuple[tuple[str, int], ...]] = {}
        self.fail_while: Callable[[], bool] = lambda: False
        self.pause = 0.0

    def __call__(self, checkpoint: str | None, *, trust_remote_code: bool, **request: Any) -> StandIn:
        self.calls.append(checkpoint)
        self.trusted.append(trust_remote_code)
        time.sleep(self.pause)
        if self.fail_while():
            raise OutOfMemoryError("no room")
        runner = StandIn(checkpoint, **request)
        runner.info.nbytes = self.sizes.get(checkpoint, 100)
        runner.info.spread = self.spreads.get(checkpoint, ())
        return runner


def names(session: Session) -> list[str]:
    return [runner.info.checkpoint for runner in session.runners]


def in_threads(*calls: Callable[[], object]) -> list[BaseException]:
    """Run calls at once, each in a thread of its own; returns what they raised."""
    failures: list[BaseException] = []

    def guarded(call: Callable[[], object]) -> None:
        try:
            call()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=guarded, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT)
        assert not thread.is_alive(), "deadlock"
    return failures
