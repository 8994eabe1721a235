"""Charts of flow as plain plotly figures: they show without a kernel, travel as pages, and are made of arrays alone.

>>> knockout_chart(curves).show()
>>> knockout_chart(curves, theme="dark").write_html("curves.html", include_plotlyjs=True)
"""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from explore.errors import ParameterError
from explore.flow import DirectLogits, PatchGrid, SlopeGrid
from explore.trace import Trace
from widgets.chart_theme import INK, LINES, SIGNED, SOFT, Theme, check_theme, layout_of, see_through
from widgets.flow_lines import MEASURES, Curves, EdgePanel, Line, about_curves, edge_panels
from widgets.flow_places import column_bands, column_names

_DASHES = {"random edges": "dot", "equal mass": "dash", "last->last": "dashdot"}
_ACROSS = 2
_TICKS = 24
"""More columns than these are read by pointing at them."""


def knockout_chart(curves: Curves, measure: str = "relative_change", *, theme: Theme = "light") -> go.Figure:
    """One panel for each group of edges, all on one scale, each beside its own controls in grey.

    Parameters
    ----------
    curves
        Of one run or over many.
    measure
        One of `explore.flow.Effects`.
    theme
        "light" or "dark".

    Raises
    ------
    ParameterError
        An unknown measure or theme.
    """
    check_theme(theme)
    panels = edge_panels(curves, measure)
    across = min(_ACROSS, len(panels))
    down = -(-len(panels) // across)
    figure = make_subplots(
        down,
        across,
        shared_yaxes=True,
        shared_xaxes=True,
        subplot_titles=[panel.line.name for panel in panels],
        horizontal_spacing=0.05,
        vertical_spacing=0.14 if down > 1 else 0,
    )
    centres = curves.windows.centres
    for number, panel in enumerate(panels):
        place = {"row": number // across + 1, "col": number % across + 1}
        for trace in _panel_traces(panel, centres, curves.windows.layers, measure, number, theme):
            figure.add_trace(trace, **place)
    height = 170 + 190 * down
    layout = layout_of(theme, MEASURES[measure], about_curves(curves), height=height, hovermode="x unified")
    # Heights are shares of the plot: below it there is room for the axis, then for the keys to the lines.
    layout["legend"] = {"orientation": "h", "y": -56 / (height - 200), "x": 0, "yanchor": "top"}
    layout["margin"] |= {"t": 104, "b": 96}
    figure.update_layout(layout)
    figure.update_annotations(font_size=12)
    figure.update_xaxes(tickmode="auto", nticks=8, tickformat="d", dtick=max(1, len(centres) // 8))
    figure.update_xaxes(title_text="layer in the middle of the window", row=down)
    return figure


def head_chart(
    values: DirectLogits | NDArray[Any],
    *,
    title: str = "",
    unit: str = "logit",
    signed: bool = True,
    theme: Theme = "light",
) -> go.Figure:
    """Layers times heads: what each head says for a token directly, or any other number of a head.

    Parameters
    ----------
    values
        A logit taken apart, or (layers, heads); NaN is left blank.
    title, unit
        For an array: what it is, and of which unit.
    signed
        Colours run to both sides of 0; else from 0 up.
    theme
        "light" or "dark".

    Raises
    ------
    ParameterError
        The array has no two axes.
    """
    check_theme(theme)
    note = ""
    if isinstance(values, DirectLogits):
        names = [text.strip() for _, text in values.tokens]
        title = title or f"What each head says for “{'” against “'.join(names)}”"
        heads, mlps = float(np.nansum(values.by_head)), float(np.nansum(values.mlp))
        rest = values.total - heads - mlps
        note = (
            f"direct effect; heads {heads:+.2f}, MLPs {mlps:+.2f}, embedding and biases {rest:+.2f}: "
            f"together {values.total:.2f}, the model's {values.logit:.2f}"
        )
        values = values.by_head
    grid = np.asarray(values, np.float64)
    if grid.ndim != 2:
        raise ParameterError(f"An array of the shape {grid.shape} was given", "It is (layers, heads).")
    hover = f"layer %{{y}}, head %{{x}}<br>%{{z:.3f}} {unit}<extra></extra>"
    figure = go.Figure(_heat(grid, theme, signed, unit, hovertemplate=hover))
    layout = layout_of(theme, title or "Heads", note, height=150 + max(160, 26 * len(grid)))
    figure.update_layout(layout)
    figure.update_xaxes(title_text="head", dtick=max(1, grid.shape[1] // 16), showgrid=False)
    figure.update_yaxes(title_text="layer", dtick=max(1, len(grid) // 16), showgrid=False)
    return figure


def position_chart(cells: PatchGrid | SlopeGrid, trace: Trace, *, theme: Theme = "light") -> go.Figure:
    """Layers times positions: what patching each state restores, 0 nothing and 1 all; or what one gradient estimates.

    Parameters
    ----------
    cells
        Patched predictions or their estimate.
    trace
        The run that was patched, for texts and roles.
    theme
        "light" or "dark".
    """
    check_theme(theme)
    estimated = isinstance(cells, SlopeGrid)
    values = cells.estimate if isinstance(cells, SlopeGrid) else cells.normalised
    names, bands = column_names(cells.columns, cells.positions, trace), column_bands(cells.positions, trace)
    hover = "layer %{y}, %{customdata}<br>%{z:.3f}<extra></extra>"
    shown = np.broadcast_to(np.array(names, object), values.shape)
    figure = go.Figure(_heat(values, theme, True, "restored", hovertemplate=hover, customdata=shown))
    kind = "Estimated by one gradient" if estimated else "Measured by patching"
    what = f"{cells.part} of each layer and position, “{cells.answer_text.strip()}” against “{cells.foil_text.strip()}”"
    tail = (
        f"; {len(cells.patched)} cells checked, correlation {cells.agreement:.2f}"
        if isinstance(cells, SlopeGrid)
        else ""
    )
    figure.update_layout(layout_of(theme, f"{kind}: how much of the answer returns", what + tail, height=340))
    figure.update_layout(margin={"t": 102, "r": 60})
    for first, last, role in bands:
        if first:
            figure.add_vline(x=first - 0.5, line_width=1, line_color=SOFT[theme])
        wide = last - first + 1 >= len(names) / 24
        if wide:
            figure.add_annotation(
                x=(first + last) / 2,
                y=1.02,
                yref="paper",
                text=role,
                showarrow=False,
                font_color=SOFT[theme],
                yanchor="bottom",
            )
    layers = cells.layers.tolist()
    figure.update_yaxes(title_text="layer", tickvals=list(range(len(layers))), ticktext=layers, showgrid=False)
    few = len(names) <= _TICKS
    if few:
        figure.update_layout(height=440)
    ticks = {"tickvals": list(range(len(names))), "ticktext": names, "tickangle": 40} if few else {"tickvals": []}
    figure.update_xaxes(title_text="" if few else "position", showgrid=False, **ticks)
    return figure


def _panel_traces(
    panel: EdgePanel,
    centres: NDArray[np.int64],
    layers: tuple[tuple[int, ...], ...],
    measure: str,
    number: int,
    theme: Theme,
) -> list[go.Scatter]:
    colour, unit = LINES[theme][number % len(LINES[theme])], " %" if measure == "relative_change" else ""
    found = []
    if panel.everywhere is not None and np.isfinite(panel.everywhere):
        found.append(
            go.Scatter(
                x=centres,
                y=np.full(len(centres), panel.everywhere),
                mode="lines",
                name="all layers at once",
                legendgroup="all layers",
                showlegend=number == 0,
                line={"color": see_through(SOFT[theme], 0.7), "width": 1},
                hovertemplate=f"%{{y:.2f}}{unit}",
            )
        )
    found += [
        go.Scatter(
            x=centres,
            y=line.values,
            mode="lines",
            name=line.name,
            legendgroup=line.name,
            showlegend=number == 0,
            line={"color": SOFT[theme], "width": 1.2, "dash": _DASHES.get(line.name, "dot")},
            customdata=_ends(line),
            hovertemplate=f"%{{y:.2f}}{unit}%{{customdata}}",
        )
        for line in panel.controls
    ]
    if panel.line.low is not None and panel.line.high is not None:
        band = np.concatenate([panel.line.high, panel.line.low[::-1]])
        found.append(
            go.Scatter(
                x=np.concatenate([centres, centres[::-1]]),
                y=band,
                mode="lines",
                fill="toself",
                fillcolor=see_through(colour, 0.25),
                line={"width": 0},
                hoverinfo="skip",
                showlegend=False,
            )
        )
    spans = [f"{end}<br>layers {each[0]}–{each[-1]} cut" for end, each in zip(_ends(panel.line), layers, strict=True)]
    found.append(
        go.Scatter(
            x=centres,
            y=panel.line.values,
            mode="lines+markers",
            name=panel.line.name,
            showlegend=False,
            line={"color": colour, "width": 2.5},
            marker={"size": 5},
            customdata=spans,
            hovertemplate=f"<b>%{{y:.2f}}{unit}</b>%{{customdata}}",
        )
    )
    return found


def _ends(line: Line) -> list[str]:
    if line.low is None or line.high is None:
        return [""] * len(line.values)
    return [f" ({low:.2f} to {high:.2f})" for low, high in zip(line.low, line.high, strict=True)]


def _heat(grid: NDArray[np.float64], theme: Theme, signed: bool, unit: str, **more: Any) -> go.Heatmap:
    furthest = float(np.nanmax(np.abs(grid), initial=0.0)) or 1.0
    return go.Heatmap(
        z=grid,
        zmin=-furthest if signed else 0.0,
        zmax=furthest,
        colorscale=SIGNED[theme] if signed else "Cividis",
        xgap=1 if grid.shape[1] <= 64 else 0,
        ygap=1,
        colorbar={"title": {"text": unit}, "thickness": 12, "outlinewidth": 0, "tickcolor": INK[theme]},
        **more,
    )
