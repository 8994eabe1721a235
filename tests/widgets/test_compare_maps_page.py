"""The comparison as a reader of an exported page uses it: linked panels, and how a map was made."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from playwright.sync_api import expect

from explore.layout import TokenLayout
from explore.maps import METHODS
from tests.browser import click_cell, pixels
from tests.widgets.comparing import (
    CAT,
    LABELS,
    MAPS,
    MASKS,
    TRACE,
    Show,
    choose,
    panel,
)
from tests.widgets.samples import HOSTILE, answer_maps, position_of, sample_grid, sample_trace
from widgets import CompareMaps, TokenImageView
from widgets.colormaps import tables

pytestmark = pytest.mark.browser


def test_one_token_shows_in_every_panel_on_one_scale(show: Show) -> None:
    page = show(CompareMaps(TRACE, MAPS, fade=False))
    choose(page, "house")
    highest = max(float(maps.array.max()) for maps in MAPS.values())
    table = np.frombuffer(tables()["viridis"], np.uint8).reshape(256, 3)
    for index, (label, maps) in enumerate(zip(LABELS, MAPS.values(), strict=True)):
        expect(panel(page, label)).to_be_visible()
        values = maps[position_of(TRACE, " house")].ravel()
        wanted = table[np.rint(values / highest * 255).astype(int)].astype(int)
        got = np.array(pixels(page, index)).reshape(-1, 4)[:, :3].astype(int)
        assert np.abs(got - wanted).max() <= 6, label
    expect(panel(page, "Random")).to_contain_text("control")
    expect(panel(page, "Logit")).not_to_contain_text("control")


def test_stretching_gives_every_panel_all_colours(show: Show) -> None:
    page = show(CompareMaps(TRACE, MAPS, fade=False, words=False))
    choose(page, "of")
    page.get_by_label("Stretch").check()
    ends = np.frombuffer(tables()["viridis"], np.uint8).reshape(256, 3)[[0, -1]].tolist()
    for index in range(3):
        colours = np.array(pixels(page, index)).reshape(-1, 4)[:, :3].tolist()
        assert ends[0] in colours
        assert ends[1] in colours


def test_a_patch_is_marked_and_read_in_every_panel(show: Show) -> None:
    page = show(CompareMaps(TRACE, MAPS, words=False))
    choose(page, "house")
    click_cell(page, 4, 8, 12, 12, grid=1)
    for label, maps in zip(LABELS, MAPS.values(), strict=True):
        expect(panel(page, label).locator(".vlms-mark.pinned")).to_have_count(1)
        said = panel(page, label).locator(".vlms-readout").inner_text()
        assert float(said.removeprefix("here ")) == pytest.approx(maps[position_of(TRACE, " house")][4, 8], abs=0.003)
    expect(page.get_by_role("status")).to_contain_text("row 4, column 8: ")
    expect(page.get_by_text("Shading: how much each token looked at the marked patch")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".vlms-mark.pinned")).to_have_count(0)


def test_what_lies_under_the_pointer_is_read_in_every_panel(show: Show) -> None:
    page = show(CompareMaps(TRACE, MAPS, words=False))
    choose(page, "house")
    box = page.get_by_role("grid").nth(2).bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 8.5 / 12 * box["width"], box["y"] + 4.5 / 12 * box["height"])
    expect(page.locator(".vlms-mark.hovered")).to_have_count(3)
    for label, maps in zip(LABELS, MAPS.values(), strict=True):
        said = panel(page, label).locator(".vlms-readout").inner_text()
        assert float(said.removeprefix("here ")) == pytest.approx(maps[position_of(TRACE, " house")][4, 8], abs=0.003)


def test_a_token_without_a_map_is_said_and_does_not_fail(show: Show) -> None:
    page = show(CompareMaps(TRACE, {**MAPS, "knockout": answer_maps(TRACE)}, masks=MASKS, region="cat", table=True))
    choose(page, "can")
    lacking = panel(page, "Attention knockout")
    expect(lacking).to_contain_text("No map for this token.")
    expect(lacking.locator(".vlms-inside")).to_be_hidden()
    assert not any(pixels(page, 3))
    row = page.locator(".vlms-shares tbody tr").filter(has_text="Attention knockout")
    expect(row.locator("td").nth(1)).to_have_text("–")
    expect(page.locator(".vlms-shares tbody tr").last).to_contain_text("Attention knockout")
    expect(page.locator(".vlms-methods-table tr").filter(has_text="Attention knockout")).to_contain_text("no map")
    choose(page, "house")
    expect(lacking).to_contain_text("highest")


def test_panels_can_be_left_out(show: Show) -> None:
    page = show(CompareMaps(TRACE, MAPS, region=(0, 0, 50, 50)))
    page.get_by_role("checkbox", name="Random").uncheck()
    expect(panel(page, "Random")).to_be_hidden()
    expect(panel(page, "Logit")).to_be_visible()
    expect(page.locator(".vlms-shares tbody tr").filter(has_text="Random")).to_be_visible()
    page.get_by_role("checkbox", name="Token activation").uncheck()
    expect(page.get_by_text("in each token’s map, by Logit.")).to_be_visible()


def test_how_a_map_was_made_is_one_click_away(show: Show) -> None:
    page = show(CompareMaps(TRACE, {**MAPS, "knockout": answer_maps(TRACE)}, words=False))
    choose(page, "house")
    button = panel(page, "Token activation").get_by_role("button", name="How it was made")
    button.click()
    expect(button).to_have_attribute("aria-expanded", "true")
    made = page.get_by_role("region", name="How “Token activation” was made")
    parts = MAPS["tam"].parts
    row = [token.position for token in MAPS["tam"].tokens].index(position_of(TRACE, " house"))
    expect(made).to_contain_text(f"{parts.scale[row]:.3g} × the interference of earlier tokens")
    expect(made).to_contain_text("became 1 (logits)")
    expect(made).to_contain_text("arXiv 2506.23270")
    expect(made).to_contain_text('METHODS["tam"](mode="paper", eci=True')
    expect(made.locator("figure b")).to_have_text(["Raw", "Subtracted", "Normalised", "Filtered"])
    pictures = made.locator("canvas").all()
    assert all(
        canvas.evaluate("(c) => c.getContext('2d').getImageData(0, 0, 12, 12).data.some(Boolean)")
        for canvas in pictures
    )
    before = made.inner_text()
    choose(page, "blue")
    expect(made).not_to_have_text(before)
    panel(page, "Attention knockout").get_by_role("button").click()
    other = page.get_by_role("region", name="How “Attention knockout” was made")
    expect(other).to_contain_text("logit lost")
    expect(other).to_contain_text("blue below 0")
    made.get_by_role("button", name="Close").click()
    expect(made).to_have_count(0)
    expect(button).to_be_focused()
    expect(button).to_have_attribute("aria-expanded", "false")
    expect(other).to_be_visible()


def test_the_pieces_of_a_word_have_steps_of_their_own(show: Show) -> None:
    page = show(CompareMaps(TRACE, MAPS, opened=["tam"]))
    choose(page, "dragonfly")
    made = page.get_by_role("region", name="How “Token activation” was made")
    before = made.locator("dl").inner_text()
    made.get_by_role("radio", name="fly").check()
    expect(made.locator("dl")).not_to_have_text(before)
    page.get_by_label("Opacity").fill("0.5")
    expect(made.get_by_role("radio", name="fly")).to_be_checked()
    choose(page, "house")
    expect(made.get_by_role("radio")).to_have_count(0)


def test_a_method_without_steps_says_so(show: Show) -> None:
    page = show(CompareMaps(TRACE, MAPS, opened=["random"]))
    made = page.get_by_role("region", name="How “Random” was made")
    expect(made).to_contain_text("The method has no steps to show")
    expect(made.locator("figure")).to_have_count(0)


def test_the_table_says_what_the_panels_show(show: Show) -> None:
    page = show(CompareMaps(TRACE, MAPS, words=False))
    choose(page, "house")
    page.get_by_label("Table").check()
    click_cell(page, 4, 8, 12, 12)
    rows = page.locator(".vlms-methods-table tbody tr")
    for index, maps in enumerate(MAPS.values()):
        values = maps[position_of(TRACE, " house")]
        highest, where, here = rows.nth(index).locator("td").all_inner_texts()
        assert float(highest) == pytest.approx(values.max(), abs=0.003)
        assert where == "row {}, column {}".format(*np.unravel_index(values.argmax(), values.shape))
        assert float(here) == pytest.approx(values[4, 8], abs=0.003)


def test_it_follows_other_views_and_they_follow_it(show: Show) -> None:
    page = show(CompareMaps(TRACE, MAPS), TokenImageView(TRACE))
    compare, single = page.locator(".vlms-compare-maps"), page.locator(".vlms-token-image")
    compare.get_by_role("option", name="blue", exact=True).click()
    expect(single.locator(".vlms-chip[aria-selected=true]")).to_have_text("blue")
    single.get_by_role("option", name="red", exact=True).click()
    expect(compare.locator(".vlms-chip[aria-selected=true]")).to_have_text("red")
    compare.get_by_role("grid").nth(2).click(position={"x": 40, "y": 40})
    expect(single.get_by_text("Who looked at")).to_be_visible()


@pytest.mark.parametrize(
    ("trace", "says"),
    [
        (replace(TRACE, images=()), "This run kept no pictures: its maps stand on empty frames."),
        (sample_trace(answer=(), question=()), "Nothing was said."),
        (replace(TRACE, layout=TokenLayout(TRACE.layout.roles, ()), images=()), "no visual tokens"),
    ],
    ids=["no pictures", "no words", "no visual tokens"],
)
def test_what_a_run_lacks_is_said(show: Show, trace: object, says: str) -> None:
    page = show(CompareMaps(trace))  # type: ignore[arg-type]
    expect(page.get_by_text(says).first).to_be_visible()


def test_methods_that_are_not_shown_are_listed_with_the_reason(show: Show) -> None:
    page = show(CompareMaps(TRACE))
    page.get_by_text("Methods that are not shown").click()
    expect(page.get_by_text("they run the model again")).to_be_visible()


@pytest.mark.parametrize("width", [480, 768, 1400])
def test_nothing_sticks_out_at_any_width(show: Show, width: int) -> None:
    trace = sample_trace(answer=(*HOSTILE, " house", "</s>"), pictures=2)
    view = CompareMaps(trace, masks=[{"w" * 90: CAT}], table=True, opened=["tam"], region="w" * 90)
    page = show(view, width=width)
    page.get_by_role("grid").first.click(position={"x": 30, "y": 30})
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    out = """() => [...document.querySelectorAll(".vlms *")].filter((el) => {
      if (el.closest(".vlms-hidden, .vlms-frame, .vlms-segmented input, option")) return false;
      const { left, right, width } = el.getBoundingClientRect();
      const root = el.closest(".vlms").getBoundingClientRect();
      return width > 0 && (left < root.left - 1 || right > root.right + 1);
    }).map((el) => el.className || el.tagName)"""
    assert page.evaluate(out) == []


def test_panels_stand_in_fewer_columns_where_it_is_narrow(show: Show) -> None:
    maps = {**MAPS, **{str(number): MAPS["random"] for number in range(4)}}
    counts = {}
    for width in (480, 1200):
        page = show(CompareMaps(TRACE, maps), width=width)
        tops = [box["y"] for each in page.locator(".vlms-method").all() if (box := each.bounding_box())]
        counts[width] = tops.count(tops[0])
    assert counts == {480: 2, 1200: 5}


def test_markup_in_tokens_masks_and_methods_is_text(show: Show) -> None:
    trace = sample_trace(answer=(*HOSTILE, " house", "</s>"))
    name = '<img src=x onerror="window.hacked=1">'
    maps = {name: METHODS["tam"]().maps(trace)}
    page = show(CompareMaps(trace, maps, masks={name: CAT}, region=name, opened=[name], table=True, words=False))
    choose(page, name)
    expect(page.locator(".vlms-shares caption")).to_contain_text(name)
    expect(page.locator(".vlms-method h3")).to_have_text(name)
    assert page.evaluate("window.hacked") is None


@pytest.mark.parametrize("size", [(300, 700), (1400, 300)])
def test_pictures_keep_their_shape(show: Show, size: tuple[int, int]) -> None:
    layout = TokenLayout(TRACE.layout.roles, (sample_grid(12, 12, 1, 0, size),))
    trace = replace(TRACE, images=(TRACE.images[0].resize(size),), layout=layout)
    page = show(CompareMaps(trace, region=(0, 0, 150, 150), opened=["tam"]))
    for part in (".vlms-frame", ".vlms-frame img", "canvas.vlms-heat", "canvas.vlms-outline"):
        box = page.locator(part).first.bounding_box()
        assert box is not None
        assert box["width"] / box["height"] == pytest.approx(size[0] / size[1], rel=0.03), part
        assert box["height"] <= 321


def test_a_setting_paints_once_and_says_nothing_new(show: Show) -> None:
    page = show(CompareMaps(TRACE, MAPS))
    page.evaluate(
        """() => {
          window.painted = window.said = 0;
          document.addEventListener("vlmscope:painted", () => painted++);
          const changes = { childList: true, characterData: true, subtree: true };
          new MutationObserver(() => said++).observe(document.querySelector("[role=status]"), changes);
        }"""
    )
    page.get_by_label("Opacity").fill("0.4")
    for canvas in page.locator("canvas.vlms-heat").all():
        expect(canvas).to_have_css("opacity", "0.4")
    assert page.evaluate("[painted, said]") == [1, 0]


def test_a_screen_reader_knows_which_panel_it_is_in(show: Show) -> None:
    page = show(CompareMaps(TRACE, MAPS))
    for label in LABELS:
        grid = panel(page, label).get_by_role("grid")
        expect(grid).to_have_accessible_name(re.compile(f"^Patches of {label}, .* Shift and arrow keys draw a box, "))
        expect(panel(page, label).get_by_role("button")).to_have_accessible_description(label)
