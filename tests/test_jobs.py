"""Jobs: results, errors, progress, cancel, observers, and what is kept alive by them."""

from __future__ import annotations

import gc
import logging
import subprocess
import sys
import threading
import weakref
from collections.abc import Iterator

import pytest

from explore.errors import Cancelled, JobError, ParameterError
from explore.jobs import Job, Progress, check_cancelled
from explore.workers import Worker

WAIT = 60.0  # seconds before a deadlock is declared; machines that test are busy ones


@pytest.fixture
def worker() -> Iterator[Worker]:
    worker = Worker("test-worker")
    yield worker
    assert worker.close(timeout=WAIT), "the worker thread did not end"


class Gate:
    """Work that says when it has begun and waits to be let through, looking for a cancel all the while."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.open = threading.Event()

    def __call__(self, progress: Progress) -> str:
        self.begun.set()
        while not self.open.wait(0.005):
            progress.check()
        return "through"


def test_result_comes_from_one_other_thread(worker: Worker) -> None:
    idents = {worker.submit(threading.get_ident).result(WAIT) for _ in range(5)}
    assert len(idents) == 1
    assert idents != {threading.get_ident()}


def test_jobs_run_one_at_a_time_in_order(worker: Worker) -> None:
    seen: list[str] = []

    def note(number: int) -> None:
        seen.append(f"{number} in")
        seen.append(f"{number} out")

    submitters = [worker.submit(note, number) for number in range(20)]
    for job in submitters:
        job.result(WAIT)
    assert seen == [f"{number} {way}" for number in range(20) for way in ("in", "out")]


def test_submitting_from_many_threads_loses_no_job(worker: Worker) -> None:
    jobs: list[Job[int]] = []
    threads = [
        threading.Thread(target=lambda base=base: jobs.extend(worker.submit(int, base + k) for k in range(25)))
        for base in range(0, 200, 25)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT)
    assert sorted(job.result(WAIT) for job in jobs) == list(range(200))
    assert len({job.id for job in jobs}) == 200


def test_arguments_and_name_arrive(worker: Worker) -> None:
    job = worker.submit(lambda a, *, b: a - b, 7, b=3, name="subtract")
    assert (job.result(WAIT), job.name, job.state, job.progress) == (4, "subtract", "done", 1.0)


def test_progress_is_handed_only_to_work_that_takes_it(worker: Worker) -> None:
    def takes(progress: Progress) -> type:
        return type(progress)

    def given(progress: str) -> str:
        return progress

    assert worker.submit(takes).result(WAIT) is Progress
    assert worker.submit(given, progress="mine").result(WAIT) == "mine"
    assert worker.submit(max, 3, 5).result(WAIT) == 5


def test_progress_is_shown_and_clamped(worker: Worker) -> None:
    shown: list[tuple[float | None, str]] = []
    job: Job[None]

    def work(progress: Progress) -> None:
        progress(0.25, "a quarter")
        shown.append((job.progress, job.message))
        progress(7.0, "too far")
        shown.append((job.progress, job.message))
        progress(None, "who knows")
        shown.append((job.progress, job.message))

    job = worker.prepare(work)
    worker.start(job)
    job.result(WAIT)
    assert shown == [(0.25, "a quarter"), (1.0, "too far"), (None, "who knows")]


def test_observers_see_every_state_but_are_not_flooded(worker: Worker) -> None:
    def work(progress: Progress) -> None:
        for step in range(1000):
            progress(step / 1000)

    states: list[str] = []
    job = worker.prepare(work)
    job.observe(lambda job: states.append(job.state))
    worker.start(job)
    job.result(WAIT)
    worker.submit(int).result(WAIT)  # the last notification may come after result() returned
    assert states[0] == "running"
    assert states[-1] == "done"
    assert len(states) < 200


def test_unobserved_means_unobserved(worker: Worker) -> None:
    calls: list[Job[int]] = []
    job = worker.prepare(int)
    stop = job.observe(calls.append)
    stop()
    stop()
    worker.start(job)
    job.result(WAIT)
    assert calls == []


def test_a_failing_observer_kills_neither_worker_nor_other_observers(
    worker: Worker, caplog: pytest.LogCaptureFixture
) -> None:
    calls: list[str] = []

    def fail(job: Job[int]) -> None:
        raise RuntimeError("observer is broken")

    job = worker.prepare(int, "41")
    job.observe(fail)
    job.observe(lambda job: calls.append(job.state))
    with caplog.at_level(logging.ERROR):
        worker.start(job)
        assert job.result(WAIT) == 41
        assert worker.submit(int, "42").result(WAIT) == 42
    assert calls == ["running", "done"]
    assert "observer is broken" in caplog.text


def test_an_error_is_kept_and_raised_where_the_result_is_wanted(worker: Worker) -> None:
    job = worker.submit(int, "not a number")
    with pytest.raises(ValueError, match="not a number"):
        job.result(WAIT)
    assert job.state == "failed"
    assert isinstance(job.error, ValueError)
    assert worker.submit(int, "5").result(WAIT) == 5


def test_even_system_exit_stays_in_the_job(worker: Worker) -> None:
    def leave() -> None:
        raise SystemExit(3)

    with pytest.raises(SystemExit):
        worker.submit(leave).result(WAIT)
    assert worker.submit(int, "5").result(WAIT) == 5


def test_cancel_of_a_running_job_stops_it_at_its_next_check(worker: Worker) -> None:
    gate = Gate()
    job = worker.submit(gate)
    assert gate.begun.wait(WAIT)
    assert job.cancel()
    with pytest.raises(Cancelled, match="Gate"):
        job.result(WAIT)
    assert job.state == "cancelled"
    assert not job.cancel()
    assert worker.submit(int, "5").result(WAIT) == 5


def test_cancel_reaches_work_that_was_handed_no_progress(worker: Worker) -> None:
    begun = threading.Event()

    def deep() -> None:
        begun.set()
        while True:
            check_cancelled()

    job = worker.submit(deep)
    assert begun.wait(WAIT)
    job.cancel()
    with pytest.raises(Cancelled):
        job.result(WAIT)


def test_check_cancelled_does_nothing_outside_a_job_nor_in_the_next_one(worker: Worker) -> None:
    check_cancelled()
    gate = Gate()
    job = worker.submit(gate)
    assert gate.begun.wait(WAIT)
    job.cancel()
    worker.submit(check_cancelled).result(WAIT)


def test_cancel_of_a_queued_job_ends_it_at_once_and_it_never_runs(worker: Worker) -> None:
    gate, ran = Gate(), []
    first = worker.submit(gate)
    assert gate.begun.wait(WAIT)
    second = worker.submit(ran.append, 1)
    states: list[str] = []
    second.observe(lambda job: states.append(job.state))
    assert second.cancel()
    assert (second.state, second.done) == ("cancelled", True)
    with pytest.raises(Cancelled, match="before it began"):
        second.result(0)
    gate.open.set()
    assert first.result(WAIT) == "through"
    worker.submit(int).result(WAIT)
    assert ran == []
    assert states == ["cancelled"]


def test_work_that_finishes_despite_a_cancel_keeps_its_result(worker: Worker) -> None:
    begun, go = threading.Event(), threading.Event()

    def deaf() -> str:
        begun.set()
        go.wait(WAIT)
        return "finished"

    job = worker.submit(deaf)
    assert begun.wait(WAIT)
    job.cancel()
    go.set()
    assert job.result(WAIT) == "finished"
    assert job.state == "done"


def test_a_result_that_is_late_says_so(worker: Worker) -> None:
    gate = Gate()
    job = worker.submit(gate)
    with pytest.raises(TimeoutError, match="Gate"):
        job.result(timeout=0.02)
    gate.open.set()
    assert job.result(WAIT) == "through"


def test_awaiting_a_job_from_its_own_worker_is_refused_not_a_deadlock(worker: Worker) -> None:
    def nested() -> int:
        return worker.submit(int, "5", name="inner").result()

    with pytest.raises(JobError, match="inner"):
        worker.submit(nested).result(WAIT)

    ended = worker.submit(int, "6")
    ended.result(WAIT)
    assert worker.submit(lambda: ended.result()).result(WAIT) == 6


def test_two_workers_may_await_each_other(worker: Worker) -> None:
    other = Worker()
    assert worker.submit(lambda: other.submit(int, "5").result(WAIT)).result(WAIT) == 5
    assert other.close(WAIT)


def test_close_cancels_what_runs_and_what_waits_and_takes_no_more() -> None:
    worker, gate = Worker(), Gate()
    running = worker.submit(gate)
    assert gate.begun.wait(WAIT)
    waiting = worker.submit(int)
    assert worker.close(timeout=WAIT)
    assert (running.state, waiting.state) == ("cancelled", "cancelled")
    with pytest.raises(JobError, match="closed"):
        worker.submit(int)
    assert worker.close(timeout=WAIT)


def test_close_from_inside_a_job_does_not_wait_for_itself() -> None:
    worker = Worker()
    assert worker.submit(worker.close).result(WAIT) is False
    assert worker.close(timeout=WAIT)


def test_an_abandoned_worker_finishes_its_jobs_and_its_thread_ends() -> None:
    before = set(threading.enumerate())
    assert Worker("abandoned").submit(int, "5").result(WAIT) == 5
    gc.collect()
    for thread in set(threading.enumerate()) - before:
        thread.join(WAIT)
    assert not [thread for thread in threading.enumerate() if thread.name == "abandoned"]


def test_the_interpreter_can_exit_while_a_job_runs() -> None:
    code = (
        "import threading; from explore.workers import Worker; begun = threading.Event()\n"
        "def work(progress):\n    begun.set()\n    while True: progress.check()\n"
        "worker = Worker(); job = worker.submit(work); assert begun.wait(60); print('bye')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=WAIT, check=True)
    assert (done.stdout, done.stderr) == ("bye\n", "")


class Big:
    """Something whose death can be observed."""


def test_a_finished_job_keeps_its_arguments_alive_no_longer(worker: Worker) -> None:
    big = Big()
    ghost = weakref.ref(big)
    job = worker.submit(lambda big: None, big)
    job.result(WAIT)
    del big
    worker.submit(int).result(WAIT)
    gc.collect()
    assert ghost() is None


def test_a_failed_job_keeps_neither_frames_nor_closures_of_its_error_alive(worker: Worker) -> None:
    ghosts: list[weakref.ref[Big]] = []

    def fail() -> None:
        big = Big()
        ghosts.append(weakref.ref(big))

        def inner() -> None:
            raise KeyError(type(big).__name__)

        try:
            inner()
        except KeyError as error:
            raise ValueError("effect") from error

    job = worker.submit(fail)
    with pytest.raises(ValueError, match="effect"):
        job.result(WAIT)
    worker.submit(int).result(WAIT)
    gc.collect()
    assert ghosts[0]() is None
    assert isinstance(job.error, ValueError)
    (note,) = job.error.__notes__
    assert "in inner" in note, "where it happened can still be read"
    assert "KeyError: 'Big'" in note


def test_an_error_that_explains_itself_gets_no_traceback_as_a_note(worker: Worker) -> None:
    def fail() -> None:
        raise ParameterError("keep=0 was given", "At least 1")

    job = worker.submit(fail)
    with pytest.raises(ParameterError):
        job.result(WAIT)
    assert not hasattr(job.error, "__notes__")


def test_repr_says_what_and_how_far(worker: Worker) -> None:
    job = worker.submit(int, name="count")
    job.result(WAIT)
    assert repr(job) == f"<Job {job.id} 'count': done, 100%>"
