"""Knockout over a data set: mean curves over correct answers, with intervals."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from explore.errors import ParameterError
from explore.flow.bootstrap import mean_interval
from explore.flow.depth_windows import LayerWindows
from explore.flow.effects import MEASURES
from explore.flow.knocking_out import knockout
from explore.flow.knockout_curves import SOURCE, KnockoutCurves
from explore.flow.knockout_edges import Edges
from explore.runs import Report, RunnerLike
from explore.trace import Trace

if TYPE_CHECKING:
    import pandas as pd

LEAST_PROBABILITY = 0.05
"""Items whose answer was less likely than this before have no relative change: it would be all noise."""


@dataclass(frozen=True, eq=False)
class MeanCurve:
    """One measure over items, arrays (edges, centres); for "all layers" (edges,).

    Parameters
    ----------
    mean, low, high
        Mean and ends of its interval.
    items
        How many items it rests on.
    """

    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray
    items: int


@dataclass(frozen=True, eq=False)
class KnockoutSet:
    """Mean knockout curves over the items that the model answered correctly.

    Parameters
    ----------
    edges, windows
        As in `KnockoutCurves`.
    curves
        Measure to its mean curve.
    controls
        Control to measure to mean curve; random controls are averaged over the draws of an item first.
    asked, correct
        How many items were asked, and how many were answered correctly, which are those that count.
    level
        Of the intervals.
    items
        The curves of every item that counts.
    """

    edges: tuple[str, ...]
    windows: LayerWindows
    curves: Mapping[str, MeanCurve]
    controls: Mapping[str, Mapping[str, MeanCurve]]
    asked: int
    correct: int
    level: float
    items: tuple[KnockoutCurves, ...] = field(repr=False)

    source = SOURCE

    def to_frame(self) -> pd.DataFrame:
        """One line for every curve, edge, centre and measure: mean, interval and number of items."""
        import pandas as pd

        return pd.DataFrame(list(self._rows()))

    def to_json(self) -> dict[str, Any]:
        """Plain data, without the single items."""
        return {
            "source": self.source,
            "edges": list(self.edges),
            "centres": self.windows.centres.tolist(),
            "window": self.windows.window,
            "asked": self.asked,
            "correct": self.correct,
            "level": self.level,
            "rows": list(self._rows()),
        }

    def __repr__(self) -> str:
        mean = self.curves["relative_change"].mean
        told = ", ".join(
            f"{edge} {row.min():+.0f} % around layer {self.windows.centres[row.argmin()]}"
            for edge, row in zip(self.edges, mean, strict=True)
            if np.isfinite(row).all()
        )
        return f"<KnockoutSet: {self.correct} correct of {self.asked}, windows of {self.windows.window}: {told}>"

    def _rows(self) -> Iterator[dict[str, Any]]:
        for kind, curves in (("edge", self.curves), *self.controls.items()):
            for measure, curve in curves.items():
                for at in np.ndindex(curve.mean.shape):
                    edge = self.edges[at[0]] if curve.mean.shape[0] == len(self.edges) else kind
                    centre = int(self.windows.centres[at[1]]) if len(at) > 1 else -1
                    yield {
                        "kind": kind,
                        "edge": kind if kind == "last->last" else edge,
                        "centre": centre,
                        "measure": measure,
                        **{name: float(getattr(curve, name)[at]) for name in ("mean", "low", "high")},
                        "items": curve.items,
                    }


def knockout_over(
    runner: RunnerLike,
    items: Sequence[tuple[Any, str, str]],
    edges: Edges | Callable[[Trace], Edges] | None = None,
    *,
    is_correct: Callable[[str, str], bool] | None = None,
    draws: int = 1,
    level: float = 0.95,
    seed: int = 0,
    max_new_tokens: int = 16,
    record: Any = None,
    progress: Report | None = None,
    **options: Any,
) -> KnockoutSet:
    """Knockout of many items; only those count that the model answers correctly.

    Parameters
    ----------
    runner
        The model.
    items
        (image, question, expected answer).
    edges
        As for `knockout`, or what makes them of a trace, such as `lambda trace: object_edges(trace, masks[trace])`; the
        same names for every item.
    is_correct
        From answer and expectation to whether it is right; None compares them without case and outer punctuation.
    draws
        Random controls of each item. One is enough over many items, each of which draws its own.
    level, seed
        Of the bootstrap intervals; items also draw their controls from seeds counted on from it.
    max_new_tokens
        Of the answers that are judged.
    record
        The `RecordingPlan` of every item's trace; a light one saves time, because curves need no record.
    options
        All other parameters of `knockout`.

    Raises
    ------
    ParameterError
        No item, or none answered correctly.
    """
    if not items:
        raise ParameterError("No item was given", "Items are (image, question, expected answer).")
    said = runner.answers([(image, question) for image, question, _ in items], max_new_tokens=max_new_tokens)
    judge = is_correct or _same
    right = [at for at, (answer, item) in enumerate(zip(said, items, strict=True)) if judge(answer, item[2])]
    if not right:
        raise ParameterError(
            f"None of {len(items)} items was answered correctly, such as {said[0]!r} for {items[0][2]!r}",
            "Only correct answers count.",
            "Give expected answers as the model would phrase them, or is_correct=.",
        )
    found = []
    for done, at in enumerate(right):
        image, question, _ = items[at]
        trace = runner.read(image, question, said[at], record=record)
        wanted = edges(trace) if callable(edges) else edges
        found.append(knockout(runner, trace, wanted, draws=draws, seed=seed + at, **options))
        if progress is not None:
            progress((done + 1) / len(right), f"{done + 1} of {len(right)} items")
    return _joined(found, len(items), level, seed)


def _joined(items: Sequence[KnockoutCurves], asked: int, level: float, seed: int) -> KnockoutSet:
    first = items[0]
    if any(each.edges != first.edges for each in items):
        raise ParameterError(
            f"Items have different edges, such as {first.edges}", "The same names are averaged.", "Name them alike."
        )
    sure = np.array([each.before.probability >= LEAST_PROBABILITY for each in items])

    def curves(arrays: Callable[[KnockoutCurves], dict[str, np.ndarray]]) -> dict[str, MeanCurve]:
        made = {}
        for name in MEASURES:
            values = np.stack([arrays(each)[name] for each in items])
            if name == "relative_change":
                values = values[sure]
            made[name] = MeanCurve(*mean_interval(values, level=level, seed=seed), items=len(values))
        return made

    def control(kind: str) -> dict[str, MeanCurve]:
        return curves(lambda each: each.controls[kind].map(_over_draws).arrays())

    return KnockoutSet(
        first.edges,
        first.windows,
        curves(lambda each: each.effects.arrays()),
        {kind: control(kind) for kind in first.controls},
        asked,
        len(items),
        level,
        tuple(items),
    )


def _over_draws(values: np.ndarray) -> np.ndarray:
    """A random control (draws, edges, centres) averaged over its draws."""
    return np.asarray(values.mean(axis=0) if values.ndim == 3 else values)


def _same(answer: str, expected: str) -> bool:
    one, other = (each.strip().strip(".,!?").casefold() for each in (answer, expected))
    return one == other
