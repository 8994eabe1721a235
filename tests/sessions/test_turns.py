"""One runner at a time computes, and none is closed while it does."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable

import pytest

from explore.errors import Cancelled, RunnerInUseError
from explore.sessions import Session
from tests.sessions.stand_ins import Loader, StandIn, in_threads, names
from tests.turns import WAIT, Meeting


@pytest.mark.parametrize("other", ["a", "b"], ids=["on one runner", "on two"])
def test_two_threads_take_turns(session: Session, other: str) -> None:
    first, second = session.load("a"), session.load(other)
    meeting = Meeting(lambda: second.ask(during=meeting.inside))
    for runner in session.runners:
        runner.lock = meeting.watched(runner.lock)
    first.ask(during=meeting.inside)
    meeting.end()
    assert meeting.entered == ["first", "second"]


def test_threads_that_want_the_same_runner_load_it_once(session: Session, loader: Loader) -> None:
    loader.pause = 0.05
    got: list[StandIn] = []
    assert in_threads(*[lambda: got.append(session.load("a"))] * 6) == []
    assert loader.calls == ["a"]
    assert len(set(map(id, got))) == 1


def test_submitting_does_not_wait_for_a_run_under_way(session: Session) -> None:
    a = session.load("a")
    with session.lock:
        job = session.submit(a.ask)
        assert job.state in ("queued", "running")
        assert session.jobs == [job]
    assert job.result(WAIT) == "a"


def test_close_waits_for_the_run_under_way(session: Session) -> None:
    a = session.load("a")
    begun = threading.Event()

    def close() -> None:
        assert begun.wait(WAIT)
        assert session.close(a) == 100

    assert in_threads(lambda: a.ask(0.1, begun.set), close) == []
    assert a.closed


def test_loading_another_runner_does_not_evict_one_in_the_middle_of_a_run(session: Session) -> None:
    a, _ = session.load("a"), session.load("b")
    begun = threading.Event()

    def load() -> None:
        assert begun.wait(WAIT)
        session.load("c")
        session.load("d")

    assert in_threads(lambda: a.ask(0.1, begun.set), load) == []
    assert a.closed


def test_a_runner_is_not_evicted_from_inside_its_own_run(session: Session) -> None:
    a = session.load("a")
    assert a.ask(during=lambda: [session.load(name) for name in "bcd"]) == "a"
    assert "a" in names(session)


def test_a_runner_cannot_be_closed_from_inside_its_own_run(session: Session) -> None:
    a = session.load("a")
    b = session.load("b")
    with pytest.raises(RunnerInUseError, match="inside its own run"):
        a.ask(during=lambda: session.close(a))
    with pytest.raises(RunnerInUseError):
        a.ask(during=session.close)
    assert (a.closed, b.closed) == (False, False)
    assert session.runners == (b, a)


def test_threads_that_load_ask_and_close_at_random_never_meet_a_runner_closed_in_use(session: Session) -> None:
    def live(names: str) -> Callable[[], None]:
        def life() -> None:
            for name in names:
                with session.lock:  # between load and ask a runner may be evicted: hold the turn for both
                    assert session.load(name).ask(0.001) == name
                if name == "d":
                    session.close()
                    continue
                with contextlib.suppress(Cancelled):  # by another thread's close
                    session.submit(int).result(WAIT)

        return life

    assert in_threads(live("abcdab"), live("dcba"), live("aabbccdd")) == []
