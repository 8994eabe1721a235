"""Maps on pictures: every cell at its box, everything else as it was."""

import numpy as np
import pytest
from PIL import Image

from explore.errors import ParameterError
from explore.layout import ImageGrid, TokenLayout
from explore.maps import token_activation_maps
from explore.maps.overlay import draw_heat
from explore.maps.result import TokenMaps
from tests.maps.fakes import fake_grid, fake_trace

GREY = (100, 100, 100)


def lone_map(rows, cols, row, col):
    values = np.zeros((rows, cols), np.float32)
    values[row, col] = 1
    return values


def reds(picture):
    return np.asarray(picture)[..., 0].astype(int)


def test_a_lone_cell_lights_its_own_box():
    picture = Image.new("RGB", (50, 40), GREY)
    drawn = draw_heat(
        picture, [fake_grid(4, 5)], [lone_map(4, 5, 1, 3)], opacity=1, colormap="gray", size=50, smooth=False
    )
    assert drawn.size == (50, 40)
    expected = np.zeros((40, 50), int)
    expected[10:20, 30:40] = 255
    np.testing.assert_array_equal(reds(drawn), expected)


def test_smooth_drawing_peaks_in_the_middle_of_the_cell():
    picture = Image.new("RGB", (50, 40), GREY)
    drawn = reds(draw_heat(picture, [fake_grid(4, 5)], [lone_map(4, 5, 1, 3)], opacity=1, colormap="gray", size=50))
    row, col = np.unravel_index(drawn.argmax(), drawn.shape)
    assert abs(row + 0.5 - 15) <= 1
    assert abs(col + 0.5 - 35) <= 1
    assert drawn[14, 29] == pytest.approx(0.45 * 255 * 0.95, abs=3)


def test_size_is_the_longer_side_and_boxes_scale_along():
    picture = Image.new("RGB", (50, 40), GREY)
    drawn = draw_heat(
        picture, [fake_grid(4, 5)], [lone_map(4, 5, 3, 0)], opacity=1, colormap="gray", size=200, smooth=False
    )
    assert drawn.size == (200, 160)
    assert reds(drawn)[120:, :40].min() == 255
    assert reds(drawn).sum() == 255 * 40 * 40


def test_pixels_outside_every_box_stay():
    grid = fake_grid(2, 2)
    inner = ImageGrid(0, 0, 0, grid.positions, grid.boxes + 10, (40, 40))
    drawn = reds(
        draw_heat(Image.new("RGB", (40, 40), GREY), [inner], [np.ones((2, 2))], opacity=1, colormap="gray", size=40)
    )
    assert (drawn[10:30, 10:30] == 255).all()
    drawn[10:30, 10:30] = 100
    assert (drawn == 100).all()


def test_boxes_that_stick_out_are_cut_at_the_border():
    grid = fake_grid(2, 2)
    outside = ImageGrid(0, 0, 0, grid.positions, grid.boxes - 5, (15, 15))
    drawn = draw_heat(
        Image.new("RGB", (15, 15), GREY),
        [outside],
        [lone_map(2, 2, 0, 0)],
        opacity=1,
        colormap="gray",
        size=15,
        smooth=False,
    )
    assert reds(drawn)[:5, :5].min() == 255
    assert reds(drawn).sum() == 25 * 255


def test_overlapping_tiles_are_averaged():
    tiles = [fake_grid(2, 2), fake_grid(2, 2)]
    maps = [np.zeros((2, 2), np.float32), np.ones((2, 2), np.float32)]
    drawn = reds(draw_heat(Image.new("RGB", (20, 20), GREY), tiles, maps, opacity=1, colormap="gray", size=20))
    assert set(drawn.ravel()) == {127}


def test_opacity_blends():
    picture = Image.new("RGB", (20, 20), GREY)
    half = draw_heat(picture, [fake_grid(2, 2)], [np.ones((2, 2))], opacity=0.5, colormap="gray", size=20)
    assert set(reds(half).ravel()) <= {177, 178}
    none = draw_heat(picture, [fake_grid(2, 2)], [np.ones((2, 2))], opacity=0, colormap="gray", size=20)
    assert set(reds(none).ravel()) == {100}


@pytest.mark.parametrize("options", [{"colormap": "nonsense"}, {"opacity": 2}, {"size": 0}])
def test_bad_options_are_refused(options):
    with pytest.raises(ParameterError):
        draw_heat(Image.new("RGB", (20, 20)), [fake_grid(2, 2)], [np.ones((2, 2))], **options)


def test_overlay_picks_image_and_frame():
    two = token_activation_maps(fake_trace([(2, 3), (4, 2)]))
    assert two.overlay(two.tokens[0], size=60).size == (60, 40)
    assert two.overlay(two.tokens[0], image=1, size=60).size == (30, 60)
    video = token_activation_maps(fake_trace([(2, 3)] * 3, video=True))
    assert np.asarray(video.overlay(video.tokens[0], frame=2, opacity=0))[0, 0, 1] == 60
    with pytest.raises(ParameterError, match="image 2"):
        two.overlay(two.tokens[0], image=2)


def test_stretch_uses_the_whole_colour_range():
    trace = fake_trace([(2, 2)])
    values = np.array([[0.0, 0.1, 0.2, 0.05]], np.float32)
    maps = TokenMaps(trace.tokens[-1:], values, trace.layout, trace.images)
    options = {"opacity": 1, "colormap": "gray", "size": 20, "smooth": False}
    assert reds(maps.overlay(trace.tokens[-1], **options)).max() == 51
    assert reds(maps.overlay(trace.tokens[-1], stretch=True, **options)).max() == 255


def test_overlay_without_pictures_says_so():
    trace = fake_trace()
    maps = TokenMaps(
        trace.tokens[-1:], np.zeros((1, 20), np.float32), TokenLayout(trace.layout.roles, trace.layout.grids)
    )
    with pytest.raises(ParameterError, match="keeps its pictures"):
        maps.overlay(trace.tokens[-1])
