"""Maps as pictures: the usual bilinear resize where the grid covers the picture, boxes respected where it does not."""

import numpy as np
import pytest
from skimage.transform import resize

from explore.bench.metrics import pixel_map
from explore.bench.metrics.fixed_point import fixed_point_resize
from explore.bench.metrics.otsu import otsu_threshold
from tests.maps_bench.layouts import grid, layout, plain


@pytest.mark.parametrize(
    ("shape", "size"), [((4, 6), (60, 40)), ((3, 5), (77, 41)), ((1, 1), (9, 5)), ((12, 12), (192, 192))]
)
def test_it_is_the_bilinear_resize(shape, size):
    heat = np.random.default_rng(0).random(shape)
    drawn = pixel_map(heat.ravel(), layout(grid(*shape, size)))
    np.testing.assert_allclose(drawn, resize(heat, size[::-1], order=1, mode="edge", anti_aliasing=False), atol=1e-6)


def test_several_maps_at_once():
    heat = np.random.default_rng(0).random((2, 3, 20))
    drawn = pixel_map(heat, plain(4, 5))
    assert drawn.shape == (2, 3, 40, 50)
    np.testing.assert_array_equal(drawn[1, 2], pixel_map(heat[1, 2], plain(4, 5)))


@pytest.mark.parametrize("value", [0.7, 1 / 3, 1e-30, -2.1, 0.0])
def test_a_constant_map_is_constant_to_the_last_bit(value):
    drawn = pixel_map(np.full(576, value), layout(grid(24, 24, (640, 427))))
    assert set(np.unique(drawn)) == {value}


def test_pixels_that_no_token_looks_at_are_nan():
    drawn = pixel_map(np.ones(4), layout(grid(2, 2, (40, 40), box=(10, 10, 30, 30))))
    assert (drawn[10:30, 10:30] == 1).all()
    assert np.isnan(drawn).sum() == 40 * 40 - 20 * 20


def test_padding_has_no_say():
    """Rows of cells above and below the picture hold nonsense, NaN included; the picture does not show it."""
    tokens = layout(grid(4, 2, (20, 20), box=(0, -10, 20, 30)))
    heat = np.array([np.nan, 9e9, 1, 1, 1, 1, -5, np.nan])
    np.testing.assert_allclose(pixel_map(heat, tokens), np.ones((20, 20)))


def test_overlapping_tiles_are_averaged():
    tokens = layout(grid(1, 1, (20, 10)), grid(1, 1, (20, 10), box=(0, 0, 10, 10), tile=1))
    drawn = pixel_map(np.array([0.2, 0.6]), tokens)
    np.testing.assert_allclose(drawn[:, :10], 0.4)
    np.testing.assert_allclose(drawn[:, 10:], 0.2)


def test_other_frames_are_left_out():
    tokens = layout(grid(1, 1, (4, 4)), grid(1, 1, (4, 4), frame=1))
    assert (pixel_map(np.array([1.0, 2.0]), tokens, frame=1) == 2).all()


# Values of OpenCV 5.0.0, resize of the 2 x 3 picture to 7 wide and 5 high.
GREY = np.array([[10, 200, 30], [255, 0, 90]], np.uint8)
ENLARGED = np.array(
    [
        [10, 37, 119, 200, 127, 54, 30],
        [34, 55, 117, 180, 118, 56, 36],
        [133, 128, 114, 100, 83, 66, 60],
        [230, 200, 110, 20, 47, 75, 84],
        [255, 219, 109, 0, 39, 77, 90],
    ]
)


def test_fixed_point_is_the_reference_librarys_arithmetic():
    np.testing.assert_array_equal(fixed_point_resize(GREY, (5, 7)), ENLARGED)


def test_fixed_point_is_within_one_grey_level_of_exact():
    grey = np.random.default_rng(0).integers(0, 256, (24, 24)).astype(np.uint8)
    exact = pixel_map(grey.ravel().astype(float), layout(grid(24, 24, (640, 427))))
    off = np.abs(fixed_point_resize(grey, (427, 640)) - exact)
    assert off.max() <= 1.2


def test_fixed_point_leaves_a_single_value_alone():
    assert (fixed_point_resize(np.full((1, 1), 77, np.uint8), (6, 9)) == 77).all()


@pytest.mark.parametrize("value", [0.7, 1 / 3, 1e-30, -2.1, 0.0])
def test_nothing_is_bright_in_a_picture_of_one_value(value):
    drawn = np.full((9, 9), value)
    assert otsu_threshold(drawn) == value
    drawn[0, 0] *= 1 + 1e-15
    assert otsu_threshold(drawn) == drawn.max()


def test_otsu_parts_two_levels_and_leaves_nan_out():
    drawn = np.array([[0.1, 0.2, 0.8], [0.9, np.nan, np.nan]])
    assert 0.2 <= otsu_threshold(drawn) < 0.8
    assert otsu_threshold(np.array([[3, 3, 200]], np.uint8)) == 3
