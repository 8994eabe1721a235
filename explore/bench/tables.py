"""Scores for people: methods down, metrics across; as text for a README and as a figure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
import plotly.graph_objects as go

from explore.bench.scene_scores import CEILING
from explore.errors import ParameterError

HEADINGS: Mapping[str, str] = {
    "obj_iou": "Obj-IoU",
    "func_iou": "Func-IoU",
    "f1_iou": "F1-IoU",
    "pointing": "pointing",
    "pointing_cells": "pointing (cells)",
    "relevance_mass": "mass",
    "relevance_rank": "rank",
    "auroc": "AUROC",
}
"""How columns are called; a metric without a line is called by its name."""


def markdown_scores(scores: pd.DataFrame, metrics: Sequence[str] | None = None, order: str | None = None) -> str:
    """The table of `score_maps` in Markdown: one line per method, the best value of every metric in bold.

    The true masks, where they were scored, come last: what whole patches can reach at all.

    Parameters
    ----------
    scores
        As `score_maps` returns it.
    metrics
        Columns; None means all there are.
    order
        Metric to sort by, best first; None keeps the order of the methods.

    Raises
    ------
    ParameterError
        A metric is not in the scores.
    """
    wanted = list(dict.fromkeys(scores["metric"])) if metrics is None else list(metrics)
    for name in [*wanted, *([order] if order else [])]:
        if name not in set(scores["metric"]):
            raise ParameterError(f"There are no scores of {name!r}", f"There are {', '.join(set(scores['metric']))}.")
    by_name = {name: part.set_index("method") for name, part in scores.groupby("metric")}
    methods = list(dict.fromkeys(scores["method"]))
    if order:
        low_first = by_name[order]["best"].iloc[0] == "low"
        methods = list(by_name[order]["value"].sort_values(ascending=low_first).index)
    methods.sort(key=lambda name: name == CEILING)
    leaders = {name: _leader(by_name[name]) for name in wanted}
    lines = ["| method | " + " | ".join(HEADINGS.get(name, name) for name in wanted) + " | ms |"]
    lines.append("|---|" + "--:|" * (len(wanted) + 1))
    for method in methods:
        cells = [_cell(by_name[name].loc[method], bold=method == leaders[name]) for name in wanted]
        seconds = by_name[wanted[0]].loc[method, "seconds"]
        lines.append(f"| {method} | " + " | ".join(cells) + f" | {1000 * seconds:.0f} |")
    return "\n".join(lines)


def plot_scores(scores: pd.DataFrame, metric: str = "auroc") -> go.Figure:
    """One metric of all methods as points with their intervals, best on top, the random control as a line."""
    part = scores[scores["metric"] == metric]
    if part.empty:
        raise ParameterError(f"There are no scores of {metric!r}", f"There are {', '.join(set(scores['metric']))}.")
    rising = part["best"].iloc[0] == "high"
    part = part.sort_values("value", ascending=rising)
    figure = go.Figure(
        go.Scatter(
            x=part["value"],
            y=part["method"],
            mode="markers",
            error_x={
                "type": "data",
                "array": part["high"] - part["value"],
                "arrayminus": part["value"] - part["low"],
            },
            marker={"size": 9},
            hovertemplate="%{y}: %{x:.3f}<extra></extra>",
        )
    )
    chance = part[part["method"] == "random"]["value"]
    if len(chance):
        figure.add_vline(x=float(chance.iloc[0]), line_dash="dot", line_color="#7d7d7d", annotation_text="random")
    better = "higher is better" if rising else "lower is better"
    figure.update_layout(
        title=f"{HEADINGS.get(metric, metric)} over {int(part['examples'].iloc[0])} pictures ({better})",
        height=120 + 26 * len(part),
        margin={"l": 10, "r": 20, "t": 50, "b": 30},
        # The page's own ground shows through, and this grey is read on a light one and on a dark one.
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"color": "#7d7d7d"},
        xaxis={"gridcolor": "rgba(128,128,128,0.25)", "zerolinecolor": "rgba(128,128,128,0.5)"},
        yaxis={"gridcolor": "rgba(128,128,128,0.25)", "automargin": True},
    )
    return figure


def _leader(part: pd.DataFrame) -> str:
    value = part["value"].drop(CEILING, errors="ignore")
    return str(value.idxmax() if part["best"].iloc[0] == "high" else value.idxmin())


def _cell(row: pd.Series, *, bold: bool) -> str:
    number = f"{row['value']:.3f}"
    half = (row["high"] - row["low"]) / 2
    return f"{f'**{number}**' if bold else number} ± {half:.3f}"
