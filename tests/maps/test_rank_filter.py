"""The rank Gaussian filter: published cases, closed cases, and facts that hold for every map."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from explore.errors import ParameterError
from explore.maps.rank_filter import rank_gaussian_filter
from explore.maps.sorting import sort_planes, sorting_network
from tests.maps.naive import filtered

LONE = 0.05828484  # what one bright cell of height 1 leaves in a window of nine

maps_of_any_size = arrays(
    np.float32, array_shapes(min_dims=2, max_dims=2, max_side=6), elements=st.floats(0, 1, width=32)
)


def test_golden_g1_kernel_3():
    golden = [
        [0.606636, 0.641249, 0.552846, 0.702999, 0.544239],
        [0.536004, 0.646956, 0.285568, 0.686269, 0.410461],
        [0.645763, 0.725640, 0.553847, 0.560095, 0.422280],
        [0.318287, 0.759975, 0.308439, 0.553179, 0.229779],
    ]
    given_map = np.random.default_rng(0).random((4, 5)).astype(np.float32)
    np.testing.assert_allclose(rank_gaussian_filter(given_map), golden, atol=1e-6)


def test_golden_g1_kernel_5():
    given_map = np.random.default_rng(1).random((5, 6)).astype(np.float32)
    golden = [0.506936, 0.460361, 0.446655, 0.425669, 0.406414, 0.425410]
    np.testing.assert_allclose(rank_gaussian_filter(given_map, 5)[0], golden, atol=1e-6)


def test_impulse_in_the_middle():
    lone = np.zeros((5, 5), np.float32)
    lone[2, 2] = 1
    expected = np.zeros((5, 5))
    expected[1:4, 1:4] = LONE
    np.testing.assert_allclose(rank_gaussian_filter(lone), expected, atol=1e-7)


def test_impulse_in_the_corner():
    lone = np.zeros((5, 5), np.float32)
    lone[0, 0] = 1
    expected = np.zeros((5, 5))
    expected[:2, :2] = LONE
    np.testing.assert_allclose(rank_gaussian_filter(lone), expected, atol=1e-7)


@pytest.mark.parametrize("height", [1e-6, 0.25, 1.0, 40.0])
def test_lone_cell_is_damped_in_proportion(height):
    lone = np.zeros((3, 3), np.float32)
    lone[1, 1] = height
    assert rank_gaussian_filter(lone)[1, 1] == pytest.approx(LONE * height, rel=1e-5)


@pytest.mark.parametrize("shape", [(1, 1), (1, 4), (3, 1), (4, 5)])
def test_constant_map_keeps_its_value_or_turns_zero(shape):
    constant = np.full(shape, 0.37, np.float32)
    np.testing.assert_array_equal(rank_gaussian_filter(constant), constant)
    np.testing.assert_array_equal(rank_gaussian_filter(constant, flat="zero"), np.zeros(shape))


def test_zero_flat_touches_constant_windows_only():
    step = np.zeros((3, 6), np.float32)
    step[:, 3:] = 0.5
    kept, zeroed = rank_gaussian_filter(step), rank_gaussian_filter(step, flat="zero")
    np.testing.assert_array_equal(zeroed[:, 5], 0)
    np.testing.assert_array_equal(kept[:, 5], np.float32(0.5))
    np.testing.assert_array_equal(zeroed[:, :4], kept[:, :4])


def test_nearly_steady_window_gives_its_median():
    window = 0.5 + 1e-4 * np.random.default_rng(2).random((3, 3)).astype(np.float32)
    assert rank_gaussian_filter(window)[1, 1] == np.median(window)


def test_negative_mean_gives_zero():
    np.testing.assert_array_equal(rank_gaussian_filter(-np.random.default_rng(3).random((4, 4))), 0)


def test_leading_axes_are_separate_maps():
    stack = np.random.default_rng(4).random((7, 2, 5, 6)).astype(np.float32)
    alone = [[rank_gaussian_filter(each) for each in pair] for pair in stack]
    np.testing.assert_array_equal(rank_gaussian_filter(stack), alone)


def test_many_maps_cross_the_block_size():
    stack = np.random.default_rng(5).random((40, 24, 24)).astype(np.float32)
    np.testing.assert_array_equal(
        rank_gaussian_filter(stack)[[0, 13, 14, 39]], rank_gaussian_filter(stack[[0, 13, 14, 39]])
    )


def test_input_is_left_alone():
    given_map = np.random.default_rng(6).random((4, 4)).astype(np.float32)
    before = given_map.copy()
    rank_gaussian_filter(given_map, 1)
    rank_gaussian_filter(given_map)
    np.testing.assert_array_equal(given_map, before)


def test_kernel_1_changes_nothing():
    given_map = np.random.default_rng(7).random((3, 4)).astype(np.float32)
    np.testing.assert_array_equal(rank_gaussian_filter(given_map, 1), given_map)


@pytest.mark.parametrize("kernel", [0, 2, -3])
def test_even_or_empty_kernel_is_refused(kernel):
    with pytest.raises(ParameterError, match="odd"):
        rank_gaussian_filter(np.ones((3, 3)), kernel)


@given(maps_of_any_size, st.sampled_from([3, 5]), st.sampled_from(["keep", "zero"]))
def test_equals_the_loop_over_cells(given_map, kernel, flat):
    loop = np.reshape(filtered(given_map.ravel().tolist(), *given_map.shape, kernel, flat), given_map.shape)
    np.testing.assert_allclose(rank_gaussian_filter(given_map, kernel, flat=flat), loop, atol=2e-6)


@given(maps_of_any_size)
def test_output_stays_within_the_window(given_map):
    rows, cols = given_map.shape
    padded = np.pad(given_map, 1, mode="reflect")
    windows = np.stack([padded[y : y + rows, x : x + cols] for y in range(3) for x in range(3)])
    result = rank_gaussian_filter(given_map)
    slack = 1e-6 * windows.max(axis=0)
    assert (result >= windows.min(axis=0) - slack).all()
    assert (result <= windows.max(axis=0) + slack).all()


@given(maps_of_any_size)
def test_turning_the_map_turns_the_result(given_map):
    turned = rank_gaussian_filter(np.rot90(given_map))
    np.testing.assert_allclose(turned, np.rot90(rank_gaussian_filter(given_map)), atol=1e-6)


@given(st.integers(1, 26), st.integers(0, 1000))
def test_network_sorts(count, seed):
    planes = np.random.default_rng(seed).integers(0, 9, (count, 11)).astype(np.float32)
    expected = np.sort(planes, axis=0)
    np.testing.assert_array_equal(sort_planes(planes), expected)


def test_network_for_nine_is_small():
    assert len(sorting_network(9)) == 26
