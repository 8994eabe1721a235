"""The session panel: what is loaded, what it takes, and closing it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from explore.sessions import Session
from tests.widgets.test_base import receive
from tests.widgets.test_job_bar import WAIT, Slow, until
from widgets import SessionPanel


@dataclass
class Info:
    checkpoint: str
    revision: str | None = None
    dtype: str = "float32"
    device: str = "cpu"
    nbytes: int = 14_200_000
    quantization: str = ""
    spread: tuple[tuple[str, int], ...] = ()

    @property
    def places(self) -> tuple[tuple[str, int], ...]:
        return self.spread or ((self.device, self.nbytes),)


class StandIn:
    """A runner that only knows what it is."""

    def __init__(self, checkpoint: str | None, **_request: Any) -> None:
        self.info = Info(checkpoint or "sketch")
        self.closed = False

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def session() -> Iterator[Session]:
    with Session(100_000_000, cache_bytes=1000, loader=StandIn) as opened:  # type: ignore[arg-type]
        yield opened


def test_it_follows_the_session(session: Session) -> None:
    panel = SessionPanel(session)
    assert panel.runners == []
    session.load("one")
    session.load("two")
    assert [(each["checkpoint"], each["size"], each["device"]) for each in panel.runners] == [
        ("one", "14.2 MB", "cpu"),
        ("two", "14.2 MB", "cpu"),
    ]
    assert panel.budgets == [{"device": "cpu", "share": 0.284, "text": "28.4 MB of 100 MB"}]


def test_spread_and_quantised_runners_say_so(session: Session) -> None:
    panel = SessionPanel(session)
    info = session.load("one").info
    info.spread, info.quantization = (("cuda:0", 50_000_000), ("cpu", 20_000_000), ("disk", 10_000_000)), "4bit"
    session.load("two")
    assert panel.runners[0]["device"] == "cuda:0, cpu, disk"
    assert panel.runners[0]["dtype"] == "4bit, float32"
    assert [(each["device"], each["text"]) for each in panel.budgets] == [
        ("cuda", "50.0 MB of 100 MB"),
        ("cpu", "34.2 MB of 100 MB"),
    ]


def test_closing_frees_the_runner_and_says_how_much(session: Session) -> None:
    panel = SessionPanel(session)
    runner = session.load("one")
    session.load("two")
    receive(panel, {"kind": "close", "key": panel.runners[0]["key"]})
    until(lambda: panel.message == "14.2 MB freed.")
    assert runner.closed
    until(lambda: [each["checkpoint"] for each in panel.runners] == ["two"])
    assert panel.runners[0]["closing"] is False


def test_closing_waits_behind_what_runs_without_blocking(session: Session) -> None:
    panel = SessionPanel(session)
    session.load("one")
    work = Slow()
    job = session.submit(work)
    assert work.started.wait(WAIT)
    receive(panel, {"kind": "close", "key": panel.runners[0]["key"]})
    assert panel.runners[0]["closing"] is True
    work.go_on.set()
    job.result(WAIT)
    until(lambda: panel.runners == [])


def test_an_old_button_closes_nothing(session: Session) -> None:
    panel = SessionPanel(session)
    runner = session.load("one")
    receive(panel, {"kind": "close", "key": "12345"})
    assert not runner.closed
    assert panel.error == ""


def test_each_of_two_waits_for_its_own_end(session: Session) -> None:
    panel = SessionPanel(session)
    session.load("one")
    session.load("two")
    work, between = Slow(), Slow()
    session.submit(work)
    assert work.started.wait(WAIT)
    first, second = (each["key"] for each in panel.runners)
    receive(panel, {"kind": "close", "key": first})
    session.submit(between)
    receive(panel, {"kind": "close", "key": second})
    work.go_on.set()
    assert between.started.wait(WAIT)
    assert [(each["key"], each["closing"]) for each in panel.runners] == [(second, True)]
    between.go_on.set()
    until(lambda: panel.runners == [])


@pytest.mark.browser
def test_buttons_and_meters_in_the_browser(session: Session, mount: Callable[..., Page]) -> None:
    panel = SessionPanel(session)
    session.load("one/<i>two</i>")
    page = mount(panel)
    expect(page.get_by_text("one/<i>two</i>")).to_be_visible()
    expect(page.get_by_role("meter", name="Memory on cpu")).to_have_attribute("aria-valuetext", "14.2 MB of 100 MB")
    page.get_by_role("button", name="Close one/<i>two</i>").click()
    sent = page.evaluate("models[0].sent[0].content")
    assert sent == {"kind": "close", "key": panel.runners[0]["key"]}
