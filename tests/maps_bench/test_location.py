"""Location metrics on cases worked out by hand, and what must hold for any map."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explore.bench.metrics import METRICS, Truth
from explore.bench.metrics.pointing import CellPointing, PointingGame
from explore.errors import ParameterError
from tests.maps_bench.layouts import box_mask, cells_on, grid, layout, plain

AUROC, MASS, RANK = (METRICS[name]() for name in ("auroc", "relevance_mass", "relevance_rank"))

# Whole numbers as floats: any monotone change of them keeps equal values equal and different ones apart.
maps = st.lists(st.integers(0, 30), min_size=20, max_size=20).map(lambda values: np.array(values, float))
masks = st.tuples(st.integers(0, 40), st.integers(0, 30), st.integers(1, 10), st.integers(1, 10)).map(
    lambda at: box_mask((50, 40), at[0], at[1], at[0] + at[2], at[1] + at[3])
)


def pixel_auroc(heat, mask, rows, cols):
    """By definition: every pixel of the mask against every other."""
    pixels = np.kron(heat.reshape(rows, cols), np.ones((10, 10)))
    inside, outside = pixels[mask], pixels[~mask]
    return ((inside[:, None] > outside).mean() + 0.5 * (inside[:, None] == outside).mean()).item()


@given(maps, masks)
def test_auroc_compares_pixels(heat, mask):
    assert AUROC.measure(heat, Truth(mask, plain(4, 5))) == pytest.approx(pixel_auroc(heat, mask, 4, 5))


@given(maps, masks, st.sampled_from([np.exp, np.sqrt, lambda x: x**3 - 5, lambda x: 0.1 * x]))
def test_auroc_and_rank_see_the_order_only(heat, mask, change):
    truth = Truth(mask, plain(4, 5))
    for metric in (AUROC, RANK):
        assert metric.measure(change(heat), truth) == pytest.approx(metric.measure(heat, truth))


@given(maps, masks)
def test_auroc_of_the_opposite_map_is_the_opposite(heat, mask):
    truth = Truth(mask, plain(4, 5))
    assert AUROC.measure(-heat, truth) == pytest.approx(1 - AUROC.measure(heat, truth))


@given(maps, masks, st.integers(0, 3), st.integers(0, 4))
def test_moving_map_and_mask_together_changes_nothing(heat, mask, down, right):
    moved = np.roll(heat.reshape(4, 5), (down, right), (0, 1)).ravel()
    beside = Truth(np.roll(mask, (10 * down, 10 * right), (0, 1)), plain(4, 5))
    for metric in (AUROC, RANK, MASS):
        assert metric.measure(moved, beside) == pytest.approx(metric.measure(heat, Truth(mask, plain(4, 5))))


@given(maps, masks)
def test_masses_of_a_mask_and_its_rest_are_all_there_is(heat, mask):
    inside, outside = (MASS.measure(heat, Truth(each, plain(4, 5))) for each in (mask, ~mask))
    assert inside + outside == pytest.approx(1)


@given(maps)
def test_a_map_inside_the_mask_has_all_its_mass_there(heat):
    truth = Truth(box_mask((50, 40), 10, 10, 40, 30), plain(4, 5))
    inside = heat * (truth.cover > 0)
    assert MASS.measure(inside + (truth.cover > 0), truth) == pytest.approx(1)


def test_mass_and_rank_by_hand():
    """The mask: the second cell and half of the third, 150 square pixels."""
    truth = Truth(box_mask((40, 10), 10, 0, 25, 10), plain(1, 4))
    heat = np.array([1.0, 4.0, 3.0, 2.0])
    assert MASS.measure(heat, truth) == pytest.approx((4 + 3 / 2) / 10)
    assert RANK.measure(heat, truth) == pytest.approx((100 + 25) / 150)
    assert RANK.measure(np.array([4.0, 1.0, 2.0, 3.0]), truth) == pytest.approx(0)
    assert AUROC.measure(np.array([0.0, 2.0, 1.0, 0.0]), truth) == pytest.approx(1 - 0.5 * (1 / 3) * (1 / 5))


def test_constant_maps_get_chance():
    truth = Truth(box_mask((50, 40), 0, 0, 25, 20), plain(4, 5))
    for metric, chance in ((AUROC, 0.5), (RANK, 0.25), (MASS, 0.25)):
        assert metric.measure(np.full(20, 0.3), truth) == pytest.approx(chance)


def test_negative_heat_is_no_mass():
    truth = Truth(box_mask((20, 10), 0, 0, 10, 10), plain(1, 2))
    assert MASS.measure(np.array([1.0, -5.0]), truth) == 1
    assert MASS.measure(np.array([-1.0, -5.0]), truth) == pytest.approx(0.5)


def test_a_mask_over_everything():
    truth = Truth(np.ones((40, 50), bool), layout(grid(3, 7, (50, 40), box=(-4.3, 0, 61.1, 47.9))))
    heat = np.random.default_rng(0).random(21)
    assert truth.full
    assert np.isnan(AUROC.measure(heat, truth)), "there is no pixel beside the mask"
    assert MASS.measure(heat, truth) == pytest.approx(1)
    assert RANK.measure(heat, truth) == pytest.approx(1)
    assert PointingGame().measure(heat, truth) == CellPointing().measure(heat, truth) == 1


def test_tiles_and_thumbnail_count_by_what_they_see():
    """The right half of the picture is seen by the thumbnail's second cell and by a tile of its own."""
    tokens = layout(grid(1, 2, (20, 10)), grid(1, 1, (20, 10), box=(10, 0, 20, 10), tile=1))
    truth = Truth(box_mask((20, 10), 10, 0, 20, 10), tokens)
    assert AUROC.measure(np.array([0.0, 1.0, 1.0]), truth) == 1
    assert MASS.measure(np.array([1.0, 1.0, 2.0]), truth) == pytest.approx(3 / 4)
    assert PointingGame().measure(np.array([0.0, 0.0, 1.0]), truth) == 1


