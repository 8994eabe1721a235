"""Methods that run a trace again, in every family: other pictures, other features, gradients, answers in batches."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from PIL import Image

from explore.errors import ParameterError
from explore.maps.table import METHODS
from explore.models.families import FAMILIES
from explore.runs import Objective
from explore.trace import Trace
from tests.families.cases import QUESTION, SUPPORTED, noise, pictures_of, runner_of, trace_of
from tests.families.test_films import FILMS, film_of

pytestmark = pytest.mark.filterwarnings("ignore")
families = pytest.mark.parametrize("name", SUPPORTED)
GRADIENTS = ("relevance", "grad_cam", "integrated_gradients")
# The tiny random tower of fast_vlm gives nearly the same for every picture.
BLIND = ("fast_vlm",)


def said(trace: Trace) -> np.ndarray:
    """Logit of each answer token, (answer_tokens,)."""
    assert trace.logits is not None
    found: np.ndarray = trace.logits[np.arange(len(trace.answer_ids)), trace.answer_ids]
    return found


def size_of(trace: Trace) -> float:
    """The largest logit of the run."""
    assert trace.logits is not None
    return float(np.abs(trace.logits[trace.logits > -1e30]).max())


def painted(pictures: Sequence[Image.Image]) -> list[Image.Image]:
    """Other pictures of the same sizes."""
    return [Image.new("RGB", each.size, (250, 40 * number, 20)) for number, each in enumerate(pictures)]


@families
def test_own_pictures_score_as_the_run_and_others_do_not(name: str) -> None:
    trace, runner = trace_of(name), runner_of(name)
    variants = [list(trace.images), painted(trace.images)]
    together = runner.rerun(trace).with_pictures(variants)
    alone = runner.rerun(trace).with_pictures(variants, batch_size=1)
    tolerance = 1e-4 * size_of(trace)
    np.testing.assert_allclose(together.logits[0], said(trace), atol=tolerance)
    np.testing.assert_allclose(together.logits, alone.logits, atol=tolerance)
    assert trace.logits is not None
    every = torch.log_softmax(torch.from_numpy(trace.logits.astype(np.float64)), dim=-1).numpy()
    logprobs = every[np.arange(len(trace.answer_ids)), trace.answer_ids]
    np.testing.assert_allclose(together.logprobs[0], logprobs, atol=tolerance)
    assert name in BLIND or np.abs(together.logits[1] - said(trace)).max() > 10 * tolerance


@families
def test_features_score_as_the_run_and_have_the_slope_they_should(name: str) -> None:
    trace, runner = trace_of(name), runner_of(name)
    with runner.rerun(trace).features() as (features, score):
        given = features[None].clone().requires_grad_()
        found = score(given)
        np.testing.assert_allclose(found[0].detach().numpy(), said(trace), atol=1e-4 * size_of(trace))
        (gradient,) = torch.autograd.grad(found.sum(), given)
        way = torch.randn(features.shape, generator=torch.Generator().manual_seed(0))
        # Small, because experts and retrieved positions change at once; the sum of logits in double precision.
        step = 1e-3 * float(features.pow(2).mean().sqrt())
        with torch.no_grad():
            ends = score(torch.stack([features + step * way, features - step * way])).double().sum(1)
    assert torch.isfinite(gradient).all()
    assert gradient.abs().max() > 0
    slope, expected = float((ends[0] - ends[1]) / (2 * step)), float((gradient[0] * way).sum())
    rounding = 4e-7 * size_of(trace) * len(trace.answer_ids) / step
    assert abs(slope - expected) < 0.02 * float(gradient.norm()) + rounding
    assert float(gradient.norm()) > 2 * rounding, "the step is too small to tell anything"


@pytest.mark.parametrize("of", ["logit", "logprob"])
@families
def test_a_replay_has_gradients_at_the_picture(name: str, of: Objective) -> None:
    trace, runner = trace_of(name), runner_of(name)
    visual = torch.from_numpy(trace.layout.visual)
    with runner.rerun(trace).replay(gradients=True) as replay:
        found = replay.gradient(0, of)
        assert [each.number for each in replay.layers] == sorted(trace.attention_rows)
        for layer, states in enumerate(replay.states):
            np.testing.assert_allclose(states.numpy(), trace.hidden(layer), atol=1e-4 * float(states.abs().max()))
        assert all(torch.isfinite(each).all() for each in (*found.heads, *found.states))
        assert all(each.abs().max() > 0 for each in found.heads)
        # What enters the layers in the middle is what Grad-CAM looks at; Gemma 3n shares keys from there on.
        reached = len(replay.states) // 2 if name != "gemma3n" else 1
        assert all(each[visual].abs().max() > 0 for each in found.states[: max(reached, 1)])


@families
def test_methods_with_gradients_make_maps(name: str) -> None:
    trace, runner = trace_of(name), runner_of(name)
    for method in GRADIENTS:
        if not trace.layout.grids:
            with pytest.raises(ParameterError, match="grid"):
                METHODS[method]().maps(trace, runner=runner)
            continue
        # The tiny Gemma 3n takes the keys of its third layer from the second, so nothing that enters there matters.
        chosen = METHODS[method](layer=1) if (name, method) == ("gemma3n", "grad_cam") else METHODS[method]()
        maps = chosen.maps(trace, runner=runner).array
        assert np.isfinite(maps).all()
        assert maps.max() > 0


def batch_of(name: str) -> list[tuple[list[Image.Image], str]]:
    """Two questions on the same pictures, others of the same sizes, larger ones, and a single one."""
    first = pictures_of(name, (40, 30), (30, 64))
    larger = [noise(each.width + 61, each.height + 37, seed=5) for each in first]
    if name == "deepseek_ocr2":
        larger = larger[:1]  # the context of its zoo model ends after one
    pairs = [(first, QUESTION), (first, "what?"), (painted(first), QUESTION), (larger, "what?")]
    return pairs + ([(first[:1], QUESTION)] if len(first) == 2 else [])


@families
def test_answers_in_a_batch_are_those_alone(name: str) -> None:
    runner, pairs = runner_of(name), batch_of(name)
    alone = [runner.ask(pictures, question, max_new_tokens=3).answer for pictures, question in pairs]
    assert runner.answers(pairs, max_new_tokens=3) == alone


@pytest.mark.parametrize("name", FILMS)
def test_films_score_as_the_run_and_others_do_not(name: str) -> None:
    runner, film = runner_of(name), film_of(name)
    trace = runner.ask(film, QUESTION, max_new_tokens=2)
    rerun, tolerance = runner.rerun(trace), 1e-4 * size_of(trace)
    scores = rerun.with_pictures([film.frames, painted(film.frames)]).logits
    np.testing.assert_allclose(scores[0], said(trace), atol=tolerance)
    assert np.abs(scores[1] - scores[0]).max() > 10 * tolerance
    with rerun.features() as (features, score):
        np.testing.assert_allclose(score(features[None])[0].detach().numpy(), said(trace), atol=tolerance)


@pytest.mark.parametrize("name", [name for name in ("glm5_next", "qwen4_exp", "gemma3n") if name in SUPPORTED])
def test_norm_and_head_do_not_read_the_mean_of_streams(name: str) -> None:
    trace, runner = trace_of(name), runner_of(name)
    rerun, states = runner.rerun(trace), trace.hidden(trace.layers)
    with pytest.raises(ParameterError, match="residual streams"):
        rerun.read_out(states, trace.answer_ids)
    with pytest.raises(ParameterError, match="residual streams"):
        rerun.normed(states)
    for method in (METHODS["similarity"](), METHODS["logit"](layer=1)):  # type: ignore[call-arg]
        with pytest.raises(ParameterError, match="residual streams"):
            method.maps(trace, runner=runner)
    # Columns are of the run itself.
    assert trace.columns is not None
    assert trace.logits is not None
    rows = trace.columns.logits[trace.prompt_length - 1 :]
    expected = trace.logits[:, trace.columns.ids]
    np.testing.assert_allclose(rows[: len(expected)], expected, atol=1e-4 * size_of(trace))


def test_the_other_families_have_one_stream() -> None:
    """The list above is whole: whoever says that it has several streams is on it."""
    several = [name for name in SUPPORTED if FAMILIES[name].streams > 1]
    assert set(several) == {"glm5_next", "qwen4_exp", "gemma3n"} & set(SUPPORTED)
