"""Exported pages: self-contained, offline, safe whatever the model said, readable in both themes and at any width."""

from __future__ import annotations

import base64
import hashlib
import html.parser
import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from unittest import mock

import pytest
from playwright.sync_api import Page, expect

from explore.errors import ParameterError
from explore.sessions import Session
from tests.widgets.samples import ANSWER, HOSTILE, QUESTION, sample_trace
from tests.widgets.test_job_bar import Slow
from tests.widgets.test_session_panel import StandIn
from widgets import JobBar, SessionPanel, TokenImageView, Workbench, export_html
from widgets.ask_form import AskForm
from widgets.export import safe_json

TRACE = sample_trace()
NASTY = sample_trace(answer=(*HOSTILE, *ANSWER), question=(*HOSTILE, *QUESTION))
Show = Callable[..., Page]


class Scripts(html.parser.HTMLParser):
    """What a browser's tokenizer takes for scripts, and every other tag."""

    def __init__(self) -> None:
        super().__init__()
        self.kinds: list[str | None] = []
        self.tags: list[str] = []
        self.texts: list[str] = []
        self.sources: list[str | None] = []
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self._inside = tag == "script"
        self.sources += [value for name, value in attrs if name in ("src", "href")]
        if self._inside:
            self.kinds.append(dict(attrs).get("type"))
            self.texts.append("")

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.texts[-1] += data

    def handle_endtag(self, tag: str) -> None:
        self._inside = False


def parsed(path: Path) -> Scripts:
    scripts = Scripts()
    scripts.feed(path.read_text(encoding="utf-8"))
    return scripts


@pytest.mark.parametrize(
    "text", ["</script>", "<!--<script>", "]]>", "\u2028", "&lt;", "\ud800", "\x00", "</SCRIPT x>"]
)
def test_no_text_ends_the_script_and_all_come_back(text: str) -> None:
    written = safe_json({"text": text})
    assert written.isascii()
    assert not set("<>&") & set(written)
    assert json.loads(written) == {"text": text}


def test_a_page_holds_exactly_its_own_scripts(tmp_path: Path) -> None:
    found = parsed(export_html(TokenImageView(NASTY), tmp_path / "page.html", title="</title><script>x()</script>"))
    assert found.kinds == ["application/json", "module"]
    assert found.sources == []
    assert "img" not in found.tags
    state = json.loads(found.texts[0])
    assert [token["text"] for token in state["tokens"]][: len(HOSTILE)] == list(HOSTILE)


def test_the_policy_lets_nothing_else_run_or_load(tmp_path: Path) -> None:
    path = export_html(TokenImageView(TRACE), tmp_path / "page.html")
    policy = re.search(r'Security-Policy" content="([^"]+)"', path.read_text())
    assert policy is not None
    assert policy[1].startswith("default-src 'none'; img-src blob:; ")
    assert "unsafe" not in policy[1]
    code = parsed(path).texts[1]
    assert base64.b64encode(hashlib.sha256(code.encode()).digest()).decode() in policy[1]


def test_a_failed_export_leaves_the_old_page(tmp_path: Path) -> None:
    path = export_html(TokenImageView(TRACE), tmp_path / "page.html")
    before = path.read_bytes()
    with (
        mock.patch("widgets.export.os.replace", side_effect=OSError("disk full")),
        pytest.raises(OSError, match="disk full"),
    ):
        export_html(TokenImageView(NASTY), path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_half_a_character_in_a_title_is_written_as_one_that_is_missing(tmp_path: Path) -> None:
    path = export_html(TokenImageView(TRACE), tmp_path / "page.html", title="half \ud83d")
    assert "<title>half \ufffd</title>" in path.read_text(encoding="utf-8")


def test_exporting_nothing_or_to_nowhere_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="one or more views"):
        export_html([], tmp_path / "page.html")
    with pytest.raises(ParameterError, match="str to export"):
        export_html(["x"], tmp_path / "page.html")  # type: ignore[list-item]
    with pytest.raises(ParameterError, match="no folder"):
        export_html(TokenImageView(TRACE), tmp_path / "missing" / "page.html")


def test_a_workbench_saves_its_page(tmp_path: Path) -> None:
    bench = Workbench(TRACE, method="logit")
    path = bench.save_html(tmp_path / "page.html")
    assert "<title>what can you see?</title>" in path.read_text()
    assert json.loads(parsed(path).texts[0])["method"] == "logit"


