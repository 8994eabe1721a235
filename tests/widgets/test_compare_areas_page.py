"""Areas of the comparison in a browser: dragged, drawn by keys or picked, and what every method has inside."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from playwright.sync_api import expect

from explore.bench.metrics import METRICS, Truth
from explore.layout import TokenLayout
from explore.maps import METHODS
from tests.browser import click_cell
from tests.widgets.comparing import (
    CAT,
    HOUSE,
    LABELS,
    MAPS,
    MASKS,
    TRACE,
    Show,
    choose,
    drag,
    expected,
    outlined,
    panel,
    region,
    shares,
)
from tests.widgets.samples import position_of, sample_trace
from widgets import CompareMaps, TokenImageView
from widgets.coverage import box_cover, own_share
from widgets.masks import cells_of
from widgets.regions import Region

pytestmark = pytest.mark.browser


def test_dragging_a_box_measures_every_method(mount: Show) -> None:
    page = mount(CompareMaps(TRACE, MAPS, words=False))
    choose(page, "house")
    drag(page, 1, (0.55, 0.15), (0.97, 0.6))
    found = region(page)
    assert found is not None
    assert found.box == pytest.approx(
        [part * size for part, size in zip((0.55, 0.15, 0.97, 0.6), TRACE.images[0].size * 2, strict=True)], abs=1.1
    )
    cover = box_cover(cells_of(TRACE.layout, [0], 0), found.box)
    said = shares(page)
    assert said.pop("A uniform map") == pytest.approx(100 * own_share(cover), abs=0.1)
    for label, maps in zip(LABELS, MAPS.values(), strict=True):
        assert said[label] == pytest.approx(expected(maps, " house", cover), abs=0.3)
        expect(panel(page, label).locator(".vlms-inside")).to_have_text(f"inside {said[label]:.1f} %")
    assert list(said.values()) == sorted(said.values(), reverse=True)
    assert all(outlined(page, index) > 100 for index in range(3))
    expect(page.locator(".vlms-mark.pinned")).to_have_count(0)
    status = page.get_by_role("status")
    expect(status).to_contain_text("“house” · inside rows ")
    expect(status).to_contain_text("of the picture: ")
    expect(page.get_by_label("Area")).to_have_value("box")


def test_a_box_follows_the_pointer_but_is_told_when_it_is_finished(mount: Show) -> None:
    page = mount(CompareMaps(TRACE, MAPS))
    before = page.get_by_role("status").inner_text()
    drag(page, 0, (0.1, 0.1), (0.6, 0.6), drop=False)
    expect(page.locator(".vlms-shares")).to_be_visible()
    assert region(page) is None
    assert page.get_by_role("status").inner_text().split(" · ")[0] == before.split(" · ")[0]
    assert "inside" not in page.get_by_role("status").inner_text()
    page.mouse.up()
    assert region(page) is not None
    expect(page.get_by_role("status")).to_contain_text("inside rows")


def test_escape_gives_up_a_box_then_the_area_then_the_patch(mount: Show) -> None:
    page = mount(CompareMaps(TRACE, MAPS))
    click_cell(page, 2, 2, 12, 12)
    drag(page, 0, (0.1, 0.1), (0.6, 0.6))
    assert region(page) is not None
    drag(page, 0, (0.5, 0.5), (0.9, 0.9), drop=False)
    kept = region(page)
    page.keyboard.press("Escape")
    page.mouse.up()
    assert region(page) == kept
    page.keyboard.press("Escape")
    assert region(page) is None
    expect(page.locator(".vlms-shares")).to_have_count(0)
    assert outlined(page, 0) == 0
    expect(page.locator(".vlms-mark.pinned")).to_have_count(3)
    page.keyboard.press("Escape")
    expect(page.locator(".vlms-mark.pinned")).to_have_count(0)


def test_a_press_that_goes_nowhere_pins_and_a_drag_does_not(mount: Show) -> None:
    page = mount(CompareMaps(TRACE, MAPS))
    drag(page, 0, (0.3, 0.3), (0.305, 0.305))
    assert region(page) is None
    expect(page.locator(".vlms-mark.pinned")).to_have_count(3)
    drag(page, 0, (0.3, 0.3), (0.3, 0.8))
    box = region(page)
    assert box is not None
    assert box.box is not None
    assert box.box[2] - box.box[0] == 1, "at least a pixel wide"
    expect(page.locator(".vlms-mark.pinned")).to_have_count(3)


def test_shift_and_arrows_draw_a_box_from_the_selected_patch(mount: Show) -> None:
    page = mount(CompareMaps(TRACE, MAPS, words=False))
    choose(page, "house")
    click_cell(page, 2, 7, 12, 12)
    for key in ("ArrowRight", "ArrowRight", "ArrowDown", "ArrowLeft"):
        page.keyboard.press(f"Shift+{key}")
    width, height = TRACE.images[0].size
    side = np.array([width, height, width, height]) / 12
    found = region(page)
    assert found is not None
    assert found.box == pytest.approx(np.array([7, 2, 9, 4]) * side, abs=0.01)
    expect(page.get_by_role("status")).to_contain_text("inside rows 2–3, columns 7–8")
    values = MAPS["tam"][position_of(TRACE, " house")]
    assert shares(page)["Token activation"] == pytest.approx(100 * values[2:4, 7:9].sum() / values.sum(), abs=0.3)
    page.keyboard.press("Escape")
    page.keyboard.press("Shift+ArrowUp")
    found = region(page)
    assert found is not None
    assert found.box == pytest.approx(np.array([8, 2, 9, 4]) * side, abs=0.01), "a new box begins at the cursor"


def test_a_box_can_be_chosen_without_any_pointer(mount: Show) -> None:
    page = mount(CompareMaps(TRACE, MAPS))
    page.get_by_label("Area").select_option("box")
    found = region(page)
    assert found is not None
    width, height = TRACE.images[0].size
    assert found.box == pytest.approx(np.array([3, 3, 9, 9]) * np.array([width, height] * 2) / 12, abs=0.01)
    page.get_by_role("button", name="Clear").click()
    assert region(page) is None
    expect(page.get_by_role("button", name="Clear")).to_be_hidden()


def test_masks_are_picked_from_a_list(mount: Show) -> None:
    page = mount(CompareMaps(TRACE, MAPS, masks=MASKS, words=False))
    choose(page, "house")
    for name, mask in MASKS.items():
        page.get_by_label("Area").select_option(label=name)
        assert region(page) == Region(mask=name)
        truth = Truth(mask, TRACE.layout)
        said = shares(page)
        for label, maps in zip(LABELS, MAPS.values(), strict=True):
            wanted = METRICS["relevance_mass"]().measure(maps.flat(position_of(TRACE, " house")), truth)
            assert said[label] == pytest.approx(100 * wanted, abs=0.3)
        assert said["A uniform map"] == pytest.approx(100 * truth.cover.mean(), abs=0.1)
        expect(page.locator(".vlms-shares caption")).to_have_text(f"“house” inside “{name}”")
        assert outlined(page, 0) > 100
    choose(page, "blue")
    expect(page.locator(".vlms-shares caption")).to_have_text("“blue” inside “house”")


def test_python_sets_and_hears_the_area(mount: Show) -> None:
    page = mount(CompareMaps(TRACE, MAPS, masks=MASKS, region="cat"))
    expect(page.locator(".vlms-shares caption")).to_contain_text("inside “cat”")
    expect(page.get_by_label("Area")).to_have_value("0")
    page.evaluate(
        "() => { models[0].state.region = { box: [0, 0, 50, 60], mask: '', picture: 0 }; models[0].tell('region'); }"
    )
    expect(page.locator(".vlms-shares caption")).to_contain_text("inside rows 0–")


def test_several_pictures_have_a_picker_and_areas_keep_to_theirs(mount: Show) -> None:
    trace = sample_trace(pictures=2)
    maps = {name: METHODS[name]().maps(trace) for name in ("tam", "random")}
    page = mount(CompareMaps(trace, maps, masks=[{"cat": CAT}, {"house": HOUSE}], fade=False), TokenImageView(trace))
    view = page.locator(".vlms-compare-maps")
    picker = view.get_by_label("Picture", exact=True)
    picker.select_option(label="Image 1")
    drag(page, 0, (0.1, 0.1), (0.5, 0.5))
    assert page.evaluate("models[0].state.region.picture") == 1
    expect(page.locator(".vlms-shares caption")).to_contain_text("of Image 1")
    assert outlined(page, 0) > 100
    picker.select_option(label="Image 0")
    assert outlined(page, 0) == 0
    expect(page.locator(".vlms-shares caption")).to_contain_text("of Image 1")
    view.get_by_label("Area").select_option(label="house (Image 1)")
    expect(picker).to_have_value("1")
    page.locator(".vlms-token-image").get_by_role("grid").first.click(position={"x": 20, "y": 20})
    expect(picker).to_have_value("0")
    expect(view.locator(".vlms-mark.pinned")).to_have_count(2)


def test_a_padded_picture_measures_what_is_seen(mount: Show) -> None:
    grid = TRACE.layout.grids[0]
    left, top = np.meshgrid(np.arange(12) * 16.0, np.arange(12) * 16.0 - 40)
    boxes = np.stack([left, top, left + 16, top + 16], axis=-1)
    layout = TokenLayout(TRACE.layout.roles, (replace(grid, boxes=boxes, size=(192, 112)),))
    trace = replace(TRACE, layout=layout, images=(TRACE.images[0].resize((192, 112)),))
    maps = METHODS["random"]().maps(trace)
    view = CompareMaps(trace, {"random": maps}, region=(20, 0, 180, 60), words=False)
    page = mount(view)
    choose(page, "house")
    cover = box_cover(cells_of(layout, [0], 0), (20, 0, 180, 60))
    said = shares(page)
    assert said["A uniform map"] == pytest.approx(100 * own_share(cover), abs=0.1)
    assert said["Random"] == pytest.approx(expected(maps, " house", cover), abs=0.3)
