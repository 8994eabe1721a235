"""The flow view in a browser: a click on a layer, a head, a patched state or a node moves the one selection."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.widgets import flowing
from tests.widgets.flowing import HEADS, LAST, LAYERS, TRACE
from widgets import FlowView, TokenImageView

pytestmark = pytest.mark.browser
Show = Callable[..., Page]


def whole() -> FlowView:
    return FlowView(TRACE, flowing.curves(), flowing.heads(), flowing.cells(), flowing.graph())


def state(page: Page) -> dict[str, object]:
    found: dict[str, object] = page.evaluate("models[0].state.selection")
    return {name: found[name] for name in ("layer", "head", "token", "patch")}


def press_at(surface: Locator, across: float, down: float) -> None:
    surface.scroll_into_view_if_needed()
    box = surface.bounding_box()
    assert box is not None
    surface.click(position={"x": across * box["width"], "y": down * box["height"]})


def head_at(page: Page, layer: int, head: int) -> None:
    press_at(page.get_by_role("grid").first, (head + 0.5) / HEADS, 1 - (layer + 0.5) / LAYERS)


def test_a_layer_of_a_curve_is_marked_in_all_of_them(show: Show) -> None:
    page = show(whole())
    sliders = page.get_by_role("slider", name="layer")
    expect(sliders).to_have_count(2)
    press_at(sliders.first, (46 + 0.6 * 344) / 400, 0.5)
    expect(page.get_by_role("status")).to_contain_text("Layer 3")
    value = flowing.curves().of("image->last").relative_change[3]
    expect(page.locator(".curve .readout").nth(1)).to_contain_text(f"layers 2–4 cut: −{-value:.1f}")
    assert sliders.nth(1).get_attribute("aria-valuenow") == "3"


def test_keys_walk_through_layers_and_escape_lets_go(show: Show) -> None:
    page = show(whole())
    slider = page.get_by_role("slider", name="image->last")
    slider.focus()
    slider.press("End")
    slider.press("ArrowLeft")
    expect(slider).to_have_attribute("aria-valuenow", str(LAYERS - 2))
    slider.press("Escape")
    expect(page.get_by_role("status")).to_have_text("No layer selected.")


def test_a_head_selects_its_layer_too(mount: Show) -> None:
    page = mount(whole())
    head_at(page, 4, 1)
    value = flowing.heads().by_head[4, 1]
    expect(page.get_by_role("status")).to_contain_text(f"layer 4, head 1: +{value:.2f}")
    page.wait_for_function("models[0].state.selection.head === 1")
    assert state(page) == {"layer": 4, "head": 1, "token": None, "patch": None}
    page.get_by_role("grid").first.press("ArrowUp")
    expect(page.get_by_role("status")).to_contain_text("layer 5, head 1")


def test_a_missing_layer_says_that_it_has_no_number(show: Show) -> None:
    page = show(whole())
    head_at(page, 2, 0)
    expect(page.get_by_role("status")).to_contain_text("layer 2, head 0: –")


def test_a_patched_state_pins_its_patch_in_the_picture_beside(show: Show) -> None:
    page = show(whole(), TokenImageView(TRACE))
    columns = TRACE.prompt_length - 1
    press_at(page.get_by_role("grid").nth(1), 17.5 / columns, 1 - 0.5 / LAYERS)
    expect(page.locator(".vlms-flow-view").get_by_role("status")).to_contain_text(
        "layer 0, 18, row 1, column 5: +0.500"
    )
    expect(page.locator(".vlms-token-image .vlms-mark.pinned")).to_have_count(1)


def test_a_patch_pinned_elsewhere_is_marked_here(mount: Show) -> None:
    view = whole()
    view.select(layer=1, patch=18)
    page = mount(view)
    expect(page.locator(".heat .at-cell").nth(1)).to_be_visible()
    expect(page.locator(".node[aria-selected=true]")).to_have_count(0)
    expect(page.get_by_role("status")).to_contain_text("row 1, column 5")


def test_nodes_select_and_the_slider_hides_weak_edges(mount: Show) -> None:
    page = mount(whole())
    expect(page.locator("line.edge")).to_have_count(6)
    page.get_by_role("option", name="output, layer 1").click()
    page.wait_for_function("models[0].state.selection.layer === 1")
    assert state(page)["token"] == LAST
    page.get_by_label("Hide edges below").fill("0.2")
    expect(page.locator("line.edge")).to_have_count(4)
    expect(page.get_by_text("4 of 6 edges")).to_be_visible()
    assert page.evaluate("models[0].state.threshold") == pytest.approx(0.2)


def test_the_measure_changes_every_panel(show: Show) -> None:
    page = show(whole())
    before = page.locator("path.line").first.get_attribute("d")
    page.get_by_label("Measure").select_option("kl")
    assert page.locator("path.line").first.get_attribute("d") != before
    expect(page.get_by_role("slider", name="KL divergence")).to_have_count(2)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_stands_out_of_a_narrow_page(show: Show, scheme: str) -> None:
    page = show(whole(), width=400, scheme=scheme)
    expect(page.locator(".vlms-flow-view")).to_have_attribute("data-theme", scheme)
    for part in page.locator(".curve, .heat").all():
        box = part.bounding_box()
        assert box is not None
        assert box["x"] + box["width"] <= 400
