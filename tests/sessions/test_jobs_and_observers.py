"""Which jobs a session remembers, and who hears of changes."""

from __future__ import annotations

from explore.sessions import Session
from tests.turns import WAIT


def test_of_ended_jobs_only_the_last_are_remembered(session: Session) -> None:
    for number in range(60):
        session.submit(int, number, name=str(number)).result(WAIT)
    assert [job.name for job in session.jobs][-1] == "59"
    assert len(session.jobs) <= 21


def test_observers_hear_of_runners_and_jobs(session: Session) -> None:
    seen: list[tuple[int, list[str]]] = []
    stop = session.observe(lambda s: seen.append((len(s.runners), [job.state for job in s.jobs])))
    a = session.load("a")
    assert seen[-1] == (1, [])
    session.submit(int).result(WAIT)
    session.close(a)
    assert (1, ["done"]) in seen
    assert seen[-1][0] == 0
    stop()
    count = len(seen)
    session.load("a")
    assert len(seen) == count
