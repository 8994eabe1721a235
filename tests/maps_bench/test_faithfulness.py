"""Curves and shares of removed tokens: formulas by hand, orders, and what must hold for any model."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explore.bench.metrics import random_relevance, rank_tokens
from explore.bench.metrics.insertion_deletion import Deletion, Insertion
from explore.bench.metrics.rationale import Comprehensiveness, Sufficiency
from explore.errors import ParameterError

relevances = st.lists(st.integers(0, 9), min_size=1, max_size=30).map(lambda values: np.array(values, float))


def test_ties_keep_the_order_of_the_sequence():
    np.testing.assert_array_equal(rank_tokens([1, 3, 2, 3, 1]), [1, 3, 2, 0, 4])


def test_tokens_that_are_not_eligible_have_no_rank():
    eligible = np.array([True, False, True, True])
    np.testing.assert_array_equal(rank_tokens([0.1, np.nan, 0.3, 0.2], eligible), [2, 3, 0])


@pytest.mark.parametrize(
    ("relevance", "eligible"),
    [
        ([1.0, np.nan], None),
        ([[1.0, 2.0]], None),
        ([1.0, 2.0], np.array([True])),
        ([1.0, 2.0], np.array([1, 0])),
        ([1.0, 2.0], np.array([False, False])),
    ],
)
def test_what_has_no_order_is_refused(relevance, eligible):
    with pytest.raises(ParameterError):
        rank_tokens(relevance, eligible)


def test_deletion_takes_the_most_relevant_first():
    kept = Deletion(steps=4).variants(np.array([0.1, 0.4, 0.2, 0.3]))
    np.testing.assert_array_equal(kept, [[1, 1, 1, 1], [1, 0, 1, 1], [1, 0, 1, 0], [1, 0, 0, 0], [0, 0, 0, 0]])
    np.testing.assert_array_equal(Insertion(steps=4).variants(np.array([0.1, 0.4, 0.2, 0.3])), ~kept)


def test_steps_are_as_equal_as_whole_tokens_allow():
    np.testing.assert_array_equal(Deletion(steps=3).counts(8), [0, 3, 5, 8])
    np.testing.assert_array_equal(Deletion(steps=10).counts(3), [0, 1, 2, 3])


def test_the_area_is_the_trapezoids_mean():
    scores = np.array([0.9, 0.6, 0.2, 0.1])
    assert Deletion(steps=3).value(scores) == pytest.approx((0.9 / 2 + 0.6 + 0.2 + 0.1 / 2) / 3)
    assert Deletion(steps=3).value(scores) == pytest.approx(np.trapezoid(scores) / 3)


def test_normalised_curves_run_from_nothing_to_everything():
    down = np.array([0.9, 0.5, 0.1])
    assert Deletion(2, normalised=True).value(down) == pytest.approx((1 / 2 + 0.5 + 0) / 2)
    assert Insertion(2, normalised=True).value(down[::-1]) == pytest.approx((0 + 0.5 + 1 / 2) / 2)
    assert np.isnan(Deletion(2, normalised=True).value(np.full(3, 0.4)))


@given(relevances, st.floats(0, 1), st.integers(1, 12))
def test_a_constant_curve_has_its_value_for_area(relevance, level, steps):
    for curve in (Insertion(steps), Deletion(steps)):
        assert curve.measure(lambda kept: np.full(len(kept), level), relevance) == pytest.approx(level)


@given(st.integers(0, 10**6), st.integers(1, 12))
def test_insertion_of_an_order_is_deletion_of_its_reverse(seed, steps):
    """For a model that adds up its tokens, giving a token first is taking it last."""
    rng = np.random.default_rng(seed)
    weights, relevance = rng.random(12), rng.permutation(12).astype(float)
    inserted = Insertion(steps).measure(lambda kept: kept @ weights, relevance)
    deleted = Deletion(steps).measure(lambda kept: kept @ weights, -relevance)
    assert inserted == pytest.approx(deleted)


@given(st.integers(0, 10**6))
def test_renaming_the_tokens_changes_nothing(seed):
    rng = np.random.default_rng(seed)
    weights, relevance, order = rng.random(15), rng.permutation(15).astype(float), rng.permutation(15)
    for metric in (Insertion(), Deletion(), Comprehensiveness(), Sufficiency()):
        plain = metric.measure(lambda kept: kept @ weights, relevance)
        assert metric.measure(lambda kept: kept @ weights[order], relevance[order]) == pytest.approx(plain)


def test_shares_are_rounded_up_to_whole_tokens():
    np.testing.assert_array_equal(Comprehensiveness().counts(144), [2, 8, 15, 29, 72])
    np.testing.assert_array_equal(Comprehensiveness().counts(1), [1] * 5)
    assert 0.07 * 100 > 7
    np.testing.assert_array_equal(Comprehensiveness((0.07,)).counts(100), [7])


def test_comprehensiveness_and_sufficiency_by_hand():
    """Four tokens worth 0.4, 0.3, 0.2 and 0.1 of probability, ranked rightly, a quarter and half of them."""
    weights = np.array([0.1, 0.2, 0.3, 0.4])
    assert Comprehensiveness((0.25, 0.5)).measure(lambda kept: kept @ weights, weights) == pytest.approx(
        (0.4 + 0.7) / 2
    )
    assert Sufficiency((0.25, 0.5)).measure(lambda kept: kept @ weights, weights) == pytest.approx((0.6 + 0.3) / 2)


@given(relevances, st.integers(0, 10**6))
def test_taking_nothing_costs_nothing_and_everything_is_sufficient(relevance, seed):
    weights = np.random.default_rng(seed).random(len(relevance))
    assert Comprehensiveness((0.0,)).measure(lambda kept: kept @ weights, relevance) == pytest.approx(0)
    assert Sufficiency((1.0,)).measure(lambda kept: kept @ weights, relevance) == pytest.approx(0)


def test_the_control_is_seeded_and_one_batch():
    calls = []

    def score(kept):
        calls.append(len(kept))
        return kept[:, 0] * 0.5

    metric = Deletion()
    assert metric.control(score, 20, draws=3) == metric.control(score, 20, draws=3)
    assert metric.control(score, 20, draws=3) != metric.control(score, 20, draws=3, seed=1)
    assert calls == [33] * 4
    np.testing.assert_array_equal(random_relevance(5, 2, seed=7), random_relevance(5, 2, seed=7))


@pytest.mark.parametrize(
    "bad",
    [
        lambda: Insertion(steps=0),
        lambda: Comprehensiveness(()),
        lambda: Sufficiency((1.5,)),
        lambda: Deletion().control(lambda kept: kept[:, 0], 4, draws=0),
    ],
)
def test_parameters_out_of_range_are_refused(bad):
    with pytest.raises(ParameterError):
        bad()
