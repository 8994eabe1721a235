"""Signatures of distributions against their formulas, and with and without the picture."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import log_softmax

from explore.errors import ParameterError
from explore.flow import answer_signatures, image_dependence, signatures
from tests.flow.reading_cases import EVERY, case

LOGITS = np.random.default_rng(0).standard_normal((5, 40)).astype(np.float32) * 3
SAID = np.array([0, 7, 39, 3, 3])


def test_features_are_the_formulas():
    found, logp = signatures(LOGITS, SAID, 10), log_softmax(LOGITS.astype(np.float64), axis=-1)
    own = logp[np.arange(5), SAID]
    mean, deviation = logp.mean(-1), logp.std(-1, ddof=1)
    z = (-np.sort(-logp, axis=-1)[:, :10] - mean[:, None]) / deviation[:, None]
    np.testing.assert_allclose(found.profile, z, rtol=1e-5)
    np.testing.assert_allclose(found.actual, (own - mean) / deviation)
    assert found.rank.tolist() == [int((row > value).sum()) for row, value in zip(logp, own, strict=True)]
    p = np.exp(logp)
    np.testing.assert_allclose(found.entropy, -(p * logp).sum(-1))
    centre = (p * logp).sum(-1)
    spread = np.sqrt((p * (logp - centre[:, None]) ** 2).sum(-1))
    np.testing.assert_allclose(found.standardised, (own - centre) / spread)
    assert found.mean_logprob == pytest.approx(own.mean())
    assert found.min_k(0.4) == pytest.approx(np.sort(own)[:2].mean())
    assert found.min_k(0.01) == pytest.approx(own.min())
    assert found.min_k_plus_plus(1.0) == pytest.approx(found.standardised.mean())
    rising = np.sort(logp, axis=-1)
    np.testing.assert_allclose(found.gap, rising[:, -1] - rising[:, -2])
    assert found.rank_quantiles((1.0,)) == (float(found.rank.max()),)


def test_the_profile_holds_the_actual_token_at_its_rank():
    found = signatures(LOGITS, SAID, 40)
    np.testing.assert_allclose(found.profile[np.arange(5), found.rank], found.actual, rtol=1e-5)
    np.testing.assert_allclose(found.profile.mean(-1), 0, atol=1e-6)
    np.testing.assert_allclose(found.profile.std(-1, ddof=1), 1, rtol=1e-5)


def test_tokens_that_are_never_said_are_not_counted():
    """The lowest number of a type is no logit: means, deviations and profiles are as without it."""
    for lowest in (np.finfo(np.float32).min, -np.inf):
        padded = np.concatenate([LOGITS, np.full((5, 3), lowest, np.float32)], axis=1)
        found, plain = signatures(padded, SAID), signatures(LOGITS, SAID)
        np.testing.assert_allclose(found.profile, plain.profile, rtol=1e-5)
        np.testing.assert_allclose(found.actual, plain.actual, rtol=1e-6)
    half = np.concatenate([LOGITS, np.full((5, 3), -65504.0, np.float32)], axis=1).astype(np.float16)
    np.testing.assert_allclose(signatures(half, SAID).actual, plain.actual, rtol=1e-2)


def test_ties_take_the_first_place():
    found = signatures(np.array([[1.0, 1.0, 1.0, 0.0]]), [2])
    assert found.rank.tolist() == [0]
    assert found.gap.tolist() == [0]


def test_wrong_shapes_are_refused():
    for logits, said, k in ((LOGITS, SAID[:2], 5), (LOGITS[0], SAID, 5), (LOGITS, SAID, 0)):
        with pytest.raises(ParameterError):
            signatures(logits, said, k)
    with pytest.raises(ParameterError, match="share"):
        signatures(LOGITS, SAID).min_k(0)


@pytest.mark.parametrize("name", EVERY)
def test_signatures_of_an_answer(name):
    _, trace = case(name)
    found = answer_signatures(trace, 8)
    assert found.profile.shape == (len(trace.answer_ids), 8)
    assert not found.rank.any()  # greedy: the best token was said
    assert np.isfinite(found.profile).all()
    assert len(found.to_frame()) == len(trace.answer_ids)
    found.to_json()


@pytest.mark.parametrize("how", ["blocked", "grey"])
def test_the_picture_matters_to_what_is_in_it(how):
    runner, trace = case("shipped")
    found = image_dependence(runner, trace, how)
    words = {trace.tokens[at].text.strip(): lost for at, lost in zip(found.tokens, found.lost, strict=True)}
    assert words["lamp"] > 3 > abs(words["and"])
    assert (found.divergence > -1e-9).all()
    assert found.seen.logprob.mean() > found.unseen.logprob.mean()
    np.testing.assert_allclose(found.lost, found.seen.logprob - found.unseen.logprob)


def test_blocked_is_what_blocked_keys_say():
    """The runner's other way to block: every visual column for all rows but its own."""
    runner, trace = case("shipped")
    found = image_dependence(runner, trace, "blocked")
    blocked = np.zeros((1, trace.positions_fed), bool)
    blocked[0, trace.layout.visual] = True
    scores = runner.rerun(trace).without(blocked)
    np.testing.assert_allclose(found.unseen.logprob, scores.logprobs[0], atol=2e-3)


def test_unknown_ways_and_runs_without_pictures_are_refused():
    runner, trace = case("shipped")
    with pytest.raises(ParameterError, match="how"):
        image_dependence(runner, trace, "dark")
