"""`python -m tests.screenshots [folder]`: pictures of every view for looking at, both themes, wide and narrow.

Nothing is compared: a person (or whoever reviews a change of the views) looks at them.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Literal

from playwright.sync_api import Page, sync_playwright

import explore
from explore.errors import CheckpointError
from explore.jobs import Job
from explore.sessions import Session
from explore.trace import Trace
from tests.browser import CHROMIUM, FLAGS, PATIENCE
from tests.widgets.samples import HOSTILE, sample_trace
from widgets import JobBar, SessionPanel, TokenImageView
from widgets.ask_form import AskForm
from widgets.base import View
from widgets.export import export_html

Scheme = Literal["light", "dark"]
SIZES: tuple[tuple[int, Scheme], ...] = ((1200, "light"), (1200, "dark"), (480, "light"), (760, "dark"))


def main() -> None:
    """Write the pictures and say where."""
    parser = argparse.ArgumentParser(prog="python -m tests.screenshots", description="Pictures of every view.")
    parser.add_argument("folder", nargs="?", type=Path, default=Path("runs/screenshots"))
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as pages:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=list(FLAGS), timeout=PATIENCE)
        for name, views in scenes().items():
            path = export_html(views, Path(pages) / f"{name}.html", title=name.replace("-", " ").capitalize())
            for width, scheme in SIZES:
                page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
                page.set_default_timeout(PATIENCE)
                page.goto(path.as_uri())
                if name == "patch":
                    pin(page)
                page.wait_for_timeout(300)
                page.screenshot(path=folder / f"{name}-{width}-{scheme}.png", full_page=True)
                page.close()
        browser.close()
    print(f"Pictures are in {folder}.")


def scenes() -> dict[str, list[View]]:
    """What is photographed: name to the views of one page."""
    session = Session(cache_bytes=0)
    trace = shown_trace(session)
    jobs = JobBar(session)
    jobs.jobs = [
        {"id": 1, "name": "Ask “What is this?”", "state": "done", "progress": 1.0, "message": ""},
        {
            "id": 2,
            "name": "Ask “Where is it?”",
            "state": "failed",
            "progress": None,
            "message": "Out of memory.",
        },
        {"id": 3, "name": "Build a bank", "state": "running", "progress": 0.42, "message": "phrase 420 of 1000"},
        {"id": 4, "name": "Load Qwen2.5-VL", "state": "queued", "progress": None, "message": ""},
    ]
    return {
        "answer": [TokenImageView(trace)],
        "patch": [TokenImageView(trace, table=True)],
        "two-pictures": [TokenImageView(sample_trace(pictures=2), smooth=False, words=False)],
        "hostile": [TokenImageView(sample_trace(answer=(*HOSTILE, " house", "</s>")))],
        "ask-scenes": [AskForm(_never)],
        "ask-drawing": [AskForm(_never, origin="drawing")],
        "ask-photo": [AskForm(_never, origin="photo")],
        "session": [jobs, SessionPanel(session)],
    }


def shown_trace(session: Session) -> Trace:
    """A run of the shipped model, or a made-up one where it is missing."""
    try:
        return session.load().ask(explore.sketch.examples()[4].image, "What do you see?")
    except CheckpointError:
        return sample_trace()


def pin(page: Page) -> None:
    """Mark a patch of the first picture."""
    grid = page.get_by_role("grid").first
    box = grid.bounding_box()
    assert box is not None
    grid.click(position={"x": box["width"] * 0.3, "y": box["height"] * 0.7})


def _never(_picture: object, _question: str) -> Job[None]:
    raise AssertionError("nothing is asked here")


if __name__ == "__main__":
    main()
