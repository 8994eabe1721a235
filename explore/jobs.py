"""Jobs: long work off the kernel's main thread, with progress, cancel and a result.

A widget can show a job without asking for it: observers are called on every change. Cancelling is cooperative. Whoever
does the work calls its :class:`Progress`, or, deep inside a model where nobody handed one down,
:func:`check_cancelled`; both raise :class:`~explore.errors.Cancelled`. The thread that runs them is
:class:`explore.workers.Worker`.
"""

from __future__ import annotations

import itertools
import threading
import time
import traceback
from collections.abc import Callable
from typing import Any, Generic, Literal, TypeVar

from explore.errors import Cancelled, ExploreError, JobError
from explore.observers import Observers

T = TypeVar("T")
State = Literal["queued", "running", "done", "failed", "cancelled"]
Observer = Callable[["Job[Any]"], None]

_ids = itertools.count(1)
_here = threading.local()
# A browser cannot show more than this, and every notification may become a message to one.
_NOTIFY_SECONDS = 0.05


class Progress:
    """What work that can report is handed: ``progress(0.3, "layer 4 of 12")``.

    Raises
    ------
    Cancelled
        From :meth:`__call__` and :meth:`check`, once the job was cancelled.
    """

    def __init__(self, job: Job[Any]) -> None:
        self._job = job
        self._notified = 0.0

    def __call__(self, fraction: float | None = None, message: str = "") -> None:
        """Report a fraction done in [0, 1] (None: not known) and what is being done."""
        self.check()
        self._job.progress = None if fraction is None else min(max(float(fraction), 0.0), 1.0)
        self._job.message = message
        now = time.monotonic()
        if now - self._notified >= _NOTIFY_SECONDS:
            self._notified = now
            self._job._changed()

    def check(self) -> None:
        """Only stop here if the job was cancelled."""
        if self._job._cancel_asked.is_set():
            raise Cancelled(f"'{self._job.name}' was cancelled.", next="Run it again when you want its result.")


class Job(Generic[T]):
    """One piece of work in a worker's queue.

    Attributes
    ----------
    id : int
        Unique in this process.
    name : str
        What a person is shown.
    state : {"queued", "running", "done", "failed", "cancelled"}
    progress : float or None
        Fraction done in [0, 1]; None where the work does not report one.
    message : str
        What is being done right now.
    error : BaseException or None
        What the work raised, once ``state`` is "failed" or "cancelled".
    """

    def __init__(self, name: str, call: Callable[[Progress], T], in_worker: Callable[[], bool]) -> None:
        self.id = next(_ids)
        self.name = name
        self.state: State = "queued"
        self.progress: float | None = None
        self.message = ""
        self.error: BaseException | None = None
        self._call: Callable[[Progress], T] | None = call
        # The bound method holds the worker, which nobody else may hold: it must live until this job ends.
        self._in_worker = in_worker
        self._value: T | None = None
        self._cancel_asked = threading.Event()
        self._finished = threading.Event()
        self._lock = threading.Lock()
        self._observers = Observers()

    @property
    def done(self) -> bool:
        """Whether nothing more will happen: done, failed or cancelled."""
        return self._finished.is_set()

    def observe(self, callback: Observer) -> Callable[[], None]:
        """Call ``callback(job)`` on every change, from the thread that made it; returns what stops this."""
        return self._observers.add(callback)

    def cancel(self) -> bool:
        """Ask for a stop: at once where the job still waits, else at its next check.

        Returns
        -------
        bool
            False where the job had already ended.
        """
        self._cancel_asked.set()
        with self._lock:
            waiting = self.state == "queued"
            if waiting:
                self.state = "cancelled"
                self.error = Cancelled(f"'{self.name}' was cancelled before it began.")
                self._call = None
        if waiting:
            self._end()
        return waiting or not self.done

    def result(self, timeout: float | None = None) -> T:
        """Wait for the result.

        Parameters
        ----------
        timeout : float, optional
            Seconds to wait; None waits for as long as it takes.

        Raises
        ------
        JobError
            Called from the worker thread that would have to do the work.
        TimeoutError
            Not ended within ``timeout``.
        BaseException
            Whatever the work raised; :class:`~explore.errors.Cancelled` for a cancelled job.
        """
        if not self.done and self._in_worker():
            raise JobError(
                f"'{self.name}' was awaited from the worker thread that has to run it, which would wait for ever.",
                next="Call the function itself inside a job, or await the job from outside.",
            )
        if not self._finished.wait(timeout):
            raise TimeoutError(f"'{self.name}' is {self.state} after {timeout} s; await it longer or cancel() it.")
        if self.error is not None:
            raise self.error
        return self._value  # type: ignore[return-value]

    def _run(self) -> None:
        with self._lock:
            if self.state != "queued":
                return
            self.state = "running"
            call, self._call = self._call, None
        assert call is not None
        self._changed()
        _here.progress = progress = Progress(self)
        try:
            self._value = call(progress)
            state: State = "done"
        except Cancelled as error:
            self.error, state = error, "cancelled"
        except BaseException as error:
            self.error, state = error, "failed"
        finally:
            _here.progress = None
            del call  # and with it the arguments, before anybody hears that the job has ended
        if self.error is not None:
            _let_go(self.error)
        self.state = state
        self.progress = 1.0 if state == "done" else self.progress
        self._end()

    def _end(self) -> None:
        self._finished.set()
        self._changed()

    def _changed(self) -> None:
        self._observers.notify(self)

    def __repr__(self) -> str:
        share = "" if self.progress is None else f", {self.progress:.0%}"
        return f"<Job {self.id} '{self.name}': {self.state}{share}>"


def check_cancelled() -> None:
    """Raise :class:`~explore.errors.Cancelled` where this thread is running a job that was cancelled.

    For code deep inside a run that no :class:`Progress` reaches, such as a hook on a decoder layer. Outside a job it
    does nothing.
    """
    progress: Progress | None = getattr(_here, "progress", None)
    if progress is not None:
        progress.check()


def _let_go(error: BaseException) -> None:
    """Turn the tracebacks of an error and its causes into a note: they would keep a model alive as long as the job is.

    Clearing their frames is not enough, because a frame keeps its function and with it what that function closed over.
    What the toolkit raises on purpose explains itself and gets no note.
    """
    if not isinstance(error, ExploreError):
        error.add_note("Raised in the worker thread:\n" + "".join(traceback.format_exception(error)))
    link: BaseException | None = error
    while link is not None:
        link.__traceback__ = None
        link = link.__cause__ or link.__context__
