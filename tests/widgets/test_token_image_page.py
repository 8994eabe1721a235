"""The token-and-image view as a reader of an exported page uses it: clicking, keys, painting."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

import explore
from explore.layout import TokenLayout
from tests.browser import click_cell, pixels
from tests.widgets.samples import position_of, sample_grid, sample_trace
from widgets import TokenImageView
from widgets.colormaps import tables

pytestmark = pytest.mark.browser

TRACE = sample_trace()
Show = Callable[..., Page]


def painted(view_map: np.ndarray, highest: float) -> np.ndarray:
    """What the heat canvas must hold without fading: each value's colour on the scale of all tokens, (cells, 3)."""
    table = np.frombuffer(tables()["viridis"], np.uint8).reshape(256, 3)
    return table[np.rint(view_map.ravel() / highest * 255).astype(int)]


def assert_painted(page: Page, expected: np.ndarray, index: int = 0) -> None:
    got = np.array(pixels(page, index)).reshape(-1, 4)
    assert (got[:, 3] == 255).all()
    # Quantisation may move a value by one step of the table.
    assert np.abs(got[:, :3].astype(int) - expected.astype(int)).max() <= 6


def test_clicking_a_token_paints_its_map(show: Show) -> None:
    maps = explore.maps.token_activation_maps(TRACE)
    page = show(TokenImageView(TRACE, maps, fade=False, words=False))
    for text in (" house", " drag", " red"):
        page.get_by_role("option", name=text.strip(), exact=True).click()
        assert_painted(page, painted(maps[position_of(TRACE, text)], maps.array.max()))
        expect(page.get_by_role("option", name=text.strip(), exact=True)).to_have_attribute("aria-selected", "true")
    expect(page.locator(".vlms-chip[aria-selected=true]")).to_have_count(1)


def test_words_paint_the_map_of_all_their_pieces(show: Show) -> None:
    maps = explore.maps.token_activation_maps(TRACE)
    page = show(TokenImageView(TRACE, maps, fade=False))
    page.get_by_role("option", name="dragonfly").click()
    assert_painted(page, painted(maps.flat(maps.find("dragonfly")[0]), maps.array.max()))
    page.get_by_label("Whole words").uncheck()
    expect(page.get_by_role("option", name="fly", exact=True)).to_be_visible()
    assert_painted(page, painted(maps[position_of(TRACE, " drag")], maps.array.max()))


def test_methods_are_one_click_away(show: Show) -> None:
    page = show(TokenImageView(TRACE, fade=False))
    page.get_by_role("option", name="house").click()
    for label, name in (("Random", "random"), ("Logit", "logit"), ("Token activation", "tam")):
        page.get_by_role("radio", name=label).check()
        maps = explore.maps.METHODS[name]().maps(TRACE)
        assert_painted(page, painted(maps[position_of(TRACE, " house")], maps.array.max()))
        expect(page.get_by_role("status")).to_contain_text(label)


def test_the_scale_of_one_word_uses_all_colours(show: Show) -> None:
    page = show(TokenImageView(TRACE, fade=False, words=False))
    page.get_by_role("option", name="of", exact=True).click()
    page.get_by_label("Scale over").select_option("each")
    brightest = np.frombuffer(tables()["viridis"], np.uint8).reshape(256, 3)[-1].tolist()
    assert brightest in np.array(pixels(page)).reshape(-1, 4)[:, :3].tolist()
    page.get_by_label("Colours").select_option("magma")
    brightest = np.frombuffer(tables()["magma"], np.uint8).reshape(256, 3)[-1].tolist()
    assert brightest in np.array(pixels(page)).reshape(-1, 4)[:, :3].tolist()


def test_opacity_and_smoothness_reach_the_canvas(show: Show) -> None:
    page = show(TokenImageView(TRACE))
    heat = page.locator("canvas.vlms-heat")
    page.get_by_label("Opacity").fill("0.4")
    expect(heat).to_have_css("opacity", "0.4")
    page.get_by_label("Smooth").uncheck()
    expect(heat).to_have_css("image-rendering", "pixelated")


def test_fading_lets_the_picture_through_where_values_are_low(show: Show) -> None:
    page = show(TokenImageView(TRACE))
    page.get_by_role("option", name="house").click()
    alpha = np.array(pixels(page)).reshape(-1, 4)[:, 3]
    values = explore.maps.token_activation_maps(TRACE)[position_of(TRACE, " house")].ravel()
    assert alpha[values.argmax()] == 255
    assert alpha[values.argmin()] < 40


