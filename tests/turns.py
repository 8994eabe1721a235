"""Proof that two threads take turns, without waiting to see whether they happen to collide.

The second thread is started from inside the first one's turn, and the first goes on only when the second has either
found the lock taken or got in. So a missing lock is seen every time.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

WAIT = 60.0  # seconds before a deadlock is declared; machines that test are busy ones


class Meeting:
    """Two calls that want the same place: the test makes the first, a thread of its own makes `second`.

    Parameters
    ----------
    second
        Called in the other thread, once the first call is inside.

    Attributes
    ----------
    entered : list of str
        "first" and "second" as each comes in; "second meets first" where there are then two.
    """

    def __init__(self, second: Callable[[], object]) -> None:
        self.entered: list[str] = []
        self._thread = threading.Thread(target=second)
        self._settled = threading.Event()
        self._first_is_inside = False

    def watched(self, lock: Any) -> WatchedLock:
        """The lock to use in place of `lock`."""
        return WatchedLock(lock, self._settled.set)

    def inside(self) -> None:
        """To be called once by each, where only one may be."""
        if threading.current_thread() is self._thread:
            self.entered.append("second meets first" if self._first_is_inside else "second")
            self._settled.set()
            return
        self.entered.append("first")
        self._first_is_inside = True
        self._thread.start()
        assert self._settled.wait(WAIT), "the second call neither waited nor came in"
        self._first_is_inside = False

    def end(self) -> None:
        """Wait until the second call is over."""
        self._thread.join(WAIT)
        assert not self._thread.is_alive(), "deadlock"


class WatchedLock:
    """A lock that says when somebody finds it taken."""

    def __init__(self, lock: Any, refused: Callable[[], None]) -> None:
        self._lock, self._refused = lock, refused

    def __enter__(self) -> None:
        if not self._lock.acquire(blocking=False):
            self._refused()
            self._lock.acquire()

    def __exit__(self, *exc: object) -> None:
        self._lock.release()
