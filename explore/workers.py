"""The thread that runs jobs, one after the other, so that a kernel's cells and widgets never wait for a model."""

from __future__ import annotations

import inspect
import queue
import threading
import weakref
from collections.abc import Callable
from typing import Any, TypeAlias, TypeVar

from explore.errors import JobError
from explore.jobs import Job, Progress

T = TypeVar("T")
JobQueue: TypeAlias = "queue.SimpleQueue[Job[Any] | None]"

_here = threading.local()


class Worker:
    """One thread that takes jobs from a queue, first come first served.

    The thread starts with the first job. It ends with :meth:`close`, when nobody holds the worker or a job of it any
    more, and, its jobs cancelled, when the interpreter exits.
    """

    def __init__(self, name: str = "explore-worker") -> None:
        self.name = name
        self._queue: JobQueue = queue.SimpleQueue()
        self._jobs: weakref.WeakSet[Job[Any]] = weakref.WeakSet()
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()
        self._stop = weakref.finalize(self, _stop, self._queue, self._jobs, self._threads, 5.0)

    @property
    def closed(self) -> bool:
        return not self._stop.alive

    def is_current(self) -> bool:
        """Whether the caller is on the worker's own thread."""
        return getattr(_here, "queue", None) is self._queue

    def submit(self, fn: Callable[..., T], *args: Any, name: str | None = None, **kwargs: Any) -> Job[T]:
        """Queue ``fn(*args, **kwargs)``.

        Parameters
        ----------
        fn : callable
            Where it takes a keyword ``progress`` and none is given, it is handed its :class:`Progress`.
        name : str, optional
            What a person is shown; the function's name by default.

        Raises
        ------
        JobError
            The worker was closed.
        """
        job = self.prepare(fn, *args, name=name, **kwargs)
        self.start(job)
        return job

    def prepare(self, fn: Callable[..., T], *args: Any, name: str | None = None, **kwargs: Any) -> Job[T]:
        """Make the job of :meth:`submit` without queueing it, so that it can be observed from its very first change."""
        hand_progress = "progress" not in kwargs and _takes_progress(fn)

        def call(progress: Progress) -> T:
            return fn(*args, **kwargs, progress=progress) if hand_progress else fn(*args, **kwargs)

        return Job(name or str(getattr(fn, "__name__", type(fn).__name__)), call, self.is_current)

    def start(self, job: Job[Any]) -> None:
        """Queue a prepared job; raises :class:`JobError` once the worker is closed."""
        with self._lock:
            if self.closed:
                raise JobError(f"'{job.name}' was submitted to a worker that is closed.", next="Open a new session.")
            if not self._threads:
                thread = threading.Thread(target=_work, args=(self._queue,), name=self.name, daemon=True)
                self._threads.append(thread)
                thread.start()
            self._jobs.add(job)
            self._queue.put(job)

    def cancel_all(self) -> int:
        """Cancel every job that has not ended; returns how many that were."""
        return sum(job.cancel() for job in list(self._jobs))

    def close(self, timeout: float | None = None) -> bool:
        """Cancel what is queued or running, take no more, and wait for the thread to end.

        Parameters
        ----------
        timeout : float, optional
            Seconds to wait for a running job to notice; None waits for as long as it takes.

        Returns
        -------
        bool
            Whether the thread has ended. Never so when called from the worker thread itself.
        """
        with self._lock:
            self._stop.detach()
        return _stop(self._queue, self._jobs, self._threads, timeout)


def _work(jobs: JobQueue) -> None:
    """The thread's body. It holds the queue and not the worker, so that an abandoned worker can be collected."""
    _here.queue = jobs
    while (job := jobs.get()) is not None:
        job._run()
        del job  # else the last result stays alive until the next job comes


def _stop(
    jobs: JobQueue, known: weakref.WeakSet[Job[Any]], threads: list[threading.Thread], timeout: float | None
) -> bool:
    for job in list(known):
        job.cancel()
    jobs.put(None)
    for thread in threads:
        if thread is threading.current_thread():
            return False
        thread.join(timeout)
    return not any(thread.is_alive() for thread in threads)


def _takes_progress(fn: Callable[..., object]) -> bool:
    try:
        parameters = inspect.signature(fn).parameters
    except (TypeError, ValueError):  # some built-in functions have no signature to read
        return False
    return "progress" in parameters and parameters["progress"].kind is not inspect.Parameter.POSITIONAL_ONLY
