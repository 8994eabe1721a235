"""Knockout curves as lines to be drawn: each group of edges with its interval and its own controls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from explore.errors import ParameterError
from explore.flow import KnockoutCurves, KnockoutSet

MEASURES: Mapping[str, str] = {
    "relative_change": "Change of the answer's probability (%)",
    "delta_logit": "Change of the logit difference",
    "delta_logprob": "Change of the log-probability",
    "kl": "KL divergence from the untouched run (nats)",
    "flip": "Share of predictions that flip",
}
"""Measure to what its axis is called."""

Curves = KnockoutCurves | KnockoutSet


@dataclass(frozen=True, eq=False)
class Line:
    """One line over the centres.

    Parameters
    ----------
    name
        Of the edges, or of the control.
    values
        (centres,); NaN where there is none.
    low, high
        Ends of the interval: of the mean over items, or lowest and highest draw of a control; None where there is one
        value only.
    """

    name: str
    values: NDArray[np.float64]
    low: NDArray[np.float64] | None = None
    high: NDArray[np.float64] | None = None


@dataclass(frozen=True, eq=False)
class EdgePanel:
    """A group of edges beside what it is compared with.

    Parameters
    ----------
    line
        The edges cut.
    controls
        Lines of the controls that were drawn.
    everywhere
        The same edges cut in all layers at once; None where that was not tried.
    """

    line: Line
    controls: tuple[Line, ...]
    everywhere: float | None


def edge_panels(curves: Curves, measure: str = "relative_change") -> list[EdgePanel]:
    """Every group of edges with its controls, in the order they were given.

    Raises
    ------
    ParameterError
        There is no such measure.
    """
    if measure not in MEASURES:
        raise ParameterError(f"measure={measure!r} was given", f"There are {', '.join(MEASURES)}.")
    return [_panel(curves, measure, number) for number in range(len(curves.edges))]


def about_curves(curves: Curves) -> str:
    """What the curves were made from, in one line: whose prediction, and how wide the windows are."""
    window = f"edges cut in windows of {curves.windows.window} {'layer' if curves.windows.window == 1 else 'layers'}"
    if isinstance(curves, KnockoutSet):
        return f"{window}; mean over {curves.correct} correct answers, {curves.level:.0%} intervals"
    before = curves.before
    kind = "all other edges cut" if curves.opposite else "values zeroed" if curves.zero_value else ""
    said = f"prediction of “{before.answer_text.strip()}” (probability {before.probability:.2f})"
    return "; ".join(part for part in (window, kind, said) if part)


def _panel(curves: Curves, measure: str, number: int) -> EdgePanel:
    name = curves.edges[number]
    if isinstance(curves, KnockoutSet):
        mean = curves.curves[measure]
        line = Line(name, mean.mean[number], mean.low[number], mean.high[number])
    else:
        line = Line(name, curves.effects.arrays()[measure][number])
    everywhere, controls = None, list[Line]()
    for kind in curves.controls:
        low = high = None
        if isinstance(curves, KnockoutSet):
            found = curves.controls[kind][measure]
            values, low, high = found.mean, found.low, found.high
        else:
            drawn = curves.controls[kind].arrays()[measure]
            values = drawn if drawn.ndim == 1 else drawn.mean(axis=0)
            if drawn.ndim == 3 and len(drawn) > 1:
                low, high = drawn.min(axis=0), drawn.max(axis=0)
        if values.ndim == 1:
            everywhere = float(values[number])
            continue
        # "last->last" is one line for all edges.
        at = number if len(values) == len(curves.edges) and kind != "last->last" else 0
        ends = (None, None) if low is None or high is None else (low[at], high[at])
        controls.append(Line(kind, values[at], *ends))
    return EdgePanel(line, tuple(controls), everywhere)
