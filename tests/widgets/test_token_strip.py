"""Tokens as lines of text: where lines break, what typing finds, what stays in sight, what can be read."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable, Iterator

import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from tests.browser import click_cell
from tests.widgets.samples import sample_trace
from widgets import TokenImageView

pytestmark = pytest.mark.browser

Show = Callable[..., Page]
WORDS = tuple(f" word{number}" for number in range(200))


def answer(page: Page) -> Locator:
    return page.get_by_role("listbox", name="Answer")


def chosen(page: Page) -> Locator:
    return answer(page).locator("[aria-selected=true]")


def ends_of_lines(page: Page) -> tuple[list[str], list[str]]:
    """The first and the last chip of every line."""
    lines: list[list[str]] = answer(page).evaluate(
        """(list) => {
          const lines = [];
          let right = Infinity;
          for (const chip of list.querySelectorAll(".vlms-chip")) {
            const box = chip.getBoundingClientRect();
            if (box.left < right - 1) lines.push([]);
            lines.at(-1).push(chip.textContent);
            right = box.right;
          }
          return lines;
        }"""
    )
    return [line[0] for line in lines], [line[-1] for line in lines]


@pytest.mark.parametrize("width", range(420, 500, 8))
def test_punctuation_stays_on_the_line_of_its_word(show: Show, width: int) -> None:
    pieces = (" left", ",", " right", ")", ".", " (", "so", ")", "!", "?", ' "', "under", '"', "…")
    page = show(TokenImageView(sample_trace(answer=pieces * 4), words=False), width=width)
    first, last = ends_of_lines(page)
    assert len(first) > 2
    assert not {",", ".", ")", "!", "?", "…"} & set(first)
    assert "(" not in last


def test_text_without_spaces_still_breaks(show: Show) -> None:
    page = show(
        TokenImageView(sample_trace(answer=tuple("一只红色的猫，在「蓝色」房子的左边。" * 6)), words=False), width=480
    )
    first, last = ends_of_lines(page)
    assert len(first) > 2
    assert not {"，", "。", "」"} & set(first)
    assert "「" not in last
    assert page.evaluate("document.documentElement.scrollWidth") <= 480


def test_a_word_wider_than_the_line_keeps_inside_with_its_full_stop(show: Show) -> None:
    page = show(TokenImageView(sample_trace(answer=(" " + "w" * 300, ".", " end")), words=False), width=480)
    assert answer(page).evaluate("(list) => list.scrollWidth <= list.clientWidth")


def test_the_same_letter_in_quick_succession_goes_round(show: Show) -> None:
    page = show(TokenImageView(sample_trace(answer=(" bird", " bear", " boat", " cat"))))
    answer(page).get_by_role("option", name="cat").click()
    for text in ("bird", "bear", "boat", "bird"):
        page.keyboard.press("b")
        expect(chosen(page)).to_have_text(text)
    page.wait_for_timeout(800)
    page.keyboard.type("bo")
    expect(chosen(page)).to_have_text("boat")


def test_the_selected_token_comes_into_sight_without_moving_the_page(show: Show) -> None:
    trace = sample_trace(answer=WORDS)
    view = TokenImageView(trace)
    view.select(token=trace.prompt_length + 150)
    page = show(view, height=300)
    shown = """(list) => {
      const [box, chip] = [list, list.querySelector("[aria-selected=true]")].map((el) => el.getBoundingClientRect());
      return chip.top >= box.top - 1 && chip.bottom <= box.bottom + 1;
    }"""
    expect(chosen(page)).to_have_text("word150")
    page.wait_for_function(f"({shown})(document.querySelector('.answer .vlms-tokens'))")
    assert page.evaluate("scrollY") == 0
    answer(page).evaluate("(list) => (list.scrollTop = 0)")
    page.get_by_role("grid").hover()
    assert answer(page).evaluate("(list) => list.scrollTop") == 0, "only a new selection scrolls"


CONTRAST = """(el) => {
  const context = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const light = (...colours) => {
    for (const colour of colours) { context.fillStyle = colour; context.fillRect(0, 0, 1, 1); }
    const [r, g, b] = [...context.getImageData(0, 0, 1, 1).data].map((v) => v / 255)
      .map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  el.style.transition = "none";
  el.style.setProperty("--shade", "1");
  const paper = getComputedStyle(el.closest(".vlms")).backgroundColor;
  const { color, backgroundColor } = getComputedStyle(el);
  const [a, b] = [light(paper, backgroundColor), light(paper, backgroundColor, color)];
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_shaded_tokens_can_be_read(show: Show, scheme: str) -> None:
    page = show(TokenImageView(sample_trace()), scheme=scheme)
    click_cell(page, 3, 8, 12, 12)
    for selector in (".question .vlms-chip", ".answer .vlms-chip[aria-selected=false]", ".vlms-chip.special"):
        assert page.locator(selector).first.evaluate(CONTRAST) >= 4.5, selector


@pytest.fixture
def forced_colours(_tab: Page) -> Iterator[None]:
    _tab.emulate_media(forced_colors="active")
    yield
    _tab.emulate_media(forced_colors="none")


def main_colour(part: Locator) -> tuple[int, ...]:
    """The commonest colour of a part of the page as painted: computed styles do not tell what the system forces."""
    painted = Image.open(io.BytesIO(part.screenshot())).convert("RGB")
    colours: dict[tuple[int, ...], int] = Counter(painted.get_flattened_data())
    return max(colours, key=lambda colour: colours[colour])


@pytest.mark.usefixtures("forced_colours")
def test_what_is_chosen_shows_where_the_system_sets_the_colours(show: Show) -> None:
    page = show(TokenImageView(sample_trace()))
    segments = page.locator(".vlms-segmented label")
    assert main_colour(chosen(page)) != main_colour(answer(page).locator("[aria-selected=false]").first)
    assert main_colour(segments.nth(0)) != main_colour(segments.nth(1))
