"""Views of one run follow each other in the browser, whoever selects."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from explore.jobs import Job
from tests.browser import mount_on
from tests.widgets.samples import position_of, sample_trace
from widgets import Selection, TokenImageView
from widgets.ask_form import AskForm

pytestmark = pytest.mark.browser

TRACE = sample_trace()
OTHER = sample_trace(seed=5)


def chosen(page: Page, index: int) -> Locator:
    return page.locator(".vlms").nth(index).locator(".vlms-chip[aria-selected=true]")


def click(page: Page, index: int, text: str) -> None:
    page.locator(".vlms").nth(index).get_by_role("option", name=text, exact=True).click()


def test_views_of_one_run_show_the_same_and_others_do_not(show: Callable[..., Page]) -> None:
    page = show(TokenImageView(TRACE), TokenImageView(TRACE, method="random"), TokenImageView(OTHER))
    click(page, 2, "left")
    click(page, 0, "blue")
    expect(chosen(page, 0)).to_have_text("blue")
    expect(chosen(page, 1)).to_have_text("blue")
    expect(chosen(page, 2)).to_have_text("left")
    page.locator(".vlms").nth(1).get_by_role("grid").click(position={"x": 20, "y": 20})
    expect(page.get_by_text("Who looked at")).to_have_count(2)


def test_separate_modules_share_one_selection_and_mirror_it(mount: Callable[..., Page]) -> None:
    """As in a notebook: every widget's module is loaded anew, and each model mirrors what any view selected."""
    page = mount(TokenImageView(TRACE), TokenImageView(TRACE))
    click(page, 0, "house")
    expect(chosen(page, 1)).to_have_text("house")
    followed = "(token) => models.every((model) => model.state.selection.token === token)"
    page.wait_for_function(followed, arg=position_of(TRACE, " house"))
    assert page.evaluate("models.every((model) => model.state.selection.by.startsWith('page-'))")


def test_dragging_the_pointer_does_not_flood_the_kernel(mount: Callable[..., Page]) -> None:
    page = mount(TokenImageView(TRACE))
    page.wait_for_timeout(300)
    page.evaluate("models[0].saved.length = 0")
    page.evaluate(
        """() => {
          const grid = document.querySelector("[role=grid]");
          const { left, top } = grid.getBoundingClientRect();
          for (let i = 0; i < 200; i++) {
            const where = { clientX: left + i, clientY: top + i };
            grid.dispatchEvent(new PointerEvent("pointermove", { ...where, bubbles: true }));
          }
        }"""
    )
    page.wait_for_timeout(400)
    assert page.evaluate("models[0].saved.length") == 1


def test_python_selects_and_all_views_follow(mount: Callable[..., Page]) -> None:
    page = mount(TokenImageView(TRACE), TokenImageView(TRACE))
    select = """(selection) => { models[1].state.selection = selection; models[1].tell("selection"); }"""
    page.evaluate(select, Selection(token=position_of(TRACE, " left")).to_json())
    expect(chosen(page, 0)).to_have_text("left")
    expect(chosen(page, 1)).to_have_text("left")


def test_an_echo_of_an_older_click_undoes_nothing(mount: Callable[..., Page]) -> None:
    page = mount(TokenImageView(TRACE))
    click(page, 0, "house")
    page.wait_for_function("models[0].state.selection.token !== null && models[0].state.selection.by !== 'auto'")
    page.evaluate("window.older = models[0].state.selection")
    click(page, 0, "blue")
    page.evaluate("() => { models[0].state.selection = older; models[0].tell('selection'); }")
    expect(chosen(page, 0)).to_have_text("blue")


def test_a_view_that_comes_later_joins_what_is_selected(mount: Callable[..., Page]) -> None:
    page = mount(TokenImageView(TRACE))
    click(page, 0, "left")
    mount_on(page, TokenImageView(TRACE))
    expect(chosen(page, 1)).to_have_text("left")
    mount_on(page, TokenImageView(TRACE, selection=Selection(token=position_of(TRACE, " of"))))
    expect(chosen(page, 0)).to_have_text("of")


def test_the_form_keeps_its_looks_beside_another_view(mount: Callable[..., Page]) -> None:
    """Every sheet applies to the whole page, in whatever order the views came."""
    form = AskForm(lambda _picture, _question: Job("none", lambda _progress: None, lambda: False))
    page = mount(form, width=1000)
    looks = """() => ["img", ".vlms-frame", ".vlms-controls", ".vlms-mark"].map((part) => {
      const el = document.querySelector(`.vlms-ask-form ${part}`);
      const { objectFit, width, paddingTop, borderRadius } = getComputedStyle(el);
      return [objectFit, width, paddingTop, borderRadius];
    })"""
    alone = page.evaluate(looks)
    mount_on(page, TokenImageView(TRACE))
    assert page.evaluate(looks) == alone
