"""Masks on the grid: every square pixel counted where a visual token looks at it, to fractions of a pixel."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explore.bench.metrics import mask_areas, mask_coverage, seen_areas
from explore.errors import ParameterError
from tests.maps_bench.layouts import box_mask, grid, layout, plain


def painted(mask, boxes, fine=20):
    """The same by brute force: a mask enlarged until boxes with edges at multiples of 1/fine end at its pixels."""
    large = np.kron(mask, np.ones((fine, fine), bool))
    edges = np.clip(np.rint(boxes * fine).astype(int), 0, np.array([*mask.shape[::-1], *mask.shape[::-1]]) * fine)
    return np.array([large[y0:y1, x0:x1].sum() / fine**2 for x0, y0, x1, y1 in edges])


def test_a_mask_on_whole_cells():
    areas = mask_areas(box_mask((50, 40), 10, 10, 30, 20), plain(4, 5))
    expected = np.zeros((4, 5))
    expected[1, 1:3] = 100
    np.testing.assert_allclose(areas.reshape(4, 5), expected, atol=1e-9)


def test_cells_that_end_between_pixels_share_them():
    """Three cells over ten pixels: the fourth pixel belongs to the first cell for a third."""
    areas = mask_areas(box_mask((10, 1), 3, 0, 4, 1), layout(grid(1, 3, (10, 1))))
    np.testing.assert_allclose(areas, [1 / 3, 2 / 3, 0], atol=1e-6)
    np.testing.assert_allclose(seen_areas(layout(grid(1, 3, (10, 1)))), [10 / 3] * 3, rtol=1e-6)


@given(
    st.integers(0, 10**6),
    st.integers(1, 5),
    st.integers(1, 5),
    st.lists(st.integers(-60, 260), min_size=4, max_size=4),
)
def test_areas_are_exact_for_any_boxes(seed, rows, cols, corners):
    """Boxes that stick out, that lie outside, and that end anywhere."""
    mask = np.random.default_rng(seed).random((8, 9)) < 0.5
    x0, y0 = corners[0] / 20, corners[1] / 20
    # Steps of whole twentieths of a pixel, so that painting is exact.
    x1, y1 = x0 + cols * (1 + corners[2] % 60) / 20, y0 + rows * (1 + corners[3] % 60) / 20
    tokens = layout(grid(rows, cols, (9, 8), box=(x0, y0, x1, y1)))
    expected = painted(mask, tokens.grids[0].boxes.reshape(-1, 4).astype(float))
    np.testing.assert_allclose(mask_areas(mask, tokens), expected, atol=1e-4)


def test_a_grid_over_the_picture_loses_no_pixel():
    mask = np.random.default_rng(0).random((37, 53)) < 0.4
    tokens = layout(grid(7, 5, (53, 37), box=(-3.5, -2.25, 60.5, 41)))
    assert mask_areas(mask, tokens).sum() == pytest.approx(mask.sum(), rel=1e-6)
    assert seen_areas(tokens).sum() == pytest.approx(37 * 53, rel=1e-6)


def test_padding_sees_nothing_and_border_cells_count_for_what_they_see():
    """A square of 4 x 4 cells around a picture of 40 x 20 that lies in its middle."""
    tokens = layout(grid(4, 4, (40, 20), box=(0, -10, 40, 30)))
    cover = mask_coverage(np.ones((20, 40), bool), tokens).reshape(4, 4)
    np.testing.assert_array_equal(cover, [[0] * 4, [1] * 4, [1] * 4, [0] * 4])
    tokens = layout(grid(2, 2, (30, 20), box=(0, 0, 40, 20)))
    np.testing.assert_array_equal(mask_coverage(box_mask((30, 20), 20, 0, 30, 20), tokens), [0, 1, 0, 1])


def test_other_pictures_and_frames_have_no_share():
    tokens = layout(
        grid(1, 2, (20, 10)),
        grid(2, 2, (20, 20), image=1),
        grid(1, 2, (20, 10), image=2),
        grid(1, 2, (20, 10), image=2, frame=1),
    )
    full = np.ones((10, 20), bool)
    np.testing.assert_array_equal(np.flatnonzero(mask_areas(full, tokens)), [0, 1])
    np.testing.assert_array_equal(np.flatnonzero(mask_areas(np.ones((20, 20)), tokens, image=1)), [2, 3, 4, 5])
    np.testing.assert_array_equal(np.flatnonzero(mask_areas(full, tokens, image=2, frame=1)), [8, 9])


def test_tiles_over_a_thumbnail_are_measured_one_by_one():
    tokens = layout(grid(1, 1, (20, 10)), grid(1, 1, (20, 10), box=(0, 0, 10, 10), tile=1))
    np.testing.assert_allclose(mask_coverage(box_mask((20, 10), 0, 0, 5, 10), tokens), [0.25, 0.5])


def test_single_precision_makes_no_slivers():
    """A third of a picture is no whole number of pixels, yet a mask of two thirds touches no third cell."""
    tokens = layout(grid(3, 3, (192, 192), box=(0, 0, 192.00001, 192.00001)))
    cover = mask_coverage(box_mask((192, 192), 0, 0, 128, 192), tokens).reshape(3, 3)
    np.testing.assert_array_equal(cover, [[1, 1, 0]] * 3)


def test_single_precision_lets_no_padding_in():
    """A row of padding whose boxes end a hair inside the picture sees nothing of it."""
    tokens = layout(grid(3, 2, (20, 20), box=(0, -9.999998, 20, 20.000002)))
    np.testing.assert_array_equal(seen_areas(tokens).reshape(3, 2) > 0, [[False] * 2, [True] * 2, [True] * 2])


@pytest.mark.parametrize(
    ("mask", "says"),
    [
        (np.zeros((50, 40), bool), r"\(height, width\) = \(40, 50\)"),
        (np.full((40, 50), 2), "other values than 0 and 1"),
        (np.full((40, 50), np.nan), "other values"),
    ],
)
def test_masks_that_do_not_fit_are_refused(mask, says):
    with pytest.raises(ParameterError, match=says):
        mask_areas(mask, plain(4, 5))


def test_pictures_that_are_not_there_are_named():
    with pytest.raises(ParameterError, match=r"image 1 with frame 0.*\(0, 0\)"):
        mask_areas(np.zeros((40, 50), bool), plain(4, 5), image=1)