def test_keys_walk_the_answer(show: Show) -> None:
    page = show(TokenImageView(TRACE))
    page.get_by_role("option", name="red").click()
    for key, text in (
        ("ArrowRight", "dragonfly"),
        ("ArrowDown", "left"),
        ("ArrowLeft", "dragonfly"),
        ("Home", "A"),
        ("ArrowLeft", "A"),
        ("End", "</s>"),
        ("ArrowRight", "</s>"),
        ("ArrowUp", "."),
        ("b", "blue"),
    ):
        page.keyboard.press(key)
        chosen = page.locator(".vlms-chip[aria-selected=true]")
        expect(chosen).to_have_text(text)
        expect(chosen).to_be_focused()
    expect(page.get_by_role("status")).to_contain_text("blue")


def test_typing_finds_a_word_and_the_same_letter_the_next(show: Show) -> None:
    page = show(TokenImageView(TRACE))
    page.get_by_role("option", name="red").click()
    chosen = page.locator(".vlms-chip[aria-selected=true]")
    page.keyboard.type("ho")
    expect(chosen).to_have_text("house")
    page.wait_for_timeout(800)
    page.keyboard.press("a")
    expect(chosen).to_have_text("A")
    page.wait_for_timeout(800)
    page.keyboard.press("a")
    expect(chosen).to_have_text("a")


def test_each_list_and_each_picture_is_one_tab_stop(show: Show) -> None:
    page = show(TokenImageView(TRACE))
    assert page.locator(".vlms-tokens [tabindex='0']").count() == 2
    stops = page.evaluate(
        "[...document.querySelectorAll('.vlms [tabindex=\"0\"]')].map((el) => el.getAttribute('role'))"
    )
    assert sorted(stops) == ["grid", "option", "option"]


def test_clicking_a_patch_shows_which_words_looked_there(show: Show) -> None:
    maps = explore.maps.token_activation_maps(TRACE)
    page = show(TokenImageView(TRACE, maps, words=False))
    row, col = np.unravel_index(maps[position_of(TRACE, " house")].argmax(), (12, 12))
    click_cell(page, int(row), int(col), 12, 12)
    expect(page.get_by_text(f"Who looked at row {row}, column {col}")).to_be_visible()
    bars = page.locator(".vlms-bar")
    values = maps.array[:, int(row) * 12 + int(col)]
    shown = [float(text) for text in bars.locator(".vlms-number").all_inner_texts()]
    np.testing.assert_allclose(shown, np.sort(values)[::-1][: len(shown)], atol=0.003)
    assert bars.first.locator(".vlms-bar-text").inner_text() == maps.tokens[values.argmax()].text.strip()
    chip = page.get_by_role("option", name="house", exact=True)
    assert float(chip.evaluate("(chip) => chip.style.getPropertyValue('--strength')")) > 0.8
    bars.first.click()
    expect(page.locator(".vlms-chip[aria-selected=true]")).to_have_text("house")
    page.keyboard.press("Escape")
    expect(page.get_by_text("Who looked at")).to_have_count(0)


def test_shift_gathers_patches_and_shows_their_mean(show: Show) -> None:
    maps = explore.maps.token_activation_maps(TRACE)
    page = show(TokenImageView(TRACE, maps, words=False))
    click_cell(page, 3, 8, 12, 12)
    click_cell(page, 8, 3, 12, 12, modifiers=["Shift"])
    expect(page.get_by_text("Who looked at 2 patches (mean)")).to_be_visible()
    mean = maps.array[:, [3 * 12 + 8, 8 * 12 + 3]].mean(axis=1).max()
    assert float(page.locator(".vlms-bar .vlms-number").first.inner_text()) == pytest.approx(mean, abs=0.003)
    click_cell(page, 3, 8, 12, 12, modifiers=["Shift"])
    expect(page.get_by_text("Who looked at row 8, column 3")).to_be_visible()
    click_cell(page, 8, 3, 12, 12)
    expect(page.locator(".vlms-mark.pinned")).to_have_count(0)


