"""One case of the bench under one method: maps of the words that count, and what every metric says of them."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from explore.bench.data.example import Example, Target
from explore.bench.metrics import (
    CaptionMetric,
    FaithfulnessMetric,
    LocationMetric,
    Metric,
    Truth,
    WordMaps,
    score_words,
)
from explore.bench.spans import span_tokens
from explore.bench.substrates import Substrate, word_probability
from explore.maps import MapMethod, TokenMaps
from explore.runs import Report, RunnerLike
from explore.trace import Token, Trace

CEILING = "truth"
"""What the true masks themselves score is called this in tables."""


@dataclass(frozen=True, eq=False)
class Case:
    """An example with the run that is explained.

    Parameters
    ----------
    example
        Its targets are those of the run's answer.
    trace
        The run.
    targets, functions
        Tokens of each target and of each function word.
    truths
        What each target's map is measured against.
    """

    example: Example
    trace: Trace
    targets: tuple[tuple[Token, ...], ...]
    functions: tuple[tuple[Token, ...], ...]
    truths: tuple[Truth, ...]

    @property
    def tokens(self) -> list[int]:
        """Sequence positions of all words that count, in order."""
        return sorted({token.position for word in (*self.targets, *self.functions) for token in word})


def make_case(runner: RunnerLike, example: Example, progress: Report | None = None) -> Case:
    """Run the example: its own answer is read; without one the model answers, and its words are looked up.

    Equal pictures of things give equal truths, so a thing named twice is measured once per naming.
    """
    if example.answer is None:
        trace = runner.ask(example.image, example.question, progress=progress)
    else:
        trace = runner.read(example.image, example.question, example.answer, progress=progress)
    if trace.answer != example.answer:
        example = example.answered(trace.answer)
    # What methods share is prepared here, so that none of them pays for it in its time.
    runner.rerun(trace)
    return Case(
        example,
        trace,
        tuple(span_tokens(trace, target.span) for target in example.targets),
        tuple(span_tokens(trace, span) for span in example.function_words),
        tuple(Truth(target.mask, trace.layout) for target in example.targets),
    )


@dataclass(frozen=True)
class SceneScores:
    """What one method scored on one case.

    Parameters
    ----------
    example, method
        Their names.
    seconds
        Wall time of the maps alone.
    tallies
        By metric: the sums that `Metric.pool` makes a value of.
    """

    example: str
    method: str
    seconds: float
    tallies: dict[str, list[float]]


def score_case(
    case: Case,
    name: str,
    method: MapMethod | None,
    metrics: Mapping[str, Metric],
    runner: RunnerLike,
    substrate: Substrate = "blocked",
    progress: Report | None = None,
) -> SceneScores:
    """Compute the maps of a case and measure them.

    Parameters
    ----------
    method
        None stands for the truth itself: see `true_maps`.
    substrate
        How faithfulness metrics take patches away.
    """
    started = time.perf_counter()
    if not case.tokens:
        maps = None
    elif method is None:
        maps = true_maps(case)
    else:
        maps = method.maps(case.trace, case.tokens, runner=runner, progress=progress)
    seconds = time.perf_counter() - started
    tallies = {}
    for key, metric in metrics.items():
        found = list(_results(case, maps, metric, runner, substrate)) if maps is not None else []
        tallies[key] = [float(each) for each in metric.tally(found)]
    return SceneScores(case.example.id, name, seconds, tallies)


def true_maps(case: Case) -> TokenMaps:
    """The ceiling: every naming word lights up what the thing covers of each patch, every function word nothing."""
    tokens = tuple(case.trace.tokens[position] for position in case.tokens)
    rows = {token.position: np.zeros(len(case.truths[0].seen) if case.truths else 0, np.float32) for token in tokens}
    for word, truth in zip(case.targets, case.truths, strict=True):
        rows |= {token.position: truth.cover.astype(np.float32) for token in word}
    return TokenMaps(tokens, np.stack(list(rows.values())), case.trace.layout, case.trace.images)


def _results(case: Case, maps: TokenMaps, metric: Metric, runner: RunnerLike, substrate: Substrate) -> list[Any]:
    """What the metric says of the case: one result per target, or one for the whole caption."""
    if isinstance(metric, CaptionMetric):
        return [_caption(case, maps)] if case.truths else []
    words = zip(case.targets, case.truths, strict=True)
    if isinstance(metric, LocationMetric):
        return [metric.measure(maps.flat(tokens), truth) for tokens, truth in words]
    if isinstance(metric, FaithfulnessMetric):
        # Patches that see nothing of the picture, such as padding, stay where they are.
        return [
            metric.measure(word_probability(case.trace, runner, tokens, substrate), maps.flat(tokens), truth.counted)
            for tokens, truth in words
        ]
    raise TypeError(f"{type(metric).__name__} is no kind of metric that a map can be given to")


def _caption(case: Case, maps: TokenMaps) -> Any:
    render = case.truths[0].pixels
    nouns = [
        WordMaps(_text(case, target), _rows(maps, tokens), "noun", target.mask)
        for target, tokens in zip(case.example.targets, case.targets, strict=True)
    ]
    counted = case.truths[0].counted
    functions = [WordMaps("", _rows(maps, tokens)[:, counted], "function") for tokens in case.functions]
    return score_words([*nouns, *functions], render)


def _text(case: Case, target: Target) -> str:
    start, end = target.span
    return (case.example.answer or "")[start:end]


def _rows(maps: TokenMaps, tokens: tuple[Token, ...]) -> NDArray[np.float32]:
    return np.stack([maps.flat(token) for token in tokens])
