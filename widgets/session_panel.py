"""The session panel: the loaded models, the memory they take, and a button that closes each."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from typing import Any

import traitlets

from explore import memory
from explore.jobs import Job
from explore.sessions import Session, session
from widgets.base import View


class SessionPanel(View):
    """The runners of a session with bytes, device and a close button.

    Parameters
    ----------
    source : Session, optional
        Whose runners are shown; by default those of the kernel's session.
    """

    static = "session_panel"
    styles = ("session_panel",)

    runners: Any = traitlets.List().tag(sync=True)
    budgets: Any = traitlets.List().tag(sync=True)
    cache = traitlets.Unicode().tag(sync=True)
    message = traitlets.Unicode(help="What the last close freed.").tag(sync=True)

    def __init__(self, source: Session | None = None, **settings: Any) -> None:
        super().__init__(settings)
        self._session = source if source is not None else session()
        self._closing: set[str] = set()
        self._turn = threading.RLock()
        self._unobserve = self._session.observe(self._refresh)
        self._refresh()

    def handlers(self) -> dict[str, Callable[..., None]]:
        return {"close": self._close_runner}

    def _refresh(self, _changed: object = None) -> None:
        with self._turn:  # observers are called from several threads, and the last one must see the newest state
            runners = self._session.runners
            self._closing &= {_key(runner) for runner in runners}
            self.runners = [_runner_state(runner) | {"closing": _key(runner) in self._closing} for runner in runners]
            self.budgets = self._budgets(runners)
            self.cache = memory.readable(self._session.cache.bytes)

    def _budgets(self, runners: tuple[Any, ...]) -> list[dict[str, Any]]:
        """Bytes taken and allowed on each kind of device in use; the disk has no budget."""
        held: dict[str, int] = {}
        for place, count in (each for runner in runners for each in runner.info.places):
            device = place.split(":", 1)[0]
            held[device] = held.get(device, 0) + count
        states = []
        for device, used in held.items():
            if device == "disk":
                continue
            budget = self._session.budget(device)
            text = f"{memory.readable(used)} of {memory.readable(budget)}"
            states.append({"device": device, "share": min(1.0, used / budget), "text": text})
        return states

    def _close_runner(self, key: str) -> None:
        """Close a runner behind the jobs that wait for it: a comm callback must not wait for a run to end."""
        for runner in self._session.runners:
            if _key(runner) == key:
                self._closing.add(key)
                self._refresh()
                job = self._session.submit(self._session.close, runner, name=f"Close {runner.info.checkpoint}")
                report = functools.partial(self._report, key)
                job.observe(report)
                if job.done:
                    report(job)

    def _report(self, key: str, job: Job[int]) -> None:
        if job.state == "done":
            self.message = f"{memory.readable(job.result())} freed."
        elif job.state == "failed":
            self.error = str(job.error)
        if job.done:
            self._closing.discard(key)  # another model may still wait for its turn
            self._refresh()


def _key(runner: Any) -> str:
    return str(id(runner))


def _runner_state(runner: Any) -> dict[str, Any]:
    info = runner.info
    return {
        "key": _key(runner),
        "checkpoint": info.checkpoint,
        "revision": info.revision or "",
        "device": ", ".join(place for place, _ in info.places),
        "dtype": f"{info.quantization}, {info.dtype}" if info.quantization else info.dtype,
        "size": memory.readable(info.nbytes),
    }
