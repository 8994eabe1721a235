"""Learned queries on an exported page: choosing a query, a word, a patch; keys; what is said."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from explore.maps import query_attention
from tests.browser import click_cell, pixels
from tests.query_traces import query_trace
from tests.widgets.test_token_image_page import assert_painted, painted
from widgets import Selection, TokenImageView, Workbench

pytestmark = pytest.mark.browser

TRACE = query_trace(((4, 5),), 6)
TWO = query_trace()
MAPS = query_attention(TRACE)
Show = Callable[..., Page]


def scaled(values: np.ndarray) -> np.ndarray:
    """Colours on the scale of the map alone, (cells, 3)."""
    return painted(values.ravel() - values.min(), float(values.max() - values.min()))


def position(text: str) -> int:
    return next(token.position for token in TRACE.tokens if token.text == text and token.role == "answer")


def test_choosing_a_query_paints_where_it_looks(show: Show) -> None:
    page = show(TokenImageView(TRACE, fade=False))
    for number in (0, 3, 5):
        page.get_by_role("option", name=f"q{number}", exact=True).click()
        assert_painted(page, scaled(MAPS[int(MAPS.positions[number])]))
        expect(page.locator(".vlms-shown")).to_contain_text(f"Where query q{number} looks")
    expect(page.get_by_role("region", name="Details")).to_contain_text("80.0 % of its attention lies on the patches")
    expect(page.get_by_role("status")).to_contain_text("Query q5")


def test_choosing_a_word_paints_its_proxy_and_says_so(show: Show) -> None:
    page = show(TokenImageView(TRACE, fade=False))
    page.get_by_role("option", name="q2", exact=True).click()
    page.get_by_role("option", name="house", exact=True).click()
    assert_painted(page, scaled(MAPS.through(position(" house")).map))
    expect(page.locator(".vlms-shown")).to_contain_text("two-step proxy")
    expect(page.get_by_role("status")).to_contain_text("a two-step proxy")
    expect(page.get_by_role("region", name="Details")).to_contain_text("Not what the model computed")
    page.get_by_role("radio", name="All queries alike").check()
    assert_painted(page, scaled(MAPS.array.mean(axis=0)))
    expect(page.locator(".vlms-shown")).to_contain_text("control")
    expect(page.get_by_role("region", name="Details")).to_contain_text("A control")


def test_the_joint_scale_spans_all_queries(show: Show) -> None:
    page = show(TokenImageView(TRACE, fade=False, scale="joint", selection=Selection(patch=int(MAPS.positions[1]))))
    lowest = MAPS.array.min()
    assert_painted(page, painted(MAPS.array[1] - lowest, float(MAPS.array.max() - lowest)))


def test_what_a_word_used_leads_to_the_query_and_back(show: Show) -> None:
    page = show(TokenImageView(TRACE))
    page.get_by_role("option", name="house", exact=True).click()
    weights = MAPS.through(position(" house")).use.weights
    most = int(weights.argmax())
    first = page.locator(".vlms-bar").first
    expect(first).to_contain_text(f"q{most}")
    first.click()
    expect(page.get_by_role("option", name=f"q{most}", exact=True)).to_have_attribute("aria-selected", "true")
    expect(page.locator(".vlms-shown")).to_contain_text("Where query")
    page.keyboard.press("Escape")
    expect(page.locator(".vlms-shown")).to_contain_text("house")
    expect(page.locator(".vlms-queries .vlms-chip[aria-selected=true]")).to_have_count(0)


def test_a_patch_says_which_queries_look_there(show: Show) -> None:
    page = show(TokenImageView(TRACE))
    click_cell(page, 3, 4, 4, 5)
    details = page.get_by_role("region", name="Details")
    expect(details).to_contain_text("Queries that look at row 3, column 4")
    expect(details.locator(".vlms-bar").first).to_contain_text(f"q{MAPS.array[:, 19].argmax()}")
    expect(page.locator(".vlms-mark.pinned")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(page.locator(".vlms-mark.pinned")).to_have_count(0)
    expect(details).to_contain_text("Click a patch")


def test_keys_walk_the_queries(show: Show) -> None:
    page = show(TokenImageView(TRACE))
    page.get_by_role("option", name="q0", exact=True).click()
    for key, name in (("ArrowRight", "q1"), ("End", "q5"), ("ArrowLeft", "q4"), ("Home", "q0")):
        page.keyboard.press(key)
        chip = page.get_by_role("option", name=name, exact=True)
        expect(chip).to_be_focused()
        expect(chip).to_have_attribute("aria-selected", "true")
    expect(page.get_by_role("status")).to_contain_text("Query q0")


def test_every_picture_has_its_own_queries(show: Show) -> None:
    page = show(Workbench(TWO, fade=False).view)
    expect(page.get_by_role("listbox", name="Queries · Image 1")).to_contain_text("q4")
    page.get_by_role("option", name="q5", exact=True).click()
    maps = query_attention(TWO)
    second = maps[int(maps.positions[5])]
    assert_painted(page, painted(second, float(second.max())), index=1)
    assert len(set(map(tuple, np.array(pixels(page, 0)).reshape(-1, 4)))) == 1  # nothing of it in the first picture


def test_the_table_names_the_strongest_patches(show: Show) -> None:
    page = show(TokenImageView(TRACE, table=True, selection=Selection(patch=int(MAPS.positions[0]))))
    row, col = np.unravel_index(MAPS[int(MAPS.positions[0])].argmax(), (4, 5))
    expect(page.locator(".vlms-table tbody tr").first).to_contain_text(f"1{row}{col}")


def test_a_query_is_reported_to_python_by_position(mount: Show) -> None:
    page = mount(TokenImageView(TRACE))
    page.get_by_role("option", name="q3", exact=True).click()
    page.wait_for_function(f"models[0].state.selection.patch === {int(MAPS.positions[3])}")


def test_without_a_record_it_says_how_to_get_one(show: Show) -> None:
    page = show(TokenImageView(replace(TRACE, vision={})))
    expect(page.locator(".vlms-notice").nth(1)).to_contain_text('RecordingPlan(vision=("query_attention",))')
    expect(page.locator(".vlms-figure img")).to_be_visible()
    expect(page.locator(".vlms-queries")).to_have_count(1)
    expect(page.locator(".vlms-queries")).to_be_hidden()
    page.get_by_role("option", name="house", exact=True).click()
    expect(page.get_by_role("option", name="house", exact=True)).to_have_attribute("aria-selected", "true")
