"""The lens view as a reader of an exported page uses it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect

from explore.lens import control
from tests.browser import click_cell, pixels
from tests.widgets import lens_samples
from tests.widgets.samples import sample_trace
from widgets import LensView, Selection

pytestmark = pytest.mark.browser

TRACE = sample_trace()
CAT, HOUSE, GRASS = (8, 3), (4, 8), (0, 0)
Show = Callable[..., Page]


def made(**options: Any) -> LensView:
    latent = lens_samples.phrases(TRACE)
    random = replace(latent, control="random", scores=latent.scores - np.float32(0.5))
    readings = [lens_samples.vocabulary(TRACE), latent, control(latent, "shuffled"), random]
    return LensView(readings, TRACE, **options)


def click(page: Page, cell: tuple[int, int], **options: Any) -> None:
    click_cell(page, *cell, 12, 12, **options)


def card(page: Page, name: str) -> Locator:
    return page.get_by_role("region", name=name, exact=True)


def coloured(page: Page) -> np.ndarray:
    """Which cells have a colour, (12, 12)."""
    return np.array(pixels(page)).reshape(12, 12, 4)[..., 3] > 0


def test_a_click_says_what_the_patch_says_under_every_lens(show: Show) -> None:
    page = show(made())
    click(page, CAT)
    expect(card(page, "Logit lens").locator(".vlms-label")).to_have_text(["cat", "<b>&amp;"])
    expect(card(page, "LatentLens").locator(".vlms-label")).to_have_text(["cat", "mist"])
    expect(page.get_by_role("status")).to_contain_text("Layer 2 · row 8, column 3 · “cat”")
    click(page, HOUSE)
    expect(card(page, "Logit lens").locator(".vlms-label").first).to_have_text("house")


def test_one_place_of_a_sentence_is_shown_once_with_all_its_layers(show: Show) -> None:
    page = show(made())
    click(page, CAT)
    first = card(page, "LatentLens").get_by_role("listitem").first
    expect(first.locator(".vlms-tag")).to_have_text(["L4", "L2"])
    expect(first.locator("mark")).to_have_text("cat")
    expect(first.locator(".vlms-phrase")).to_have_text("\U0001f409 a red cat sits on the grass, far …")
    expect(first.locator(".vlms-number")).to_have_text("0.900")
    expect(card(page, "LatentLens").get_by_role("listitem").nth(1).locator("mark")).to_have_count(0)


def test_the_slider_and_the_table_move_through_the_layers(show: Show) -> None:
    page = show(made())
    click(page, CAT)
    table = page.get_by_role("table")
    expect(table.locator("tbody tr")).to_have_count(3)
    expect(table.locator("tr.current th")).to_have_text("2")
    page.get_by_label("Layer", exact=True).press("ArrowLeft")
    expect(table.locator("tr.current th")).to_have_text("0")
    expect(card(page, "Logit lens").locator(".vlms-label").first).to_have_text("grass")
    table.get_by_role("button", name="4").click()
    expect(page.get_by_label("Layer", exact=True)).to_have_value("2")
    expect(table.get_by_role("button", name="4")).to_be_focused()
    page.get_by_label("All layers").uncheck()
    expect(table).to_have_count(0)


def test_a_typed_word_colours_the_patches_that_say_it(show: Show) -> None:
    page = show(made())
    cats = np.array([label.text == " cat" for label in lens_samples.vocabulary(TRACE).grid(2).ravel()]).reshape(12, 12)
    assert coloured(page).all()
    page.get_by_label("Where is it said?").fill(" CAT")
    np.testing.assert_array_equal(coloured(page), cats)
    page.get_by_label("Where is it said?").fill("zebra")
    expect(page.get_by_text("No patch says “zebra” in this layer.")).to_be_visible()
    assert not coloured(page).any()
    page.get_by_role("button", name="Clear").click()
    assert coloured(page).all()
    expect(page.get_by_label("Where is it said?")).to_be_focused()


def test_a_label_and_a_frequent_word_are_words_to_look_for(show: Show) -> None:
    page = show(made())
    click(page, HOUSE)
    card(page, "Logit lens").get_by_role("button", name="house").click()
    expect(page.get_by_label("Where is it said?")).to_have_value("house")
    expect(card(page, "Logit lens").get_by_role("button", name="house")).to_have_attribute("aria-pressed", "true")
    often = page.get_by_role("group", name="Words said most in this layer")
    often.get_by_role("button", name="cat").click()
    expect(page.get_by_label("Where is it said?")).to_have_value("cat")
    often.get_by_role("button", name="cat").click()
    expect(page.get_by_label("Where is it said?")).to_have_value("")


def test_an_exact_map_is_shown_for_its_lens(show: Show) -> None:
    page = show(made(maps={"boat": lens_samples.exact(TRACE)}, lens="LatentLens", word="boat"))
    assert coloured(page).all()
    expect(page.get_by_text("Colour: share of “boat”, of every patch.")).to_be_visible()
    click(page, (3, 6))
    expect(page.locator(".vlms-readout")).to_contain_text("“boat” 0.500")
    page.get_by_role("radio", name="Logit lens").check()
    assert not coloured(page).any()


def test_controls_are_told_in_numbers(show: Show) -> None:
    page = show(made())
    click(page, CAT)
    expect(card(page, "LatentLens")).to_contain_text("the best label stays the same at")
    expect(card(page, "LatentLens")).to_contain_text("best labels score 0.400, this lens’ 0.900 (medians); 100 % of")
    expect(card(page, "Logit lens").locator(".vlms-control")).to_have_count(0)


def test_the_keyboard_walks_keeps_and_lets_go(show: Show) -> None:
    page = show(made())
    grid = page.get_by_role("grid")
    click(page, HOUSE)
    grid.press("Escape")
    expect(page.get_by_text("Arrow keys move, Enter keeps, Escape lets go.")).to_be_visible()
    for _ in range(5):
        grid.press("ArrowLeft")
    expect(page.get_by_text("What row 4, column 3 says in layer 2")).to_be_visible()
    grid.press("Enter")
    grid.press("ArrowUp")
    expect(page.get_by_text("What row 4, column 3 says in layer 2")).to_be_visible()
    expect(page.locator(".vlms-readout")).to_contain_text("row 3, column 3")


def test_notes_are_shown_and_texts_are_never_markup(show: Show) -> None:
    note = '<img src=x onerror="window.hacked=1"> was left out.'
    latent = lens_samples.phrases(TRACE, [note])
    page = show(LensView([latent, control(latent, "shuffled")], TRACE))
    expect(page.locator(".vlms-notice")).to_have_text([f"LatentLens: {note}"])
    assert page.evaluate("window.hacked") is None


def test_a_layer_that_one_lens_did_not_read_is_said(show: Show) -> None:
    whole = lens_samples.vocabulary(TRACE)
    some = replace(
        whole,
        layers=whole.layers[:2],
        ids=whole.ids[:2],
        scores=whole.scores[:2],
        probabilities=whole.probabilities[:2],
    )
    page = show(LensView([lens_samples.phrases(TRACE), some], TRACE, selection=Selection(layer=4, patch=1)))
    expect(card(page, "Logit lens")).to_contain_text("Layer 4 was not read: there are 0, 2.")


def test_drift_is_drawn_with_a_line_for_the_patch(show: Show) -> None:
    page = show(made(drift=lens_samples.drift(TRACE)))
    chart = page.get_by_role("img", name="Length of states. Layers 0, 2, 4.")
    expect(chart).to_have_attribute(
        "aria-label",
        "Length of states. Layers 0, 2, 4. "
        "visual tokens, median: 1.00, 10.0, 100; text tokens, median: 1.00, 10.0, 100; this patch: 1.00, 10.0, 100",
    )
    expect(chart.locator("polyline")).to_have_count(3)
    assert chart.locator("polyline").first.evaluate("(line) => line.getBBox().width") > 100


def test_views_of_one_run_share_patch_and_layer(show: Show) -> None:
    page = show(made(), LensView(lens_samples.vocabulary(TRACE), TRACE))
    click(page, CAT)
    page.get_by_label("Layer", exact=True).first.press("ArrowRight")
    expect(page.get_by_role("status").nth(1)).to_contain_text("Layer 4 · row 8, column 3")


def test_nothing_sticks_out_where_it_is_narrow(show: Show) -> None:
    page = show(made(drift=lens_samples.drift(TRACE)), width=360)
    click(page, CAT)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
