"""Interference: its weights, its scale, and what counts as context."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

from explore.maps.interference import context_mask, interference_maps, least_squares_scale

seeds = st.integers(0, 10_000)


def random_scores(seed, entries=5, visual=12):
    rng = np.random.default_rng(seed)
    visual_scores = np.maximum(rng.standard_normal((entries, visual)), 0).astype(np.float32)
    text_scores = np.maximum(rng.standard_normal((entries, entries)), 0).astype(np.float32)
    return visual_scores, text_scores


def cleaned(visual, text, mask):
    interference = interference_maps(visual, text, mask)
    return np.maximum(visual - least_squares_scale(visual, interference)[:, None] * interference, 0)


def test_context_is_earlier_and_another_piece():
    mask = context_mask(["a", "b", "a", " a", "A"])
    expected = [
        [0, 0, 0, 0, 0],
        [1, 0, 0, 0, 0],
        [0, 1, 0, 0, 0],
        [1, 1, 1, 0, 0],
        [1, 1, 1, 1, 0],
    ]
    np.testing.assert_array_equal(mask, np.array(expected, bool))


def test_own_word_is_left_out_on_request():
    pieces, words = ["the", " be", "nch", ".", "</s>", "</t>"], [0, 1, 1, 2, -1, -1]
    spared = context_mask(pieces) & ~context_mask(pieces, words)
    assert np.argwhere(spared).tolist() == [[2, 1]]


@pytest.mark.parametrize("pieces", [[], ["x"], ["x", "x", "x"]])
def test_no_context_means_nothing_is_taken(pieces):
    visual, text = random_scores(1, len(pieces))
    mask = context_mask(pieces)
    assert not mask.any()
    np.testing.assert_array_equal(cleaned(visual, text, mask), visual)


def test_weights_are_shares_of_the_text_scores():
    visual, text = random_scores(2, 3)
    text[2] = [3, 1, 9]
    interference = interference_maps(visual, text, context_mask(["a", "b", "c"]))
    np.testing.assert_allclose(interference[2], 0.75 * visual[0] + 0.25 * visual[1], rtol=1e-6)


def test_silent_context_has_scale_zero():
    visual, text = random_scores(3, 3)
    text[2, :2] = 0
    interference = interference_maps(visual, text, context_mask(["a", "b", "c"]))
    assert not interference[2].any()
    assert least_squares_scale(visual, interference)[2] == 0


def test_scale_equals_a_numerical_search_on_1000_pairs():
    rng = np.random.default_rng(0)
    for _ in range(1000):
        # A floor of one cell in common: where maps do not overlap the minimum is 0, and no relative gap is defined.
        target = np.maximum(np.append(rng.standard_normal(24), 1), 0) * 10.0 ** rng.uniform(-4, 4)
        source = np.maximum(np.append(rng.standard_normal(24), 1), 0) * 10.0 ** rng.uniform(-4, 4)
        found = minimize_scalar(lambda x, a=target, b=source: float(((a - x * b) ** 2).sum())).x
        exact = least_squares_scale(target[None], source[None])[0]
        assert exact == pytest.approx(found, rel=1e-6)


@pytest.mark.parametrize("size", [1e-170, 1e170])
def test_scale_survives_extreme_sizes(size):
    target = np.array([[1.0, 2.0, 0.0]])
    assert least_squares_scale(target, target * size)[0] == pytest.approx(1 / size, rel=1e-12)


@given(seeds, st.floats(1e-3, 1e3))
def test_scaling_the_text_scores_changes_nothing(seed, factor):
    visual, text = random_scores(seed)
    mask = context_mask("abcde")
    np.testing.assert_allclose(cleaned(visual, text, mask), cleaned(visual, text * np.float32(factor), mask), atol=1e-5)


@given(seeds, st.floats(1e-3, 1e3))
def test_scaling_everything_scales_the_maps(seed, factor):
    visual, text = random_scores(seed)
    mask = context_mask("abcde")
    np.testing.assert_allclose(
        cleaned(visual * np.float32(factor), text, mask),
        cleaned(visual, text, mask) * factor,
        rtol=1e-4,
        atol=1e-5 * factor,
    )


@given(seeds)
def test_moving_the_cells_moves_the_maps(seed):
    visual, text = random_scores(seed)
    order = np.random.default_rng(seed).permutation(visual.shape[1])
    mask = context_mask("abcde")
    np.testing.assert_allclose(cleaned(visual[:, order], text, mask), cleaned(visual, text, mask)[:, order], atol=1e-6)


@given(seeds)
def test_what_is_left_before_the_rectifier_is_orthogonal_to_the_interference(seed):
    visual, text = random_scores(seed)
    interference = interference_maps(visual, text, context_mask("abcde"))
    left = visual - least_squares_scale(visual, interference)[:, None] * interference
    np.testing.assert_allclose((left * interference).sum(axis=1), 0, atol=1e-5)


@given(seeds)
def test_a_copy_of_its_only_context_is_removed_entirely(seed):
    visual, text = random_scores(seed, 2)
    visual[1], text[1, 0] = 3 * visual[0], 1
    np.testing.assert_allclose(cleaned(visual, text, context_mask("ab"))[1], 0, atol=1e-5)