def test_pointing_within_the_tolerance_and_not_at_it():
    """The hottest pixel of a lone cell over rows 0..9 is its centre, the first of the four pixels around it."""
    tokens, heat = plain(1, 5), cells_on(plain(1, 5), [1])
    row, col = 0, 14  # one row of cells is constant from top to bottom
    for distance, tolerance, hit in ((15, 15, 0), (15, 15.1, 1), (14, 15, 1), (0, 1, 1), (1, 1, 0)):
        mask = np.zeros((10, 50), bool)
        mask[row, col + distance] = True
        assert PointingGame(tolerance).measure(heat, Truth(mask, tokens)) == hit, (distance, tolerance)
    mask = np.zeros((10, 50), bool)
    mask[9, col + 12] = True
    assert PointingGame(15).measure(heat, Truth(mask, tokens)) == 0, "9² + 12² is 15²"
    assert PointingGame(15.01).measure(heat, Truth(mask, tokens)) == 1


def test_of_equal_pixels_and_cells_the_first_is_the_point():
    corner = Truth(box_mask((50, 40), 0, 0, 2, 2), plain(4, 5))
    other = Truth(box_mask((50, 40), 48, 38, 50, 40), plain(4, 5))
    for metric in (PointingGame(), CellPointing()):
        for value in (1.0, 0.7, 1 / 3):
            assert metric.measure(np.full(20, value), corner) == 1
            assert metric.measure(np.full(20, value), other) == 0


def test_rounding_between_equal_cells_does_not_choose_the_point():
    tokens = layout(grid(24, 24, (640, 427)))
    heat = np.zeros((24, 24))
    heat[3:9, 5:11] = 0.7
    top = np.zeros((427, 640), bool)
    top[int(np.ceil(3.5 * 427 / 24 - 0.5)), int(np.ceil(5.5 * 640 / 24 - 0.5))] = True
    assert PointingGame(1).measure(heat.ravel(), Truth(top, tokens)) == 1


def test_pointing_on_the_grid_wants_a_share_of_the_cell():
    truth = Truth(box_mask((20, 10), 0, 0, 3, 10), plain(1, 2))
    heat = np.array([1.0, 0.0])
    assert CellPointing().measure(heat, truth) == 1
    assert CellPointing(least=0.3).measure(heat, truth) == 0, "more than the share, not equal to it"
    assert CellPointing(least=0.29).measure(heat, truth) == 1
    assert CellPointing().measure(1 - heat, truth) == 0


@pytest.mark.parametrize(
    "bad", [lambda: PointingGame(0), lambda: PointingGame(float("nan")), lambda: CellPointing(1.0)]
)
def test_parameters_out_of_range_are_refused(bad):
    with pytest.raises(ParameterError):
        bad()