def test_keys_walk_and_pin_patches(show: Show) -> None:
    page = show(TokenImageView(TRACE))
    grid = page.get_by_role("grid")
    cell = page.get_by_role("gridcell")
    grid.focus()
    for key, place in (
        ("ArrowRight", (0, 1)),
        ("ArrowDown", (1, 1)),
        ("End", (1, 11)),
        ("PageDown", (11, 11)),
        ("Control+Home", (0, 0)),
        ("ArrowLeft", (0, 0)),
        ("Control+End", (11, 11)),
        ("Home", (11, 0)),
    ):
        page.keyboard.press(key)
        expect(cell).to_contain_text(f"row {place[0]}, column {place[1]}")
        expect(cell).to_have_attribute("aria-colindex", str(place[1] + 1))
    page.keyboard.press("Enter")
    expect(page.get_by_text("Who looked at row 11, column 0")).to_be_visible()
    expect(cell).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Escape")
    expect(page.get_by_text("Who looked at")).to_have_count(0)


def test_the_value_under_the_pointer_is_honest(show: Show) -> None:
    maps = explore.maps.token_activation_maps(TRACE)
    page = show(TokenImageView(TRACE, maps, words=False))
    page.get_by_role("option", name="house").click()
    box = page.get_by_role("grid").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 8.5 / 12 * box["width"], box["y"] + 4.5 / 12 * box["height"])
    readout = page.locator(".vlms-readout")
    expect(readout).to_contain_text("row 4, column 8: ")
    value = maps[position_of(TRACE, " house")][4, 8]
    assert float(readout.inner_text().split(": ")[1]) == pytest.approx(value, abs=0.0025)


def test_the_table_says_the_same_in_words(show: Show) -> None:
    maps = explore.maps.token_activation_maps(TRACE)
    page = show(TokenImageView(TRACE, maps, words=False))
    page.get_by_role("option", name="house").click()
    page.get_by_label("Table").check()
    first = page.locator(".vlms-table tbody tr").first.locator("td").all_inner_texts()
    values = maps[position_of(TRACE, " house")]
    row, col = np.unravel_index(values.argmax(), values.shape)
    assert first[:2] == [str(row), str(col)]
    assert float(first[2]) == pytest.approx(values.max(), abs=0.003)
    expect(page.locator(".vlms-table tbody tr")).to_have_count(10)


def test_the_live_region_names_token_peak_and_method(show: Show) -> None:
    maps = explore.maps.token_activation_maps(TRACE)
    position = position_of(TRACE, " house")
    page = show(TokenImageView(TRACE, maps, words=False))
    page.get_by_role("option", name="house").click()
    row, col = np.unravel_index(maps[position].argmax(), (12, 12))
    status = page.get_by_role("status")
    expect(status).to_contain_text(f"Token {position} “house” · peak")
    expect(status).to_contain_text(f"at row {row}, column {col} · Token activation")
    assert status.get_attribute("aria-live") == "polite"


def test_every_picture_gets_its_part_of_the_map(show: Show) -> None:
    trace = sample_trace(pictures=2)
    maps = explore.maps.token_activation_maps(trace)
    page = show(TokenImageView(trace, maps, fade=False))
    page.get_by_role("option", name="house").click()
    both = maps[position_of(trace, " house")]
    for index in (0, 1):
        assert_painted(page, painted(both[index], maps.array.max()), index)
    click_cell(page, 2, 3, 12, 12, grid=1)
    expect(page.get_by_text("Who looked at Image 1, row 2, column 3")).to_be_visible()


def test_a_run_without_maps_still_shows_tokens_and_says_why(show: Show) -> None:
    page = show(TokenImageView(replace(TRACE, columns=None)))
    expect(page.locator(".vlms-notice")).to_contain_text("RecordingPlan(columns=True)")
    for hidden in (".vlms-legend", ".vlms-looks", ".vlms-panel", ".vlms-key"):
        expect(page.locator(hidden)).to_be_hidden()
    expect(page.get_by_label("Table")).to_be_hidden()
    page.get_by_role("option", name="house").click()
    expect(page.get_by_role("status")).to_contain_text("no map")
    assert not any(pixels(page))


@pytest.mark.parametrize(("size", "width"), [((300, 700), 1000), ((300, 700), 480), ((1400, 300), 1000)])
def test_pictures_keep_their_shape(show: Show, size: tuple[int, int], width: int) -> None:
    layout = TokenLayout(TRACE.layout.roles, (sample_grid(12, 12, 1, 0, size),))
    trace = replace(TRACE, images=(Image.new("RGB", size, "teal"),), layout=layout)
    page = show(TokenImageView(trace), width=width)
    for part in (".vlms-frame", ".vlms-frame img", "canvas.vlms-heat"):
        box = page.locator(part).bounding_box()
        assert box is not None
        assert box["width"] / box["height"] == pytest.approx(size[0] / size[1], rel=0.02), part
        assert box["height"] <= 461


