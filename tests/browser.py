"""A browser for tests: Debian's Chromium driven by Playwright, pages that must stay silent and offline.

Fixtures are imported by the ``conftest.py`` of the folders that need them.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Error, Page, Request, expect, sync_playwright

from widgets.assets import module, style
from widgets.base import View
from widgets.export import export_html, page_state

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PATIENCE = 90_000
"""Milliseconds to wait for anything: a machine that trains a model besides is slow."""

# A model as anywidget hands it to a view, that remembers what the view sends and saves.
_MOUNT = """async ([code, css, state]) => {
  const bytes = (_key, value) => value?.$bytes === undefined ? value
    : new DataView(Uint8Array.from(atob(value.$bytes), (c) => c.charCodeAt(0)).buffer);
  const listeners = new Map();
  const model = {
    state: JSON.parse(state, bytes), sent: [], saved: [],
    get: (name) => model.state[name],
    set(name, value) { model.state[name] = value; model.tell(name); },
    tell: (name) => [...(listeners.get(`change:${name}`) ?? [])].forEach((listener) => listener()),
    save_changes() { model.saved.push(JSON.parse(JSON.stringify(model.state.selection ?? null))); },
    send: (content, _callbacks, buffers = []) => model.sent.push({ content, sizes: buffers.map((b) => b.byteLength) }),
    on(event, callback) { listeners.set(event, (listeners.get(event) ?? new Set()).add(callback)); },
    off: (event, callback) => listeners.get(event)?.delete(callback),
  };
  const sheet = document.createElement("style");
  sheet.textContent = css;
  document.head.append(sheet);
  const el = document.createElement("div");
  document.body.append(el);
  const url = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
  const view = (await import(url)).default;
  view.render({ model, el });
  window.models = [...(window.models ?? []), model];
}"""


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One browser for all tests."""
    if not CHROMIUM.exists():
        pytest.skip(f"{CHROMIUM} is missing: apt-get install chromium fonts-dejavu-core")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=list(FLAGS), timeout=PATIENCE)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def _tab(chromium: Browser) -> Page:
    """One tab for all tests: a new one costs a process, and going to another page clears the old one as well."""
    context = chromium.new_context()
    context.set_default_timeout(PATIENCE)
    expect.set_options(timeout=PATIENCE)
    return context.new_page()


@pytest.fixture
def new_page(_tab: Page) -> Iterator[Callable[..., Page]]:
    """Empties the tab and sets it up; the test fails afterwards on any console error or network request.

    With ``silent=False`` it fails if there was none.
    """
    trouble: list[str] = []
    expected = False

    def open_page(
        width: int = 1000,
        height: int = 900,
        scheme: Literal["light", "dark"] = "light",
        motion: Literal["no-preference", "reduce"] = "no-preference",
        silent: bool = True,
    ) -> Page:
        nonlocal expected
        expected = not silent
        _tab.goto("about:blank")
        _tab.mouse.move(0, 0)
        _tab.set_viewport_size({"width": width, "height": height})
        _tab.emulate_media(color_scheme=scheme, reduced_motion=motion)
        return _tab

    with listening(_tab, trouble):
        yield open_page
    assert bool(trouble) == expected, "\n".join(trouble) or "an error was expected on the console"


@pytest.fixture
def show(new_page: Callable[..., Page], tmp_path: Path) -> Callable[..., Page]:
    """Exports views to a page and opens it."""

    def export_and_open(*views: View, title: str | None = None, **options: Any) -> Page:
        page = new_page(**options)
        page.goto(export_html(views, tmp_path / "page.html", title=title).as_uri())
        return page

    return export_and_open


@pytest.fixture
def mount(new_page: Callable[..., Page]) -> Callable[..., Page]:
    """Draws views on a bare page over models that record: ``page.evaluate("models[0].sent")``."""

    def mount_views(*views: View, **options: Any) -> Page:
        page = new_page(**options)
        for view in views:
            mount_on(page, view)
        return page

    return mount_views


def mount_on(page: Page, view: View) -> None:
    """Draw one more view, its module loaded anew as a notebook does."""
    state = json.dumps(page_state(view), default=lambda b: {"$bytes": base64.b64encode(b).decode()})
    page.evaluate(_MOUNT, [module(view.static), style("base", *view.styles), state])


@contextmanager
def listening(page: Page, trouble: list[str]) -> Iterator[None]:
    """Note console errors, uncaught errors and requests that leave the machine."""
    local = ("file:", "blob:", "data:", "about:")

    def on_console(message: ConsoleMessage) -> None:
        if message.type == "error":
            trouble.append(f"console: {message.text}")

    def on_request(request: Request) -> None:
        if not request.url.startswith(local):
            trouble.append(f"request: {request.url}")

    def on_error(error: Error) -> None:
        trouble.append(f"uncaught: {error.stack or error.message}")

    page.on("console", on_console)
    page.on("pageerror", on_error)
    page.on("request", on_request)
    yield
    page.remove_listener("console", on_console)
    page.remove_listener("pageerror", on_error)
    page.remove_listener("request", on_request)


def pixels(page: Page, index: int = 0) -> list[int]:
    """RGBA values of a heat canvas at patch resolution."""
    found: list[int] = (
        page.locator("canvas.vlms-heat")
        .nth(index)
        .evaluate("(c) => Array.from(c.getContext('2d').getImageData(0, 0, c.width, c.height).data)")
    )
    return found


def click_cell(page: Page, row: int, col: int, rows: int, cols: int, *, grid: int = 0, **options: Any) -> None:
    """Click the middle of a patch."""
    surface = page.get_by_role("grid").nth(grid)
    box = surface.bounding_box()
    assert box is not None
    x, y = (col + 0.5) / cols * box["width"], (row + 0.5) / rows * box["height"]
    surface.click(position={"x": x, "y": y}, **options)
