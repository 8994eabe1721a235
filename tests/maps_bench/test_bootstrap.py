"""Intervals over scenes: seeded, like scipy's where scenes have one value each, and wider where words share scenes."""

import numpy as np
import pytest
from scipy import stats

from explore.bench.metrics import METRICS, bootstrap_difference, bootstrap_interval, mean_of
from explore.errors import ParameterError


def lone(values):
    """Scenes with one value each."""
    return np.stack([values, np.ones(len(values))], axis=1)


def test_the_interval_is_the_percentile_interval():
    values = np.random.default_rng(0).gamma(2.0, size=80)
    found = bootstrap_interval(lone(values), mean_of, resamples=8000)
    ready = stats.bootstrap((values,), np.mean, n_resamples=8000, method="percentile", rng=np.random.default_rng(1))
    assert found.value == pytest.approx(values.mean())
    assert found.scenes == 80
    assert found.low == pytest.approx(ready.confidence_interval.low, abs=0.02)
    assert found.high == pytest.approx(ready.confidence_interval.high, abs=0.02)


def test_the_same_seed_gives_the_same_interval():
    tallies = lone(np.random.default_rng(0).random(30))
    assert bootstrap_interval(tallies, mean_of) == bootstrap_interval(tallies, mean_of)
    assert bootstrap_interval(tallies, mean_of) != bootstrap_interval(tallies, mean_of, seed=1)


def test_most_intervals_hold_the_truth():
    rng = np.random.default_rng(0)
    held = 0
    for _ in range(200):
        found = bootstrap_interval(lone(rng.normal(3, 1, 40)), mean_of, resamples=300)
        held += found.low <= 3 <= found.high
    assert 0.88 <= held / 200 <= 0.99


def test_words_of_a_scene_are_drawn_together():
    """Ten equal words in each scene are no more evidence than one."""
    values = np.random.default_rng(0).random(40)
    one, ten = bootstrap_interval(lone(values), mean_of), bootstrap_interval(10 * lone(values), mean_of)
    assert (one.low, one.high) == pytest.approx((ten.low, ten.high))


def test_a_harmonic_mean_pools_its_parts():
    metric = METRICS["f1_iou"]()
    rng = np.random.default_rng(0)
    tallies = np.stack([rng.random(50), np.ones(50), rng.random(50) * 2, np.full(50, 2.0)], axis=1)
    found = bootstrap_interval(tallies, metric.pool)
    objects, functions = tallies[:, 0].mean(), tallies[:, 2].sum() / 100
    assert found.value == pytest.approx(2 * objects * functions / (objects + functions))
    assert found.low < found.value < found.high


def test_differences_are_taken_scene_by_scene():
    """Hard scenes are hard for both methods: the interval of the difference is narrow, and its sign is plain."""
    rng = np.random.default_rng(0)
    hardness = rng.normal(0, 1, 60)
    first, second = lone(hardness + 0.1 + rng.normal(0, 0.01, 60)), lone(hardness)
    found = bootstrap_difference(first, second, mean_of)
    assert found.value == pytest.approx(0.1, abs=0.01)
    assert found.low > 0.09
    apart = bootstrap_interval(first, mean_of)
    assert apart.high - apart.low > 10 * (found.high - found.low)


def test_scenes_without_a_value_have_no_say():
    tallies = np.array([[0.5, 1], [0, 0], [0.5, 1]])
    found = bootstrap_interval(tallies, mean_of)
    assert (found.value, found.low, found.high) == (0.5, 0.5, 0.5)
    nothing = bootstrap_interval(np.zeros((3, 2)), mean_of)
    assert np.isnan([nothing.value, nothing.low, nothing.high]).all()


@pytest.mark.parametrize(
    "bad",
    [
        lambda: bootstrap_interval(np.empty((0, 2)), mean_of),
        lambda: bootstrap_interval(np.ones(3), mean_of),
        lambda: bootstrap_interval(np.full((3, 2), np.nan), mean_of),
        lambda: bootstrap_interval(np.ones((3, 2)), mean_of, level=1.0),
        lambda: bootstrap_interval(np.ones((3, 2)), mean_of, resamples=0),
        lambda: bootstrap_difference(np.ones((3, 2)), np.ones((4, 2)), mean_of),
    ],
)
def test_what_cannot_be_drawn_is_refused(bad):
    with pytest.raises(ParameterError):
        bad()
