"""Runners stay in their budget: the longest unused makes room, and memory that runs out is one try more."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from explore import memory
from explore.errors import OutOfMemoryError, ParameterError
from explore.runner_pool import RunnerPool
from explore.sessions import Session
from tests.sessions.stand_ins import Loader, StandIn, names


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


def test_spread_weights_count_where_they_lie_and_not_on_the_disk(session: Session, loader: Loader) -> None:
    loader.sizes["wide"] = 5000
    loader.spreads["wide"] = (("meta:0", 100), ("meta:1", 50), ("cpu", 100), ("disk", 4750))
    wide = session.load("wide", device_map="auto")
    session.load("a", device="meta:1")
    b = session.load("b", device="cpu")
    assert len(session.runners) == 3, "250 bytes on either kind of device"
    session.load("wide", device_map="auto")
    session.load("c", device="cpu")
    assert b.closed
    assert names(session) == ["a", "wide", "c"]
    session.load("d", device="meta:0")
    assert names(session) == ["wide", "c", "d"]
    assert session.close(wide) == 250


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


def test_a_budget_must_be_positive() -> None:
    with pytest.raises(ParameterError, match="-5"):
        Session(budget_bytes=-5)


def test_budget_by_default_is_a_part_of_memory() -> None:
    with Session() as session:
        assert session.budget("cpu") == memory.host_total() // 2
        assert 0 < session.cache.budget_bytes <= memory.host_total() // 8
    with Session(budget_bytes=77) as session:
        assert session.budget("cuda") == 77
