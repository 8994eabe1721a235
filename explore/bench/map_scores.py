"""Every map method on pictures whose truth is known: one table with intervals, a control and the time it took."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from explore.bench.data.example import Example, Examples
from explore.bench.metrics import METRICS, FaithfulnessMetric, Metric, bootstrap_difference, bootstrap_interval
from explore.bench.scene_scores import CEILING, SceneScores, make_case, score_case
from explore.bench.score_files import ScoreFolder
from explore.bench.substrates import Substrate
from explore.errors import ParameterError
from explore.maps import METHODS, MapMethod
from explore.runs import Report, RunnerLike

CONTROL = "random"
"""Always scored too, as is `CEILING`: what knows nothing, and what knows all but must say it in whole patches."""
PLACE_METRICS = tuple(name for name, metric in METRICS.items() if not issubclass(metric, FaithfulnessMetric))
"""Metrics that compare maps with the truth; the others run the model dozens of times for every word."""
EVERY_METHOD = (
    *(name for name in METHODS if name not in ("integrated_gradients", CONTROL)),
    "integrated_gradients:steps=8",
    "tam:eci=false",
    "tam:rank_filter=false",
    CONTROL,
)
"""What a sweep scores if nothing is asked for, spelled as `explore.bench.spelling` reads it: every method as it comes,
the slowest with fewer steps, and token activation maps with each part switched off (both off is "logit")."""

Methods = Mapping[str, MapMethod] | Iterable[str | MapMethod] | None
Metrics = Mapping[str, Metric] | Iterable[str | Metric] | None


def score_maps(
    runner: RunnerLike,
    methods: Methods = None,
    data: Sequence[Example] | None = None,
    *,
    metrics: Metrics = None,
    substrate: Substrate = "blocked",
    folder: str | os.PathLike[str] | None = None,
    part: tuple[int, int] = (0, 1),
    progress: Report | None = None,
) -> pd.DataFrame:
    """Score map methods on a data set.

    Parameters
    ----------
    runner
        The model whose maps are scored.
    methods
        Names of `explore.maps.METHODS` or methods with parameters, by name if several are of one kind; None means all
        of the table. The random control and the true masks themselves are always among them.
    data
        Examples, such as `SketchScenes(500)` or `CocoFolder(path)`.
    metrics
        Names of `explore.bench.metrics.METRICS` or metrics with parameters; None means `PLACE_METRICS`.
    substrate
        How faithfulness metrics take patches away: "blocked" or "blurred", see `explore.bench.substrates`.
    folder
        Keeps every score as it is made. Called again with the same folder, the bench goes on where it was.
    part
        (number, count): this process takes every count-th example; several processes may share a folder.
    progress
        Called with the fraction done and a message; may raise `Cancelled`.

    Returns
    -------
    pandas.DataFrame
        One row per method and metric: `value` with its 95 % interval `low` to `high` over `examples`, `lead` over the
        random control with `lead_low` and `lead_high` (positive is better, on the same examples), and `seconds`, the
        median wall time of a method's maps per example.

    Raises
    ------
    ParameterError
        Nothing to score, an unknown name, or a folder that holds another experiment.
    """
    if data is None or not hasattr(data, "__len__") or not len(data):
        raise ParameterError("No data was given", "A data set has at least one example.", "Try SketchScenes(20).")
    chosen, measured = _methods(methods), _metrics(metrics)
    if not 0 <= part[0] < part[1]:
        raise ParameterError(f"part={part} was given", "It is (number, count) with number from 0 to count - 1.")
    store = (
        ScoreFolder(folder, _experiment(runner, chosen, measured, data, substrate), part)
        if folder is not None
        else None
    )
    rows = {(each.example, each.method): each for each in store.read()} if store is not None else {}
    numbers = range(part[0], len(data), part[1])
    for done, number in enumerate(numbers):
        report = None if progress is None else partial(_within, progress, done, len(numbers))
        for scores in _scored(runner, data[number], chosen, measured, substrate, rows, report):
            rows[scores.example, scores.method] = scores
            if store is not None:
                store.append(scores)
        if progress is not None:
            progress((done + 1) / len(numbers), f"{done + 1} of {len(numbers)} examples")
    found = list(store.read()) if store is not None else list(rows.values())
    return summarise(found, list(chosen), measured)


def summarise(rows: Sequence[SceneScores], methods: Sequence[str], metrics: Mapping[str, Metric]) -> pd.DataFrame:
    """The table of `score_maps` from single scores; only examples that every method was scored on count."""
    by_method: dict[str, dict[str, SceneScores]] = {name: {} for name in methods}
    for row in rows:
        if row.method in by_method:
            by_method[row.method][row.example] = row
    shared = sorted(set.intersection(*(set(found) for found in by_method.values())))
    if not shared:
        raise ParameterError("No example was scored by every method yet", "", "Let the bench run on.")
    lines = []
    for name, found in by_method.items():
        seconds = float(np.median([found[key].seconds for key in shared]))
        for label, metric in metrics.items():
            own = np.array([found[key].tallies[label] for key in shared])
            chance = np.array([by_method[CONTROL][key].tallies[label] for key in shared])
            lines.append(_line(name, label, metric, own, chance) | {"examples": len(shared), "seconds": seconds})
    return pd.DataFrame(lines)


def _line(name: str, label: str, metric: Metric, own: np.ndarray, chance: np.ndarray) -> dict[str, Any]:
    value, ahead = bootstrap_interval(own, metric.pool), bootstrap_difference(own, chance, metric.pool)
    ends = sorted((ahead.low, ahead.high)) if metric.best == "high" else sorted((-ahead.high, -ahead.low))
    return {
        "method": name,
        "metric": label,
        "best": metric.best,
        "value": value.value,
        "low": value.low,
        "high": value.high,
        "lead": ahead.value if metric.best == "high" else -ahead.value,
        "lead_low": ends[0],
        "lead_high": ends[1],
    }


def _scored(
    runner: RunnerLike,
    example: Example,
    methods: Mapping[str, MapMethod | None],
    metrics: Mapping[str, Metric],
    substrate: Substrate,
    known: Mapping[tuple[str, str], SceneScores],
    progress: Report | None,
) -> Iterable[SceneScores]:
    missing = [name for name in methods if (example.id, name) not in known]
    if missing:
        case = make_case(runner, example, progress)
        for name in missing:
            yield score_case(case, name, methods[name], metrics, runner, substrate, progress)


def _within(progress: Report, done: int, count: int, fraction: float | None, message: str) -> None:
    """Progress inside one example; raises where the whole is cancelled."""
    progress((done + (fraction or 0.0) * 0.99) / count, f"example {done + 1} of {count}: {message}")


def _methods(given: Methods) -> dict[str, MapMethod | None]:
    if given is None:
        given = METHODS
    if isinstance(given, str):
        given = [given]
    if isinstance(given, Mapping):
        chosen: dict[str, MapMethod | None] = {name: _made(each, METHODS, "method") for name, each in given.items()}
    else:
        made = [_made(each, METHODS, "method") for each in given]
        chosen = {each.name: each for each in made}
        if len(chosen) < len(made):
            raise ParameterError(
                f"Several of {[each.name for each in made]} have one name",
                "Rows of the table are told apart by name.",
                'Give a dictionary, such as {"tam": TokenActivation(), "tam without filter": ...}.',
            )
    if not chosen:
        raise ParameterError("No method was given", f"Methods: {', '.join(METHODS)}.")
    for name in (CONTROL, CEILING):
        if name in chosen and not (name == CONTROL and chosen[name] == METHODS[CONTROL]()):
            raise ParameterError(
                f"A method was called {name!r}", f"{CONTROL!r} and {CEILING!r} are always scored.", "Give another name."
            )
    chosen.setdefault(CONTROL, METHODS[CONTROL]())
    return {**chosen, CEILING: None}


def _metrics(given: Metrics) -> dict[str, Metric]:
    if given is None:
        given = PLACE_METRICS
    if isinstance(given, str):
        given = [given]
    if isinstance(given, Mapping):
        return {name: _made(each, METRICS, "metric") for name, each in given.items()}
    made = [_made(each, METRICS, "metric") for each in given]
    return {each.name: each for each in made}


def _made(given: Any, table: Mapping[str, type[Any]], what: str) -> Any:
    if isinstance(given, str):
        if given not in table:
            raise ParameterError(f"There is no {what} {given!r}", f"There are {', '.join(table)}.")
        return table[given]()
    made = given() if isinstance(given, type) else given
    if not isinstance(made, MapMethod | Metric):
        raise ParameterError(f"{given!r} is no {what}", f"Names are {', '.join(table)}.")
    return made


def _experiment(
    runner: RunnerLike,
    methods: Mapping[str, MapMethod | None],
    metrics: Mapping[str, Metric],
    data: Sequence[Example],
    substrate: Substrate,
) -> dict[str, Any]:
    """What decides the scores; the substrate only where a metric takes patches away."""
    takes_away = any(isinstance(each, FaithfulnessMetric) for each in metrics.values())
    return {
        **({"substrate": substrate} if takes_away else {}),
        "model": runner.fingerprint,
        "data": data.fingerprint if isinstance(data, Examples) else {"examples": [each.id for each in data]},
        "metrics": {name: {"metric": each.name, **asdict(each)} for name, each in metrics.items()},
        "methods": {
            name: None if each is None else {"method": each.name, **asdict(each)} for name, each in methods.items()
        },
    }
