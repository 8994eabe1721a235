"""The job bar: what is running, how far it is, and a button that stops it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

import traitlets

from explore.jobs import Job
from explore.sessions import Session, session
from widgets.base import View

RECENT = 3
"""How many jobs that ended stay in sight."""


class JobBar(View):
    """Progress and cancel for the jobs of a session, or for one job.

    Parameters
    ----------
    source : Session or Job, optional
        Whose jobs are shown; by default those of the kernel's session.

    Examples
    --------
    >>> job = explore.session().submit(runner.ask, "photo.jpg", "What is this?")
    >>> JobBar(job)
    """

    static = "job_bar"
    styles = ("jobs",)

    jobs: Any = traitlets.List().tag(sync=True)

    def __init__(self, source: Session | Job[Any] | None = None, **traits: Any) -> None:
        self._source = source if source is not None else session()
        self._turn = threading.RLock()
        super().__init__(jobs=job_states(self._shown()), **traits)
        self._unobserve: Callable[[], None] = self._source.observe(self._refresh)
        self._refresh()  # something may have changed before anybody observed

    def close(self) -> None:
        """Take the bar away; the jobs go on."""
        self._unobserve()
        super().close()

    def handlers(self) -> dict[str, Callable[..., None]]:
        return {"cancel": self._cancel}

    def _shown(self) -> list[Job[Any]]:
        if isinstance(self._source, Job):
            return [self._source]
        jobs = self._source.jobs
        return [job for job in jobs if job.done][-RECENT:] + [job for job in jobs if not job.done]

    def _refresh(self, _changed: object = None) -> None:
        """Called from the thread that made the change; a trait's new value goes out from any thread."""
        with self._turn:  # or the slower of two threads could bring back an older state
            self.jobs = job_states(self._shown())

    def _cancel(self, id: int) -> None:
        for job in self._shown():
            if job.id == id:
                job.cancel()


def job_states(jobs: Sequence[Job[Any]]) -> list[dict[str, Any]]:
    """Jobs for ``static/jobs.js``."""
    return [
        {
            "id": job.id,
            "name": job.name,
            "state": job.state,
            "progress": job.progress,
            "message": str(job.error) if job.state == "failed" else job.message,
        }
        for job in jobs
    ]
