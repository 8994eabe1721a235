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

    def __init__(self, source: Session | Job[Any] | None = None, **settings: Any) -> None:
        super().__init__(settings)
        self._source = source if source is not None else session()
        self._mirror = JobMirror(self, self._shown)
        self._unobserve = self._source.observe(self._mirror.refresh)
        self._mirror.refresh()

    def handlers(self) -> dict[str, Callable[..., None]]:
        return {"cancel": self._cancel}

    def _shown(self) -> list[Job[Any]]:
        if isinstance(self._source, Job):
            return [self._source]
        jobs = self._source.jobs
        return [job for job in jobs if job.done][-RECENT:] + [job for job in jobs if not job.done]

    def _cancel(self, id: int) -> None:
        for job in self._shown():
            if job.id == id:
                job.cancel()


class JobMirror:
    """Keeps a view's trait ``jobs`` in step with jobs that change on other threads.

    Parameters
    ----------
    view : View
        Has the trait ``jobs``; its module shows it with ``static/jobs.js``.
    shown : callable
        The jobs to show now.
    """

    def __init__(self, view: View, shown: Callable[[], Sequence[Job[Any]]]) -> None:
        self._view = view
        self._shown = shown
        self._turn = threading.RLock()

    def refresh(self, _changed: object = None) -> None:
        """To be called after every change, from whichever thread made it."""
        with self._turn:  # else the slower of two threads could bring back an older state
            self._view.jobs = [_job_state(job) for job in self._shown()]


def _job_state(job: Job[Any]) -> dict[str, Any]:
    return {
        "id": job.id,
        "name": job.name,
        "state": job.state,
        "progress": job.progress,
        "message": str(job.error) if job.state == "failed" else job.message,
    }
