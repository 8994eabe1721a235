"""The session with stand-in runners: caching, eviction, closing, turns, observers. Real runners: tests/models."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import explore
from explore import memory
from explore.errors import Cancelled, JobError, OutOfMemoryError, ParameterError, RunnerInUseError
from explore.jobs import Progress
from explore.runner_pool import RunnerPool
from explore.sessions import Session

WAIT = 60.0  # seconds before a deadlock is declared; machines that test are busy ones


@dataclass
class Info:
    checkpoint: str
    revision: str | None
    dtype: str
    device: str
    nbytes: int = 100


class StandIn:
    """A runner that computes nothing, holds the session's lock while it runs, and notices being closed meanwhile."""

    def __init__(self, checkpoint: str | None, device: Any, dtype: Any, revision: str | None, lock: Any, cache: Any):
        dtype = str(dtype or "float32").removeprefix("torch.")
        self.info = Info(checkpoint or "sketch", revision, dtype, str(device or "cpu"))
        self.lock, self.cache = lock, cache
        self.closed = False
        self.running = 0
        self.most_running = 0

    def ask(self, seconds: float = 0.0, during: Callable[[], object] | None = None) -> str:
        with self.lock:
            assert not self.closed, "asked after close"
            self.running += 1
            self.most_running = max(self.most_running, self.running)
            if during is not None:
                during()
            time.sleep(seconds)
            self.running -= 1
            assert not self.closed, "closed in the middle of a run"
            return self.info.checkpoint

    def close(self) -> None:
        self.closed = True


class Loader:
    """Counts its calls; sizes and failures are set by the test."""

    def __init__(self) -> None:
        self.calls: list[str | None] = []
        self.trusted: list[bool] = []
        self.sizes: dict[str | None, int] = {}
        self.fail_while: Callable[[], bool] = lambda: False
        self.pause = 0.0

    def __call__(self, checkpoint: str | None, *, trust_remote_code: bool, **request: Any) -> StandIn:
        self.calls.append(checkpoint)
        self.trusted.append(trust_remote_code)
        time.sleep(self.pause)
        if self.fail_while():
            raise OutOfMemoryError("no room")
        runner = StandIn(checkpoint, **request)
        runner.info.nbytes = self.sizes.get(checkpoint, 100)
        return runner


@pytest.fixture
def loader() -> Loader:
    return Loader()


@pytest.fixture
def session(loader: Loader) -> Iterator[Session]:
    with Session(budget_bytes=250, cache_bytes=1000, loader=loader) as session:
        yield session


def names(session: Session) -> list[str]:
    return [runner.info.checkpoint for runner in session.runners]


def in_threads(*calls: Callable[[], object]) -> list[BaseException]:
    """Run calls at once, each in a thread of its own; returns what they raised."""
    failures: list[BaseException] = []

    def guarded(call: Callable[[], object]) -> None:
        try:
            call()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=guarded, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT)
        assert not thread.is_alive(), "deadlock"
    return failures


def test_the_same_request_gets_the_same_runner(session: Session, loader: Loader) -> None:
    assert session.load("a") is session.load("a")
    assert loader.calls == ["a"]
    assert session.bytes == 100


@pytest.mark.parametrize("other", [{"dtype": "bfloat16"}, {"device": "meta"}, {"revision": "v2"}])
def test_another_dtype_device_or_revision_is_another_runner(session: Session, other: dict[str, str]) -> None:
    assert session.load("a") is not session.load("a", **other)


def test_spellings_of_one_request_get_one_runner(session: Session, loader: Loader, tmp_path: Path) -> None:
    import torch

    first = session.load("a", dtype=torch.bfloat16, device=torch.device("cpu"))
    assert session.load("a", dtype="bfloat16", device="cpu") is first
    folder = session.load(tmp_path)
    assert session.load(str(tmp_path) + "/.") is folder
    assert loader.calls == ["a", tmp_path]


def test_defaults_spelled_out_find_the_runner_loaded_by_default(session: Session, loader: Loader) -> None:
    first = session.load()
    assert session.load("sketch", dtype="float32", device="cpu") is first
    assert loader.calls == [None]


def test_a_request_that_turns_out_to_be_a_loaded_runner_is_not_kept_twice(session: Session) -> None:
    first = session.load("a", dtype="float32", device="cpu")
    assert session.load("a") is first
    assert len(session.runners) == 1


def test_trust_is_passed_on_and_never_assumed(session: Session, loader: Loader) -> None:
    session.load("a")
    session.load("b", trust_remote_code=True)
    assert loader.trusted == [False, True]


