"""Regions: what a person may write, and how much of every patch lies inside."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from explore.bench.metrics import METRICS, Truth
from explore.errors import ParameterError
from explore.layout import ImageGrid, TokenLayout
from explore.maps import METHODS
from tests.widgets.samples import position_of, sample_scene, sample_trace
from widgets.codec import unpack
from widgets.coverage import box_cover, own_share, share_inside
from widgets.masks import cells_of, mask_state, masks_of
from widgets.regions import Region, region_of

TRACE = sample_trace()
LAYOUT = TRACE.layout
SIZE = TRACE.images[0].size
CAT, HOUSE = sample_scene().masks


def padded() -> TokenLayout:
    """A picture of 24 x 12 pixels under a grid of 12 x 12 cells, 2 pixels each: rows above and below see padding."""
    grid = LAYOUT.grids[0]
    left, top = np.meshgrid(np.arange(12) * 2.0, np.arange(12) * 2.0 - 6)
    boxes = np.stack([left, top, left + 2, top + 2], axis=-1)
    return TokenLayout(LAYOUT.roles, (ImageGrid(0, 0, 0, grid.positions, boxes, (24, 12)),))


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (None, None),
        ("house", Region(mask="house")),
        ((1, 2, 3, 4), Region(box=(1.0, 2.0, 3.0, 4.0))),
        (np.array([1, 2, 3, 4]), Region(box=(1.0, 2.0, 3.0, 4.0))),
        ({"box": [1, 2, 3, 4], "mask": "", "picture": 1}, Region(box=(1.0, 2.0, 3.0, 4.0), picture=1)),
        (Region(mask="cat"), Region(mask="cat")),
    ],
)
def test_a_region_may_be_written_in_many_ways(written: object, meant: Region | None) -> None:
    assert region_of(written) == meant


@pytest.mark.parametrize("wrong", [(1, 2, 3), (3, 0, 3, 4), (0, 4, 3, 4), (4, 0, 3, 4), 7, (0, 0, "a", 1)])
def test_what_is_no_region_is_refused(wrong: object) -> None:
    with pytest.raises(ParameterError):
        region_of(wrong)


def test_a_region_is_a_box_or_a_mask() -> None:
    with pytest.raises(ParameterError, match="either a box or a mask"):
        Region()
    with pytest.raises(ParameterError, match="either a box or a mask"):
        Region(box=(0, 0, 1, 1), mask="cat")


def test_a_region_survives_the_wire() -> None:
    for region in (Region(box=(1, 2, 3, 4), picture=2), Region(mask="cat")):
        assert region_of(region.to_json()) == region


def test_a_box_covers_parts_of_patches() -> None:
    cells = np.array([[0.0, 0, 10, 10], [10, 0, 20, 10], [20, 0, 30, 10], [0, 0, 0, 0]])
    np.testing.assert_allclose(box_cover(cells, (5, 0, 20, 5)), [0.25, 0.5, 0, np.nan])
    np.testing.assert_allclose(box_cover(cells, (-5, -5, 50, 50)), [1, 1, 1, np.nan])


def test_padding_counts_neither_inside_nor_in_all() -> None:
    cover = box_cover(cells_of(padded(), [0], 0), (0, 0, 24, 12)).reshape(12, 12)
    assert np.isnan(cover[:3]).all()
    assert np.isnan(cover[9:]).all()
    np.testing.assert_array_equal(cover[3:9], 1)
    assert own_share(cover) == 1
    assert share_inside(np.ones(144), cover.ravel()) == 1


def test_masks_cover_what_the_bench_says() -> None:
    (mask,) = masks_of({"cat": CAT}, LAYOUT, [0])
    truth = Truth(CAT, LAYOUT)
    np.testing.assert_allclose(mask.cover, truth.cover)
    metric = METRICS["relevance_mass"]()
    for name in ("tam", "random"):
        values = METHODS[name]().maps(TRACE).flat(position_of(TRACE, " house"))
        assert share_inside(values, mask.cover) == pytest.approx(metric.measure(values, truth))


def test_a_box_and_the_mask_of_its_pixels_agree() -> None:
    pixels = np.zeros(SIZE[::-1], bool)
    pixels[30:101, 17:60] = True
    (mask,) = masks_of({"box": pixels}, LAYOUT, [0])
    np.testing.assert_allclose(mask.cover, box_cover(cells_of(LAYOUT, [0], 0), (17, 30, 60, 101)))


def test_the_share_of_an_empty_map_is_unknown_and_negative_values_are_none() -> None:
    assert share_inside(np.zeros(3), np.array([1.0, 0, 0])) is None
    assert share_inside(np.array([1.0, 1.0, -5.0]), np.array([1.0, 0, 1.0])) == 0.5


def test_masks_without_names_are_counted() -> None:
    assert [mask.name for mask in masks_of([CAT, HOUSE], LAYOUT, [0])] == ["mask 0", "mask 1"]
    assert masks_of(None, LAYOUT, [0]) == ()


def test_masks_of_several_pictures_come_picture_by_picture() -> None:
    trace = sample_trace(pictures=3)
    masks = masks_of([{"cat": CAT}, None, {"cat": CAT, "house": HOUSE}], trace.layout, [0, 1, 2])
    assert [(mask.name, mask.picture) for mask in masks] == [("cat", 0), ("cat", 2), ("house", 2)]
    assert np.isnan(masks[1].cover[:288]).all()
    np.testing.assert_allclose(masks[1].cover[288:], masks[0].cover[:144])


def test_frames_that_share_a_picture_share_its_masks() -> None:
    two = sample_trace(pictures=2).layout
    frames = [replace(grid, image=0, frame=number) for number, grid in enumerate(two.grids)]
    (mask,) = masks_of({"cat": CAT}, TokenLayout(two.roles, tuple(frames)), [0, 0])
    np.testing.assert_allclose(mask.cover[:144], mask.cover[144:])


def test_a_mask_of_another_size_is_refused_by_name() -> None:
    with pytest.raises(ParameterError, match=r"'cat'.*height, width"):
        masks_of({"cat": CAT[:-1]}, LAYOUT, [0])
    with pytest.raises(ParameterError, match="of picture 1"):
        masks_of([{"cat": CAT}, {"cat": CAT}], LAYOUT, [0])


def test_outlines_travel_as_bits() -> None:
    large = np.asarray(Image.fromarray(CAT).resize((1000, 500), Image.Resampling.NEAREST))
    grid = LAYOUT.grids[0]
    boxes = grid.boxes * np.array([1000 / SIZE[0], 500 / SIZE[1]] * 2)
    layout = TokenLayout(LAYOUT.roles, (replace(grid, boxes=boxes, size=(1000, 500)),))
    state = mask_state(masks_of({"cat": large}, layout, [0]))
    (outline,) = state["outlines"]
    assert (outline["width"], outline["height"]) == (256, 128)
    bits = np.unpackbits(unpack(outline["bits"]))[: 256 * 128].reshape(128, 256)
    assert bits.mean() == pytest.approx(large.mean(), abs=0.003)
    np.testing.assert_allclose(unpack(state["covers"])[0], Truth(large, layout).cover, atol=1 / 500)