def test_a_run_without_pictures_shows_its_maps_and_says_so(show: Show) -> None:
    page = show(TokenImageView(replace(TRACE, images=()), fade=False))
    expect(page.locator(".vlms-notice")).to_have_text("This run kept no pictures: its maps stand on an empty frame.")
    page.get_by_role("option", name="house").click()
    assert any(pixels(page))
    click_cell(page, 3, 8, 12, 12)
    expect(page.get_by_text("Who looked at row 3, column 8")).to_be_visible()


def test_silence_is_said(show: Show) -> None:
    page = show(TokenImageView(sample_trace(answer=(), question=())))
    expect(page.get_by_text("Nothing was asked.")).to_be_visible()
    expect(page.get_by_text("Nothing was said.")).to_be_visible()


def test_several_tokens_are_named_from_first_to_last(show: Show) -> None:
    first = position_of(TRACE, " drag")
    page = show(TokenImageView(TRACE))
    page.get_by_role("option", name="dragonfly").click()
    expect(page.get_by_role("status")).to_contain_text(f"Tokens {first}–{first + 2} “dragonfly”")


def test_the_readout_says_what_it_is_for(show: Show) -> None:
    page = show(TokenImageView(TRACE))
    expect(page.locator(".vlms-readout")).to_have_text("Point at the picture to read values.")
    page.get_by_role("grid").hover()
    expect(page.locator(".vlms-readout")).to_contain_text("row ")


def test_the_lower_ones_are_one_button_away(show: Show) -> None:
    page = show(TokenImageView(TRACE, words=False))
    click_cell(page, 3, 8, 12, 12)
    bars = page.locator(".vlms-bar")
    expect(bars).to_have_count(8)
    count = page.locator(".vlms-chip").count()
    page.get_by_role("button", name=f"and {count - 8} lower").click()
    expect(bars).to_have_count(count)
    expect(bars.nth(8)).to_be_focused()
    bars.nth(9).click()
    expect(bars).to_have_count(count)
    page.get_by_role("button", name="only the highest 8").click()
    expect(bars).to_have_count(8)
    page.get_by_role("button", name="lower").click()
    click_cell(page, 8, 3, 12, 12)
    expect(bars).to_have_count(8)


def test_a_setting_paints_once_and_says_nothing_new(show: Show) -> None:
    page = show(TokenImageView(TRACE))
    page.evaluate(
        """() => {
          window.painted = window.said = 0;
          document.addEventListener("vlmscope:painted", () => painted++);
          const changes = { childList: true, characterData: true, subtree: true };
          new MutationObserver(() => said++).observe(document.querySelector("[role=status]"), changes);
        }"""
    )
    page.get_by_label("Opacity").fill("0.4")
    expect(page.locator("canvas.vlms-heat")).to_have_css("opacity", "0.4")
    assert page.evaluate("[painted, said]") == [1, 0]
    page.get_by_role("radio", name="Logit").check()
    expect(page.get_by_role("status")).to_contain_text("Logit")
    assert page.evaluate("painted") == 2


def test_a_screen_reader_is_led_to_every_patch_by_the_names_on_the_screen(show: Show) -> None:
    page = show(TokenImageView(TRACE))
    grid, cell = page.get_by_role("grid"), page.get_by_role("gridcell")
    grid.focus()
    seen = set()
    for row, col in ((0, 1), (0, 2), (1, 2)):
        page.keyboard.press("ArrowRight" if row == 0 else "ArrowDown")
        expect(cell).to_contain_text(f"row {row}, column {col}")
        expect(page.get_by_role("row")).to_have_attribute("aria-rowindextext", str(row))
        expect(cell).to_have_attribute("aria-colindextext", str(col))
        expect(grid).to_have_attribute("aria-activedescendant", cell.get_attribute("id") or "none")
        seen.add(cell.get_attribute("id"))
    assert len(seen) == 3


def test_a_long_caption_does_not_widen_its_table(show: Show) -> None:
    page = show(TokenImageView(sample_trace(answer=(" " + "w" * 300, " end")), table=True))
    page.get_by_role("option").filter(has_text="www").click()
    box = page.locator(".vlms-table").bounding_box()
    assert box is not None
    assert box["width"] < 420
    expect(page.locator("caption")).to_have_css("white-space", "nowrap")
