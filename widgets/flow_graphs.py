"""Charts of what is connected with what: ribbons between groups of tokens, and the graph of contributions."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from explore.errors import ParameterError
from explore.flow import ContributionGraph, GroupFlow, GroupShares
from widgets.chart_theme import LINES, Theme, check_theme, layout_of, see_through


def group_chart(
    groups: GroupShares | GroupFlow, target: str = "", *, bands: int = 3, hide: float = 0.01, theme: Theme = "light"
) -> go.Figure:
    """Ribbons from groups of inputs, through bands of layers, to one group of outputs. Every cut through them is 100 %.

    Shares of a layer are exact; walking them back through several layers is approximate, because the rows of a group
    are averaged in every layer. The chart says so.

    Parameters
    ----------
    groups
        Shares of `explore.flow.group_alti`, or the capacities of `explore.flow.group_flow`.
    target
        Whose ribbons; "" is "last" where there is such a group, else the last group.
    bands
        How many steps the layers are gathered into.
    hide
        Ribbons narrower than this share are left out, and their sum is told.
    theme
        "light" or "dark".

    Raises
    ------
    ParameterError
        There is no such group, or no band.
    """
    check_theme(theme)
    by_alti = isinstance(groups, GroupShares)
    steps = groups.shares if isinstance(groups, GroupShares) else groups.capacities
    names = groups.receivers if isinstance(groups, GroupShares) else groups.outputs
    target = target or ("last" if "last" in names else names[-1])
    if target not in names or bands < 1:
        raise ParameterError(
            f"target={target!r} and bands={bands} were given",
            f"Groups are {', '.join(names)}; there is a band at least.",
        )
    parts = [part for part in np.array_split(np.arange(len(steps)), bands) if len(part)]
    links, hidden = _ribbons(steps, parts, names.index(target), hide)
    bounds = ["input", *(f"layer {groups.layers[part[-1]]}" for part in parts)]
    used = sorted(
        {
            (level, group)
            for level, source, group_to, _ in links
            for level, group in ((level, source), (level + 1, group_to))
        }
    )
    node = {each: number for number, each in enumerate(used)}
    colours = [LINES[theme][group % len(LINES[theme])] for _, group in used]
    figure = go.Figure(
        go.Sankey(
            arrangement="snap",
            valueformat=".1%",
            node={
                "label": [f"{names[group]}" for _, group in used],
                "customdata": [
                    f"{names[group]} behind {bounds[level]}" if level else f"{names[group]}, input"
                    for level, group in used
                ],
                "x": [0.001 + 0.998 * level / len(parts) for level, _ in used],
                "y": _heights(used, links, len(names)),
                "color": colours,
                "pad": 14,
                "thickness": 14,
                "line": {"width": 0},
                "hovertemplate": "%{customdata}: %{value}<extra></extra>",
            },
            link={
                "source": [node[level, source] for level, source, _, _ in links],
                "target": [node[level + 1, to] for level, _, to, _ in links],
                "value": [value for *_, value in links],
                "color": [see_through(LINES[theme][source % len(LINES[theme])], 0.35) for _, source, _, _ in links],
                "hovertemplate": "%{source.customdata} → %{target.customdata}: %{value}<extra></extra>",
            },
        )
    )
    kind = "ALTI shares" if by_alti else "mean attention, half of it the residual stream"
    note = f"{kind}, walked back from layer {groups.layers[-1]} (approximate); input at the left"
    if hidden > 0:
        note += f"; ribbons under {hide:.0%} left out, {hidden:.0%} together"
    figure.update_layout(layout_of(theme, f"Which groups “{target}” is made of", note, height=380))
    figure.update_layout(margin={"l": 16, "r": 16, "b": 24})
    return figure


def graph_chart(graph: ContributionGraph, threshold: float | None = None, *, theme: Theme = "light") -> go.Figure:
    """The strongest contributions to one prediction, walked backwards; layers upwards, positions to the right.

    Parameters
    ----------
    graph
        See `explore.flow.contribution_graph`.
    threshold
        Edges below are left out, and what cannot be reached without them; None keeps all that the graph has.
    theme
        "light" or "dark".

    Raises
    ------
    ParameterError
        The graph was made with a higher threshold, so that weaker edges are not known.
    """
    check_theme(theme)
    threshold = graph.threshold if threshold is None else threshold
    if threshold < graph.threshold:
        raise ParameterError(
            f"threshold={threshold} was given",
            f"The graph was walked along edges above {graph.threshold}; weaker ones were not computed.",
            "Make it again with a lower threshold.",
        )
    kept = reached_edges(graph, threshold)
    used = sorted({0, *graph.start[kept].tolist(), *graph.end[kept].tolist()})
    columns = {place: number for number, place in enumerate(sorted({graph.nodes[each].position for each in used}))}
    x = {each: columns[graph.nodes[each].position] + (0.28 if graph.nodes[each].kind == "mlp" else 0) for each in used}
    y = {each: node_height(graph.nodes[each].kind, graph.nodes[each].layer) for each in used}
    figure = go.Figure()
    for edge in kept.tolist():
        start, end, weight = int(graph.start[edge]), int(graph.end[edge]), float(graph.weight[edge])
        line = {"color": see_through(LINES[theme][0], 0.25 + 0.6 * min(1.0, weight)), "width": 0.8 + 5 * weight}
        figure.add_scatter(x=[x[start], x[end]], y=[y[start], y[end]], mode="lines", line=line, hoverinfo="skip")
    told = [
        f"{graph.nodes[each].kind}, layer {graph.nodes[each].layer}, position {graph.nodes[each].position} "
        f"“{graph.texts[graph.nodes[each].position].strip()}”"
        for each in used
    ]
    symbols = ["square" if graph.nodes[each].kind == "mlp" else "circle" for each in used]
    figure.add_scatter(
        x=[x[each] for each in used],
        y=[y[each] for each in used],
        mode="markers",
        marker={"size": 8, "symbol": symbols, "color": LINES[theme][1], "line": {"width": 0}},
        text=told,
        hovertemplate="%{text}<extra></extra>",
    )
    note = f"{len(kept)} edges that explain more than {threshold:.0%} of their end; circles stream, squares MLP"
    figure.update_layout(layout_of(theme, "Strongest contributions", note, height=460, showlegend=False))
    figure.update_xaxes(
        tickvals=list(columns.values()),
        ticktext=[f"{graph.texts[place].strip()} {place}" for place in columns],
        tickangle=-50,
        showgrid=False,
        zeroline=False,
    )
    figure.update_yaxes(title_text="behind layer", dtick=1, zeroline=False)
    return figure


def reached_edges(graph: ContributionGraph, threshold: float) -> NDArray[np.int64]:
    """Edges above a threshold that are still reached from where the walk began, (edges,) int64."""
    # Edges stand in the order of the walk: what leads to the end of one comes before it.
    found, reached = list[int](), {0}
    for edge in range(len(graph.edges)):
        if graph.weight[edge] > threshold and int(graph.end[edge]) in reached:
            reached.add(int(graph.start[edge]))
            found.append(edge)
    return np.array(found, np.int64)


def node_height(kind: str, layer: int) -> float:
    """Where a node stands: outputs on their layer, what happens inside of a layer below that."""
    return layer - {"attention": 0.5, "mlp": 0.25, "inserted": 0.25}.get(kind, 0.0)


def _ribbons(
    steps: NDArray[Any], parts: list[NDArray[np.int64]], target: int, hide: float
) -> tuple[list[tuple[int, int, int, float]], float]:
    """Links (level, source, receiver, share), from the target backwards, and what was left out of the widest cut."""
    weight = np.zeros(steps.shape[1])
    weight[target] = 1.0
    links, most_hidden = list[tuple[int, int, int, float]](), 0.0
    for level in range(len(parts) - 1, -1, -1):
        product = np.eye(steps.shape[1])
        for layer in parts[level].tolist():
            step = steps[layer].astype(np.float64)
            # Capacities of a causal model may leave a rest; a share of nothing is nothing.
            product = (step / np.maximum(step.sum(axis=1, keepdims=True), 1e-12)) @ product
        ribbons = weight[:, None] * product
        kept = ribbons >= hide
        most_hidden = max(most_hidden, float(ribbons[~kept].sum()))
        links += [(level, int(source), int(to), float(ribbons[to, source])) for to, source in np.argwhere(kept)]
        weight = ribbons.sum(axis=0)
    return links, most_hidden


def _heights(used: list[tuple[int, int]], links: list[tuple[int, int, int, float]], groups: int) -> list[float]:
    """Groups keep their order from top to bottom at every level, as far apart as they are thick."""
    size = dict.fromkeys(used, 0.0)
    for level, source, to, value in links:
        size[level, source] = max(size[level, source], 0.0) + value if level == 0 else size[level, source]
        size[level + 1, to] += value
    found = []
    for level, group in used:
        same = [each for each in used if each[0] == level]
        above = sum(size[each] for each in same if each[1] < group)
        total = sum(size[each] for each in same) or 1.0
        gap = 0.06 * sum(each[1] < group for each in same)
        found.append(
            float(np.clip((above + size[level, group] / 2) / total * (1 - 0.06 * groups) + gap + 0.02, 0.01, 0.99))
        )
    return found
