"""The first notebook in a real JupyterLab: open, run, ask, click, cancel, in both themes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser import PATIENCE, listening
from tests.lab.conftest import Lab

pytestmark = [pytest.mark.browser, pytest.mark.slow]

NOTEBOOK = "00_start_here.ipynb"
CANCEL_CELLS = [
    """
import time, explore
from widgets import JobBar
def slow(progress):
    for step in range(2400):
        progress(step / 2400, f"step {step}")
        time.sleep(0.05)
job = explore.session().submit(slow, name="Slow work")
JobBar(job)
""",
    # A cell that runs for as long as the job does: only a cancel that needs no free kernel ends it early.
    """
end = time.monotonic() + 90
while not job.done and time.monotonic() < end:
    time.sleep(0.1)
print("state:", job.state)
""",
]
FIRST_RUN = 300_000
"""Milliseconds for a kernel to import torch and load a model on a machine that does other things besides."""


@pytest.fixture(scope="module")
def page(lab: Lab, chromium: Browser) -> Iterator[Page]:
    """The notebook open in Lab, its kernel started, no cell run yet; any console error fails at the end."""
    context = chromium.new_context(viewport={"width": 1300, "height": 1000})
    context.set_default_timeout(PATIENCE)
    expect.set_options(timeout=PATIENCE)
    tab = context.new_page()
    trouble: list[str] = []
    with listening(tab, trouble):
        open_notebook(tab, lab, NOTEBOOK)
        yield tab
    context.close()
    ours = [text for text in trouble if not text.startswith(f"request: {lab.url}") and not _known(text)]
    assert not ours, "\n".join(ours)


def _known(text: str) -> bool:
    """Noise that Lab itself makes with nothing of ours open.

    Its splash screen, shown again while it fades (at a change of theme), removes itself from the page twice: an error
    whose one frame lies in Lab's core.
    """
    splash = "'removeChild'" in text and text.count("\n    at ") == 1 and "/static/lab/jlab_core." in text
    return splash or "favicon" in text or text.startswith("request: ws://127.0.0.1")


def open_notebook(page: Page, lab: Lab, name: str) -> None:
    page.goto(f"{lab.url}/lab/tree/{name}?reset")
    expect(page.locator(".jp-Notebook .jp-CodeCell").first).to_be_visible()
    # Run before the kernel is there, and Lab asks which one to use.
    kernel = "globalThis.jupyterapp?.shell?.currentWidget?.sessionContext?.session?.kernel"
    page.wait_for_function(f"{kernel}?.connectionStatus === 'connected' && {kernel}?.status === 'idle'")


def run_all(page: Page) -> None:
    page.evaluate("void jupyterapp.commands.execute('notebook:run-all-cells')")


def workbench(page: Page, index: int) -> Locator:
    return page.locator(".vlms-token-image").nth(index)


def heat(view: Locator) -> list[int]:
    values: list[int] = view.locator("canvas.vlms-heat").first.evaluate(
        "(c) => Array.from(c.getContext('2d').getImageData(0, 0, c.width, c.height).data)"
    )
    return values


def test_run_all_shows_every_view_with_a_painted_map(page: Page) -> None:
    run_all(page)
    expect(page.locator(".vlms-session-panel")).to_be_visible(timeout=FIRST_RUN)
    expect(page.locator(".vlms-ask-form")).to_be_visible(timeout=FIRST_RUN)
    expect(page.locator(".vlms-token-image")).to_have_count(2, timeout=FIRST_RUN)
    expect(page.locator(".jp-OutputArea-output[data-mime-type='application/vnd.jupyter.stderr']")).to_have_count(0)
    expect(page.get_by_text("Error displaying widget")).to_have_count(0)
    assert any(heat(workbench(page, 0)))


def test_a_click_on_a_word_paints_its_map(page: Page) -> None:
    view = workbench(page, 0)
    words = view.get_by_role("listbox", name="Answer").get_by_role("option")
    seen = set()
    for index in range(min(3, words.count())):
        words.nth(index).click()
        expect(words.nth(index)).to_have_attribute("aria-selected", "true")
        seen.add(tuple(heat(view)))
    assert len(seen) > 1


def test_keys_in_a_view_reach_no_notebook_command(page: Page) -> None:
    cells = page.locator(".jp-Notebook .jp-Cell").count()
    workbench(page, 0).get_by_role("listbox", name="Answer").get_by_role("option").first.focus()
    for key in ("a", "b", "d", "d", "x", "ArrowRight", "m", "Enter"):
        page.keyboard.press(key)
    assert page.locator(".jp-Notebook .jp-Cell").count() == cells


def test_asking_in_the_panel_shows_the_answer_below(page: Page) -> None:
    form = page.locator(".vlms-ask-form")
    form.get_by_role("radiogroup", name="Scenes").get_by_role("radio").nth(7).check()
    form.get_by_role("button", name="Ask", exact=True).click()
    expect(page.locator(".vlms-token-image")).to_have_count(3)
    answered = workbench(page, 0)  # the panel stands above the other two
    expect(answered.locator("canvas.vlms-heat").first).to_be_visible()
    answered.get_by_role("listbox", name="Answer").get_by_role("option").first.click()
    expect(answered.get_by_role("status")).to_contain_text("peak")


def test_a_drawing_is_drawn_by_the_kernel(page: Page) -> None:
    form = page.locator(".vlms-ask-form")
    form.get_by_role("radio", name="Draw").check()
    before = form.locator(".vlms-stage img").get_attribute("src")
    form.get_by_label("Background").select_option("snow")
    expect(form.locator(".vlms-stage img")).not_to_have_attribute("src", before or "")


def test_the_views_follow_the_theme_of_lab(page: Page) -> None:
    for theme, name in (("JupyterLab Dark", "dark"), ("JupyterLab Light", "light")):
        page.evaluate("(theme) => jupyterapp.commands.execute('apputils:change-theme', { theme })", theme)
        expect(page.locator(".vlms").first).to_have_attribute("data-theme", name)
        cell, view = (page.locator(selector).first for selector in (".jp-Notebook", ".vlms"))
        colour = "(el) => getComputedStyle(el).getPropertyValue('--jp-layout-color1')"
        paint = "(el, colour) => { el.style.color = colour; return getComputedStyle(el).color; }"
        wanted = page.locator("body").evaluate(paint, cell.evaluate(colour).strip())
        expect(view).to_have_css("background-color", wanted)


def test_clicks_need_no_kernel(page: Page) -> None:
    """The ceiling of the promise: with Lab around it, half of all clicks are painted within a frame or so."""
    script = """async () => {
      const view = document.querySelectorAll(".vlms-token-image")[1];
      const words = [...view.querySelectorAll(".answer [role=option]")];
      const times = [];
      for (let i = 0; i < 21; i++) {
        const begin = performance.now();
        words[i % words.length].click();
        await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
        times.push(performance.now() - begin);
      }
      return times.sort((a, b) => a - b)[10];
    }"""
    assert page.evaluate(script) < 50 * max(1.0, page.evaluate(IDLE_FRAME) / 16.7)


# How long a frame takes here with nothing to do: 17 ms on an idle machine, more where others compute too.
IDLE_FRAME = """async () => {
  const times = [];
  for (let i = 0; i < 21; i++) {
    const begin = performance.now();
    await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
    times.push(performance.now() - begin);
  }
  return times.sort((a, b) => a - b)[10];
}"""


def test_a_job_is_cancelled_while_a_cell_runs(page: Page, lab: Lab) -> None:
    write_notebook(lab.folder / "cancel.ipynb", CANCEL_CELLS)
    open_notebook(page, lab, "cancel.ipynb")
    run_all(page)
    bar = page.locator(".vlms-job-bar")
    expect(bar.get_by_text("step", exact=False)).to_be_visible(timeout=FIRST_RUN)
    bar.get_by_role("button", name="Cancel Slow work").click()
    expect(bar.locator(".vlms-job")).to_have_attribute("data-state", "cancelled")
    expect(page.get_by_text("state: cancelled")).to_be_visible()


def write_notebook(path: Path, cells: list[str]) -> None:
    made = [
        {
            "cell_type": "code",
            "id": f"c{i}",
            "metadata": {},
            "outputs": [],
            "execution_count": None,
            "source": text.strip(),
        }
        for i, text in enumerate(cells)
    ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = {"cells": made, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    path.write_text(json.dumps(notebook))