@pytest.mark.browser
def test_markup_in_tokens_is_text(show: Show) -> None:
    page = show(TokenImageView(NASTY, words=False), title="<b>bold</b><img src=x onerror='window.hacked=1'>")
    page.get_by_label("Table").check()
    for text in ('<img src=x onerror="window.hacked=1">', "</script><script>window.hacked=1</script>", "&amp;"):
        chip = page.get_by_role("listbox", name="Answer").get_by_role("option", name=text, exact=True)
        chip.click()
        expect(page.get_by_role("status")).to_contain_text(text)
    page.get_by_role("grid").click(position={"x": 30, "y": 30})
    assert page.evaluate("window.hacked") is None
    assert page.locator("main img").count() == 1
    expect(page.locator("h1")).to_have_text("<b>bold</b><img src=x onerror='window.hacked=1'>")


@pytest.mark.browser
def test_what_would_hide_is_shown(show: Show) -> None:
    page = show(TokenImageView(NASTY, words=False))
    answer = page.get_by_role("listbox", name="Answer")
    for shown in ("‹U+202E›evil", "↵", "␣", "ünï‹U+2028›cødé 🐉", "</s>"):
        expect(answer.get_by_role("option", name=shown, exact=True)).to_be_visible()


@pytest.mark.browser
def test_a_page_opens_within_a_second_and_stays_offline(show: Show) -> None:
    page = show(TokenImageView(TRACE))  # the fixture fails on any request
    expect(page.locator("canvas.vlms-heat")).to_be_visible()
    timing = "performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd"
    assert page.evaluate(timing) < 1000 * slowness()


def slowness() -> float:
    """How many times slower than an idle machine this one is now, at least 1."""
    begin = time.perf_counter()
    sum(range(2_000_000))
    return max(1.0, (time.perf_counter() - begin) / 0.03)


def brightness(page: Page, selector: str, what: str) -> float:
    """0 (black) to 255 of a computed colour, whatever notation the browser uses."""
    script = """([selector, what]) => {
      const context = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
      context.fillStyle = getComputedStyle(document.querySelector(selector))[what];
      context.fillRect(0, 0, 1, 1);
      const [r, g, b] = context.getImageData(0, 0, 1, 1).data;
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    }"""
    return float(page.evaluate(script, [selector, what]))


@pytest.mark.browser
def test_the_theme_follows_the_system_and_the_switch(show: Show) -> None:
    page = show(TokenImageView(TRACE), scheme="dark")
    assert brightness(page, ".vlms", "backgroundColor") < 60
    assert brightness(page, ".vlms", "color") > 180
    page.get_by_role("button", name="Light or dark").click()
    expect(page.locator(".vlms")).to_have_attribute("data-theme", "light")
    assert brightness(page, ".vlms", "backgroundColor") > 220
    assert brightness(page, ".vlms", "color") < 80
    assert brightness(page, "body", "backgroundColor") > 220


@pytest.mark.browser
@pytest.mark.parametrize(
    ("attributes", "theme"),
    [
        ({"data-jp-theme-light": "false"}, "dark"),
        ({"data-jp-theme-light": "true"}, "light"),
        ({"class": "vscode-dark", "data-vscode-theme-kind": "vscode-dark"}, "dark"),
        ({"data-vscode-theme-kind": "vscode-high-contrast"}, "dark"),
        ({"data-vscode-theme-kind": "vscode-high-contrast-light"}, "light"),
        ({"data-vscode-theme-kind": "vscode-light"}, "light"),
    ],
)
def test_the_theme_follows_the_notebook_and_its_colours(
    mount: Callable[..., Page], attributes: dict[str, str], theme: str
) -> None:
    page = mount(TokenImageView(TRACE), scheme="dark" if theme == "light" else "light")
    page.evaluate("(all) => Object.entries(all).forEach(([k, v]) => document.body.setAttribute(k, v))", attributes)
    expect(page.locator(".vlms")).to_have_attribute("data-theme", theme)
    page.evaluate("document.documentElement.style.setProperty('--jp-layout-color1', 'rgb(1, 2, 3)')")
    expect(page.locator(".vlms")).to_have_css("background-color", "rgb(1, 2, 3)")


@pytest.mark.browser
@pytest.mark.parametrize("width", [480, 768, 1400])
def test_nothing_sticks_out_at_any_width(show: Show, width: int) -> None:
    page = show(TokenImageView(NASTY, table=True), width=width)
    page.get_by_role("grid").click(position={"x": 30, "y": 30})
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    out = """() => [...document.querySelectorAll(".vlms *")].filter((el) => {
      if (el.closest(".vlms-hidden, .vlms-frame, .vlms-segmented input")) return false;
      const { left, right, width } = el.getBoundingClientRect();
      const root = el.closest(".vlms").getBoundingClientRect();
      return width > 0 && (left < root.left - 1 || right > root.right + 1);
    }).map((el) => el.className || el.tagName)"""
    assert page.evaluate(out) == []


