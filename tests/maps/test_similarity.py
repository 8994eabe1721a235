"""Similarity maps, and the points that are made of them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from explore.errors import ParameterError
from explore.maps.points import similarity_points
from explore.maps.similarity import Similarity, similarities, stretched
from tests.maps.fakes import fake_grid
from tests.tiny import tiny_runner


@pytest.fixture(scope="module")
def trace():
    pixels = np.random.default_rng(2).integers(0, 255, (30, 40, 3), dtype=np.uint8)
    return tiny_runner().read(Image.fromarray(pixels), "what is it?", "a red dog")


def test_the_map_is_the_product_with_the_state_that_predicts_the_token(trace):
    normed = tiny_runner().rerun(trace).normed(trace.hidden(trace.layers))
    position = int(trace.answer_positions[1])
    expected = normed[trace.layout.grid().positions.ravel()] @ normed[position - 1]
    found = Similarity().maps(trace, position)
    np.testing.assert_allclose(found.parts.values[0], expected, rtol=1e-4, atol=1e-4)
    assert found.array.min() == 0
    assert found.array.max() == 1


def test_logits_are_similarities_with_a_head_row(trace):
    """What ties this map to the logit map: the head's row asks instead of a state."""
    head = tiny_runner()._head.module.weight.detach().numpy()
    normed = tiny_runner().rerun(trace).normed(trace.hidden(trace.layers))
    token = int(trace.answer_ids[0])
    np.testing.assert_allclose(similarities(head[[token]], normed)[0], trace.columns.of(token), rtol=1e-3, atol=1e-4)


def test_settings_matter(trace):
    plain = Similarity(layer=1).maps(trace).parts.values
    for other in (
        Similarity(layer=2),
        Similarity(layer=1, measure="cosine"),
        Similarity(layer=1, query="token"),
        Similarity(layer=1, centred=True),
    ):
        assert not np.allclose(other.maps(trace).parts.values, plain)
    cosines = Similarity(layer=1, measure="cosine").maps(trace).parts.values
    assert np.abs(cosines).max() <= 1 + 1e-5


def test_a_constant_row_and_a_state_of_length_zero():
    np.testing.assert_array_equal(stretched(np.full((1, 4), 3.0, np.float32)), 0)
    assert similarities(np.zeros((1, 3), np.float32), np.ones((2, 3), np.float32), "cosine").tolist() == [[0, 0]]


def test_points_of_a_case_by_hand():
    values = np.zeros((4, 4))
    values[:2, 2:] = 1
    values[2:, :2] = 0.5
    found = similarity_points(values, (80, 80), refine=False)
    assert found.labels.tolist() == [1, 0, 0, -1]
    # Coarse cells are 40 pixels: the best one is the upper right.
    assert found.xy.tolist() == [[60, 20], [20, 20], [60, 60], [20, 60]]


def test_what_a_centre_crop_took_away_is_no_point():
    values = np.random.default_rng(0).random((4, 4))
    found = similarity_points(values, (80, 40), down=1, refine=False)
    assert len(found.xy) == 16
    assert ((found.xy[:, 0] >= 20) & (found.xy[:, 0] <= 60)).all()


def test_points_lie_where_the_cells_of_the_grid_look():
    grid = fake_grid(2, 4, cell=20)
    values = np.zeros((2, 4))
    values[1, 3] = 1
    found = similarity_points(values, grid, down=1, refine=False)
    assert found.labels[0] == 1
    assert found.xy[0].tolist() == [70, 30]
    assert np.abs(similarity_points(values, grid, down=1).xy[0] - [70, 30]).max() < 1


def test_cells_that_see_padding_are_no_points():
    square = fake_grid(4, 4)
    padded = type(square)(0, 0, 0, square.positions, square.boxes - [0, 10, 0, 10], (40, 20))
    values = np.random.default_rng(0).random((4, 4))
    values[0] = 9  # the highest values look at nothing
    found = similarity_points(values, padded, down=1, refine=False)
    assert len(found.xy) == 8
    assert ((found.xy[:, 1] > 0) & (found.xy[:, 1] < 20)).all()
    with pytest.raises(ParameterError, match="agree"):
        similarity_points(np.zeros((3, 4)), padded)


def test_refining_moves_a_point_less_than_a_pixel():
    values = np.random.default_rng(1).random((12, 12))
    rough, fine = (similarity_points(values, (96, 96), refine=each) for each in (False, True))
    assert rough.labels.tolist() == fine.labels.tolist()
    assert 0 < np.abs(rough.xy - fine.xy).max() < 1


def test_both_rules_and_the_limit():
    values = np.random.default_rng(3).random((24, 24))
    fixed = similarity_points(values, (336, 336))
    assert fixed.thresholds == (0.8, 0.2)
    loose = similarity_points(values, (336, 336), rule="statistical", most=1000)
    high, low = loose.thresholds
    assert 0.2 < low < high < 0.8
    assert len(loose.labels) == 144
    assert (fixed.labels >= 0).sum() <= len(fixed.labels) == 30


@given(st.integers(0, 2**32 - 1), st.floats(0.1, 50), st.floats(-5, 5))
def test_points_do_not_depend_on_scale_and_offset(seed, scale, offset):
    values = np.random.default_rng(seed).random((8, 8))
    one, other = similarity_points(values, (64, 64)), similarity_points(values * scale + offset, (64, 64))
    assert (one.labels == other.labels).mean() > 0.9


def test_bad_input_is_refused():
    with pytest.raises(ParameterError, match="grid"):
        similarity_points(np.zeros(4), (8, 8))
    with pytest.raises(ParameterError, match="grid"):
        similarity_points(np.full((2, 2), np.nan), (8, 8))
    with pytest.raises(ParameterError, match="Rules"):
        similarity_points(np.zeros((2, 2)), (8, 8), rule="otsu")
    with pytest.raises(ParameterError, match="Measures"):
        Similarity(measure="euclid")
