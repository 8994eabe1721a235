"""What every metric of the table promises. A new metric is tested here by being in the table."""

from dataclasses import fields, is_dataclass

import numpy as np
import pytest

from explore.bench.metrics import METRICS, CaptionMetric, CaptionScores, FaithfulnessMetric, LocationMetric, Truth
from explore.errors import ParameterError
from tests.maps_bench.layouts import box_mask, grid, layout, plain

every_metric = pytest.mark.parametrize("name", METRICS)
every_location = pytest.mark.parametrize("name", [n for n, m in METRICS.items() if issubclass(m, LocationMetric)])
every_faithfulness = pytest.mark.parametrize(
    "name", [n for n, m in METRICS.items() if issubclass(m, FaithfulnessMetric)]
)
every_caption = pytest.mark.parametrize("name", [n for n, m in METRICS.items() if issubclass(m, CaptionMetric)])

TRUTH = Truth(box_mask((50, 40), 13, 7, 33, 22), plain(4, 5))
SCORES = CaptionScores(np.array([0.2, 0.4]), np.array([0.5, 0.5]), np.array([1.0, 0.0]), np.array([0.9]), 0.3)
EMPTY = CaptionScores(*[np.empty(0)] * 4, float("nan"))


def additive(kept):
    """A model whose answer needs the first half of the tokens."""
    return 0.1 + 0.8 * kept[:, : kept.shape[1] // 2].mean(axis=1)


@every_metric
def test_is_a_frozen_dataclass_with_defaults_a_name_and_a_source(name):
    metric = METRICS[name]
    assert is_dataclass(metric)
    assert metric.__dataclass_params__.frozen
    assert metric.name == name
    assert len(metric.source) > 20
    assert metric.best in ("high", "low")
    assert metric() == metric()
    assert hash(metric()) == hash(metric())
    for parameter in fields(metric):
        assert parameter.name in metric.__doc__


@every_metric
def test_is_of_one_kind(name):
    kinds = [each for each in (LocationMetric, FaithfulnessMetric, CaptionMetric) if issubclass(METRICS[name], each)]
    assert len(kinds) == 1


@every_metric
def test_tallies_add_up_over_scenes(name):
    """The value of several scenes is that of their results together, however they were split into scenes."""
    metric = METRICS[name]()
    results = [SCORES, EMPTY, SCORES] if issubclass(METRICS[name], CaptionMetric) else [0.25, float("nan"), 0.5]
    one_by_one = sum(metric.tally([result]) for result in results)
    np.testing.assert_allclose(one_by_one, metric.tally(results))
    assert metric.tally([]).shape == metric.tally(results).shape
    assert np.isfinite(metric.pool(metric.tally(results)))


@every_metric
def test_nothing_counted_is_no_value(name):
    metric = METRICS[name]()
    assert np.isnan(metric.pool(metric.tally([])))
    assert metric.pool(np.stack([metric.tally([])] * 3)).shape == (3,)


@every_location
def test_is_a_number_from_0_to_1_and_the_same_every_time(name):
    metric = METRICS[name]()
    for seed in range(20):
        heat = np.random.default_rng(seed).random(20)
        value = metric.measure(heat, TRUTH)
        assert isinstance(value, float)
        assert 0 <= value <= 1
        assert value == metric.measure(heat.copy(), TRUTH)


@every_location
def test_the_mask_itself_is_as_good_as_it_gets(name):
    metric = METRICS[name]()
    best = metric.measure(TRUTH.cover, TRUTH)
    others = [metric.measure(np.random.default_rng(seed).random(20), TRUTH) for seed in range(50)]
    assert best >= max(others)
    whole = Truth(box_mask((50, 40), 10, 10, 30, 20), plain(4, 5))
    assert metric.measure(whole.cover, whole) == 1


@every_location
def test_the_measured_map_and_mask_stay_as_they_are(name):
    heat, mask = np.random.default_rng(0).random(20), TRUTH.mask.copy()
    before = heat.copy()
    METRICS[name]().measure(heat, TRUTH)
    np.testing.assert_array_equal(heat, before)
    np.testing.assert_array_equal(TRUTH.mask, mask)


@every_location
def test_an_empty_mask_is_no_case(name):
    assert np.isnan(METRICS[name]().measure(np.ones(20), Truth(np.zeros((40, 50), bool), plain(4, 5))))


@every_location
def test_scale_does_not_matter(name):
    heat = np.random.default_rng(1).random(20)
    assert METRICS[name]().measure(heat, TRUTH) == pytest.approx(METRICS[name]().measure(1e-4 * heat, TRUTH))


@every_location
def test_constant_maps_and_maps_of_zeros_are_the_same(name):
    metric = METRICS[name]()
    assert metric.measure(np.zeros(20), TRUTH) == pytest.approx(metric.measure(np.full(20, 0.7), TRUTH))


@every_location
def test_a_single_visual_token_has_a_value(name):
    lone = Truth(box_mask((10, 10), 0, 0, 5, 10), plain(1, 1))
    assert 0 <= METRICS[name]().measure(np.ones(1), lone) <= 1


@every_location
def test_tokens_that_see_nothing_of_the_picture_are_left_out(name):
    """Whatever a map says at padding and at other pictures, NaN included, makes no difference."""
    bare = Truth(TRUTH.mask, layout(grid(4, 5, (50, 40))))
    padded = Truth(
        TRUTH.mask, layout(grid(2, 2, (20, 20), image=1), grid(6, 5, (50, 40), box=(0, -10, 50, 50))), image=0
    )
    heat = np.random.default_rng(3).random(20)
    for outside in (0.0, 1e9, np.nan):
        wide = np.concatenate([np.full(9, outside), heat, np.full(5, outside)])
        assert METRICS[name]().measure(wide, padded) == pytest.approx(METRICS[name]().measure(heat, bare))


@every_location
@pytest.mark.parametrize("heat", [np.full(20, np.nan), np.full(20, np.inf), np.ones(19), np.ones((4, 5))])
def test_maps_that_do_not_fit_are_refused(name, heat):
    with pytest.raises(ParameterError, match=r"map"):
        METRICS[name]().measure(heat, TRUTH)


@every_faithfulness
def test_variants_are_bool_rows_over_the_visual_tokens(name):
    kept = METRICS[name]().variants(np.random.default_rng(0).random(23))
    assert kept.dtype == np.bool_
    assert kept.shape[1] == 23
    assert kept.all(axis=1).any(), "the full input is among them"


@every_faithfulness
def test_tokens_that_are_not_eligible_stay(name):
    eligible = np.arange(12) % 3 > 0
    kept = METRICS[name]().variants(np.random.default_rng(0).random(12), eligible)
    assert kept[:, ~eligible].all()
    assert not kept[:, eligible].all()


@every_faithfulness
def test_the_right_order_beats_random_orders_and_those_the_wrong_one(name):
    metric = METRICS[name]()
    relevance = np.concatenate([np.linspace(2, 1, 10), np.linspace(0.5, 0, 10)])
    right, wrong = metric.measure(additive, relevance), metric.measure(additive, -relevance)
    chance = metric.control(additive, 20, draws=20)
    low, high = (right, wrong) if metric.best == "low" else (wrong, right)
    assert low < chance < high


@every_faithfulness
def test_a_model_that_ignores_the_picture_shows_it(name):
    """Curves stay where they are, losses are nothing."""
    value = METRICS[name]().measure(lambda kept: np.full(len(kept), 0.4), np.random.default_rng(0).random(20))
    assert value == pytest.approx(0.4 if name in ("insertion", "deletion") else 0)


@every_faithfulness
@pytest.mark.parametrize(
    ("scores", "says"),
    [(lambda kept: np.ones(len(kept) + 1), "one probability each"), (lambda kept: np.full(len(kept), np.nan), "NaN")],
)
def test_scores_that_are_none_are_refused(name, scores, says):
    with pytest.raises(ParameterError, match=says):
        METRICS[name]().measure(scores, np.arange(5.0))


@every_faithfulness
def test_one_visual_token_is_enough(name):
    assert np.isfinite(METRICS[name]().measure(lambda kept: kept[:, 0] * 0.5, [1.0]))


@every_caption
def test_captions_pool_to_a_number_from_0_to_1(name):
    metric = METRICS[name]()
    assert 0 <= metric.pool(metric.tally([SCORES, EMPTY])) <= 1