@pytest.mark.browser
def test_notebook_shortcuts_stay_out_and_motion_is_reduced(show: Show) -> None:
    page = show(TokenImageView(TRACE), motion="reduce")
    expect(page.locator(".vlms")).to_have_attribute("data-lm-suppress-shortcuts", "true")
    expect(page.locator(".vlms-chip").first).to_have_css("transition-duration", "0s")
    page.get_by_role("option", name="house").focus()
    page.keyboard.press("ArrowLeft")
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"


@pytest.mark.browser
def test_a_view_that_cannot_be_drawn_says_so_in_its_place(mount: Callable[..., Page]) -> None:
    view = TokenImageView(TRACE)
    view.grids = []
    view.methods = [{**view.methods[0], "packed": {**view.methods[0]["packed"], "dtype": "complex64"}}]
    page = mount(view, silent=False)
    expect(page.get_by_role("alert")).to_contain_text("could not be drawn")
    expect(page.get_by_role("alert")).to_contain_text("complex64")


@pytest.mark.browser
def test_python_errors_are_shown_in_the_view(mount: Callable[..., Page]) -> None:
    page = mount(TokenImageView(TRACE))
    expect(page.get_by_role("alert")).to_have_count(0)
    page.evaluate("() => { models[0].state.error = '<b>No</b> such layer.'; models[0].tell('error'); }")
    expect(page.get_by_role("alert")).to_have_text("<b>No</b> such layer.")


@pytest.mark.browser
def test_what_needs_a_kernel_does_not_look_alive(show: Show) -> None:
    with Session(100_000_000, cache_bytes=0, loader=StandIn) as session:  # type: ignore[arg-type]
        session.load("one")
        session.submit(Slow(), name="a job")
        form = AskForm(lambda _picture, _question: session.submit(Slow()), origin="drawing")
        page = show(form, JobBar(session), SessionPanel(session))
    expect(page.get_by_text("This is a saved page")).to_be_visible()
    for name in ("Ask", "Close one", "Cancel a job"):
        button = page.get_by_role("button", name=name, exact=True)
        expect(button).to_be_disabled()
        expect(button).to_have_attribute("title", re.compile("saved page"))
    assert page.locator(".vlms-draw").evaluate("(el) => el.inert")
    page.get_by_role("radio", name="Scenes").check()
    page.get_by_role("radiogroup", name="Scenes").get_by_role("radio").nth(5).check()
    expect(page.get_by_role("button", name="Ask", exact=True)).to_be_disabled()


@pytest.mark.browser
def test_views_on_a_page_stand_apart(show: Show) -> None:
    page = show(TokenImageView(TRACE), TokenImageView(TRACE))
    first, second = (each.bounding_box() for each in page.locator(".vlms").all())
    assert first is not None
    assert second is not None
    assert second["y"] - first["y"] - first["height"] == pytest.approx(12)


@pytest.mark.browser
@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\u061cb\u180ec", "a‹U+061C›b‹U+180E›c"),
        ("t\U000e0041g", "t‹U+E0041›g"),
        ("\u3164\u115f\u1160\uffa0", "‹U+3164›‹U+115F›‹U+1160›‹U+FFA0›"),
        ("a\u200db\u200cc", "a‹U+200D›b‹U+200C›c"),
        ("\u200d👩", "‹U+200D›👩"),
        ("👩\u200d👩\u200d👧 ❤\ufe0f\u200d🔥 👩🏽\u200d🚀", "👩\u200d👩\u200d👧 ❤\ufe0f\u200d🔥 👩🏽\u200d🚀"),
        ("آية\u06dd", "آية\u06dd"),
        ("\u00a0", "‹U+00A0›"),
    ],
)
def test_invisible_characters_are_named_and_emoji_stay_whole(show: Show, text: str, shown: str) -> None:
    page = show(TokenImageView(sample_trace(answer=(f" {text}" if text.strip() else text, " end"))))
    expect(page.get_by_role("listbox", name="Answer").get_by_role("option").first).to_have_text(shown)
    assert page.get_by_role("listbox", name="Answer").get_by_role("option").first.inner_text() == shown
