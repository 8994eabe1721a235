"""The job bar: progress as it happens, cancel from the browser, and how it looks there."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from explore.jobs import Progress
from explore.sessions import Session
from tests.widgets.test_base import receive
from widgets import JobBar

WAIT = 30.0


@pytest.fixture
def session() -> Iterator[Session]:
    with Session(cache_bytes=0) as opened:
        yield opened


class Slow:
    """Work that stops where a test wants it to."""

    def __init__(self) -> None:
        self.started = threading.Event()
        self.go_on = threading.Event()

    def __call__(self, progress: Progress) -> str:
        progress(0.25, "layer 1 of 4")
        self.started.set()
        while not self.go_on.wait(0.01):
            progress.check()
        return "done"


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + WAIT
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)


def test_it_shows_a_job_from_start_to_end(session: Session) -> None:
    bar = JobBar(session)
    assert bar.jobs == []
    work = Slow()
    job = session.submit(work, name="Ask")
    assert work.started.wait(WAIT)
    until(lambda: bar.jobs[0]["progress"] == 0.25)
    shown = {"id": job.id, "name": "Ask", "state": "running", "progress": 0.25, "message": "layer 1 of 4"}
    assert bar.jobs == [shown]
    work.go_on.set()
    job.result(WAIT)
    until(lambda: bar.jobs[0]["state"] == "done")
    assert bar.jobs[0]["progress"] == 1


def test_cancel_in_the_browser_stops_the_job(session: Session) -> None:
    bar = JobBar(session)
    work = Slow()
    job = session.submit(work)
    assert work.started.wait(WAIT)
    receive(bar, {"kind": "cancel", "id": job.id})
    until(lambda: bar.jobs[0]["state"] == "cancelled")
    assert session.submit(lambda: 3).result(WAIT) == 3


def test_a_failed_job_shows_its_error(session: Session) -> None:
    def fail() -> None:
        raise ValueError("no such picture")

    job = session.submit(fail)
    until(lambda: job.done)
    bar = JobBar(session)
    assert (bar.jobs[0]["state"], bar.jobs[0]["message"]) == ("failed", "no such picture")


def test_one_job_is_shown_alone_and_only_few_that_ended(session: Session) -> None:
    jobs = [session.submit(lambda: None, name=f"job {number}") for number in range(6)]
    until(lambda: all(job.done for job in jobs))
    assert [shown["name"] for shown in JobBar(session).jobs] == ["job 3", "job 4", "job 5"]
    assert [shown["name"] for shown in JobBar(jobs[1]).jobs] == ["job 1"]


def test_a_closed_bar_hears_nothing_more(session: Session) -> None:
    bar = JobBar(session)
    bar.close()
    job = session.submit(lambda: None)
    until(lambda: job.done)
    assert bar.jobs == []


@pytest.mark.browser
def test_bar_and_button_in_the_browser(session: Session, mount: Callable[..., Page]) -> None:
    work = Slow()
    job = session.submit(work, name="Ask <b>this</b>")
    assert work.started.wait(WAIT)
    page = mount(JobBar(session))
    progress = page.get_by_role("progressbar", name="Ask <b>this</b>")
    expect(progress).to_have_attribute("aria-valuenow", "25")
    expect(page.get_by_text("25 % · layer 1 of 4")).to_be_visible()
    button = page.get_by_role("button", name="Cancel")
    button.focus()
    page.keyboard.press("Enter")
    assert page.evaluate("models[0].sent") == [{"content": {"kind": "cancel", "id": job.id}, "sizes": []}]
    update = "(jobs) => { models[0].state.jobs = jobs; models[0].tell('jobs'); }"
    state = {"id": job.id, "name": "Ask <b>this</b>", "state": "running", "progress": 0.5, "message": ""}
    page.evaluate(update, [state])
    expect(button).to_be_focused()
    page.evaluate(update, [{**state, "progress": None}])
    assert progress.get_attribute("aria-valuenow") is None
    page.evaluate(update, [{**state, "state": "cancelled"}])
    expect(button).to_be_hidden()
    expect(page.get_by_role("status")).to_have_text("Ask <b>this</b>: cancelled")
    work.go_on.set()


@pytest.mark.browser
@pytest.mark.parametrize("width", [320, 480, 1000])
def test_a_failure_is_told_on_lines_of_its_own(session: Session, mount: Callable[..., Page], width: int) -> None:
    message = "The prompt is 4096 tokens long. The model takes 2048. Use a shorter question or a smaller picture."
    bar = JobBar(session)
    name = "Ask “What is the colour of the thing that is left o…”"
    bar.jobs = [{"id": 1, "name": name, "state": "failed", "progress": None, "message": message}]
    page = mount(bar, width=width)
    title, row, told = (page.locator(f".vlms-job{part}").bounding_box() for part in ("-name", "", "-state"))
    assert title is not None
    assert row is not None
    assert told is not None
    assert told["width"] == pytest.approx(row["width"], abs=1)
    assert told["y"] >= title["y"] + title["height"]
    red, _, blue = page.locator(".vlms-job-track").evaluate(
        """(el) => {
          const context = document.createElement("canvas").getContext("2d");
          context.fillStyle = getComputedStyle(el).backgroundColor;
          context.fillRect(0, 0, 1, 1);
          return [...context.getImageData(0, 0, 1, 1).data];
        }"""
    )[:3]
    assert red > blue + 40
