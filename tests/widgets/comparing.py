"""What the tests of the comparison share: a run, its maps and masks, and ways to point at panels."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from playwright.sync_api import Locator, Page, expect

from explore.maps import METHODS, TokenMaps
from tests.widgets.samples import position_of, sample_scene, sample_trace
from widgets.coverage import share_inside
from widgets.regions import Region

TRACE = sample_trace()
CAT, HOUSE = sample_scene().masks
MASKS = {"cat": CAT, "house": HOUSE}
LABELS = ("Token activation", "Logit", "Random")
MAPS = {name: METHODS[name]().maps(TRACE) for name in ("tam", "logit", "random")}
Show = Callable[..., Page]


def panel(page: Page, label: str) -> Locator:
    return page.get_by_role("region", name=label, exact=True)


def choose(page: Page, text: str) -> None:
    page.locator(".vlms-strips").get_by_role("option", name=text, exact=True).click()


def drag(page: Page, index: int, start: tuple[float, float], end: tuple[float, float], *, drop: bool = True) -> None:
    """Drag over a panel between two points, given as parts of its picture."""
    surface = page.get_by_role("grid").nth(index)
    surface.scroll_into_view_if_needed()
    box = surface.bounding_box()
    assert box is not None
    at = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in (start, end)]
    page.mouse.move(*at[0])
    page.mouse.down()
    page.mouse.move((at[0][0] + at[1][0]) / 2, (at[0][1] + at[1][1]) / 2)
    page.mouse.move(*at[1])
    if drop:
        page.mouse.up()


def region(page: Page) -> Region | None:
    """The area on the screen, as the first model holds it."""
    found = page.evaluate("models[0].state.region")
    return Region(box=tuple(found["box"]) if found["box"] else None, mask=found["mask"]) if found else None


def shares(page: Page) -> dict[str, float]:
    """The table of shares, top to bottom, in percent."""
    rows = page.locator(".vlms-shares tbody tr")
    expect(rows.first).to_be_visible()
    cells = [(row.locator("th").inner_text(), row.locator("td").nth(1).inner_text()) for row in rows.all()]
    return {label: float(text.removesuffix(" %")) for label, text in cells}


def expected(maps: TokenMaps, text: str, cover: np.ndarray) -> float:
    share = share_inside(maps.flat(position_of(TRACE, text)), cover)
    assert share is not None
    return 100 * share


def outlined(page: Page, index: int) -> int:
    """How many pixels of a panel's outline are painted."""
    count: int = (
        page.locator("canvas.vlms-outline")
        .nth(index)
        .evaluate(
            """(el) => el.width && el.getContext("2d").getImageData(0, 0, el.width, el.height).data.filter(
          (value, i) => i % 4 === 3 && value > 0).length"""
        )
    )
    return count