def test_the_longest_unused_runner_makes_room(session: Session) -> None:
    a, b = session.load("a"), session.load("b")
    session.load("a")
    c = session.load("c")
    assert session.runners == (a, c)
    assert (a.closed, b.closed) == (False, True)
    assert session.bytes == 200


def test_asking_counts_as_use(session: Session) -> None:
    a, b = session.load("a"), session.load("b")
    a.ask()
    session.load("c")
    assert (a.closed, b.closed) == (False, True)


def test_a_runner_larger_than_the_budget_is_loaded_alone(session: Session, loader: Loader) -> None:
    loader.sizes["huge"] = 1000
    session.load("a")
    session.load("b")
    huge = session.load("huge")
    assert session.runners == (huge,)
    session.load("c")
    assert names(session) == ["c"]


def test_devices_have_budgets_of_their_own(session: Session) -> None:
    for name in "ab":
        session.load(name, device="meta:0")
        session.load(name, device="cpu")
    assert len(session.runners) == 4
    session.load("c", device="meta:1")
    assert len(session.runners) == 4
    assert names(session) == ["a", "b", "b", "c"]


def test_an_evicted_or_closed_runner_is_loaded_again_when_wanted(session: Session, loader: Loader) -> None:
    a = session.load("a")
    session.close(a)
    again = session.load("a")
    assert again is not a
    again.close()  # by hand, behind the session's back
    assert session.load("a") is not again
    assert session.bytes == 100
    assert loader.calls == ["a"] * 3


def test_a_runner_closed_by_hand_counts_no_more(session: Session) -> None:
    a = session.load("a")
    a.close()
    assert (session.runners, session.bytes) == ((), 0)
    with pytest.raises(ParameterError, match="not loaded"):
        session.close(a)


def test_room_is_made_before_a_model_of_known_size_is_loaded(loader: Loader) -> None:
    held: list[int] = []

    def load(checkpoint: str, **request: Any) -> StandIn:
        held.append(pool.bytes)
        return loader(checkpoint, **request)

    pool = RunnerPool(threading.RLock(), 250, load, expected_bytes=lambda *_: 100)
    request = {"device": "cpu", "dtype": None, "revision": None, "trust_remote_code": False, "cache": None}
    for name in "abc":
        pool.load(name, **request)
    assert held == [0, 100, 100]


def test_a_request_in_other_words_loads_nothing(loader: Loader) -> None:
    words = {None: "cuda:0", "cuda": "cuda:0", "cuda:0": "cuda:0"}
    pool = RunnerPool(threading.RLock(), 250, loader, spelled_out=lambda device, dtype: (words[device], dtype or "f32"))
    request = {"revision": None, "trust_remote_code": False, "cache": None}
    first = pool.load("a", device=None, dtype=None, **request)
    assert pool.load("a", device="cuda", dtype="f32", **request) is first
    assert loader.calls == ["a"]


def test_out_of_memory_while_loading_closes_others_and_tries_once_more(session: Session, loader: Loader) -> None:
    a = session.load("a")
    loader.fail_while = lambda: not a.closed
    b = session.load("b")
    assert session.runners == (b,)
    loader.fail_while = lambda: True
    with pytest.raises(OutOfMemoryError):
        session.load("c")
    assert session.runners == ()
    loader.fail_while = lambda: False
    assert session.load("c").ask() == "c"


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


def test_two_threads_take_turns_on_one_runner_and_on_two(session: Session) -> None:
    a, b = session.load("a"), session.load("b")
    together: list[int] = []

    def ask(runner: StandIn) -> Callable[[], object]:
        return lambda: runner.ask(0.02, lambda: together.append(a.running + b.running))

    assert in_threads(*(ask(runner) for runner in (a, b, a, b))) == []
    assert together == [1, 1, 1, 1]


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


def test_leaving_a_with_block_closes_everything(loader: Loader) -> None:
    with Session(budget_bytes=1000, loader=loader) as session:
        a = session.load("a")
    assert a.closed
    with pytest.raises(JobError, match="closed"):
        session.submit(int)


def test_a_budget_must_be_positive() -> None:
    with pytest.raises(ParameterError, match="-5"):
        Session(budget_bytes=-5)


def test_budget_by_default_is_a_part_of_memory() -> None:
    with Session() as session:
        assert session.budget("cpu") == memory.host_total() // 2
        assert 0 < session.cache.budget_bytes <= memory.host_total() // 8
    with Session(budget_bytes=77) as session:
        assert session.budget("cuda") == 77


def test_the_default_session_is_one_and_load_goes_through_it(loader: Loader) -> None:
    assert explore.session() is explore.session()
    explore.session()._pool._loader = loader
    runner = explore.load("a", dtype="float16")
    assert explore.session().runners == (runner,)
    assert explore.session().close() == 100


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
