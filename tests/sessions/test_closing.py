"""What is closed gives its bytes back, and the session goes on."""

from __future__ import annotations

import threading

import pytest

from explore.errors import Cancelled, JobError, ParameterError
from explore.jobs import Progress
from explore.sessions import Session
from tests.sessions.stand_ins import Loader
from tests.turns import WAIT


def test_close_reports_bytes_and_leaves_the_session_usable(session: Session) -> None:
    a, _ = session.load("a"), session.load("b")
    session.cache["result"] = bytes(30)
    assert session.close(a) == 100
    assert session.close() == 130
    assert (session.runners, session.bytes, len(session.cache)) == ((), 0, 0)
    assert session.close() == 0
    assert session.load("a").ask() == "a"
    assert session.submit(int, "5").result(WAIT) == 5


def test_only_own_runners_can_be_closed(session: Session) -> None:
    a = session.load("a")
    session.close(a)
    with pytest.raises(ParameterError, match="not loaded in this session"):
        session.close(a)


def test_a_runner_closed_by_hand_counts_no_more(session: Session) -> None:
    a = session.load("a")
    a.close()
    assert (session.runners, session.bytes) == ((), 0)
    with pytest.raises(ParameterError, match="not loaded"):
        session.close(a)


def test_close_cancels_jobs_and_forgets_them(session: Session) -> None:
    begun = threading.Event()

    def work(progress: Progress) -> None:
        begun.set()
        while True:
            progress.check()

    running, waiting = session.submit(work), session.submit(int)
    assert begun.wait(WAIT)
    session.close()
    for job in (running, waiting):
        with pytest.raises(Cancelled):
            job.result(WAIT)
    session.close()
    assert session.jobs == []
    assert session.submit(int, "5").result(WAIT) == 5


def test_leaving_a_with_block_closes_everything(loader: Loader) -> None:
    with Session(budget_bytes=1000, loader=loader) as session:
        a = session.load("a")
    assert a.closed
    with pytest.raises(JobError, match="closed"):
        session.submit(int)
