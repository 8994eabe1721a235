"""Charts of flow: every number stands where it belongs, and what is approximate says so."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import plotly.graph_objects as go
import pytest

from explore.errors import ParameterError
from tests.widgets import flowing
from widgets.chart_theme import INK, PAPER
from widgets.flow_charts import head_chart, knockout_chart, position_chart
from widgets.flow_graphs import graph_chart, group_chart
from widgets.flow_lines import MEASURES, edge_panels

CHARTS: dict[str, Callable[..., go.Figure]] = {
    "one run": lambda **how: knockout_chart(flowing.curves(), **how),
    "many runs": lambda **how: knockout_chart(flowing.knockout_set(), **how),
    "heads": lambda **how: head_chart(flowing.heads(), **how),
    "positions": lambda **how: position_chart(flowing.cells(), flowing.TRACE, **how),
    "groups": lambda **how: group_chart(flowing.shares(), **how),
    "graph": lambda **how: graph_chart(flowing.graph(), **how),
}


@pytest.mark.parametrize("chart", CHARTS.values(), ids=CHARTS)
def test_charts_are_plain_figures_in_both_themes(chart: Callable[..., go.Figure], tmp_path: Path) -> None:
    for theme in ("light", "dark"):
        figure = chart(theme=theme)
        assert type(figure) is go.Figure
        assert figure.layout.paper_bgcolor == PAPER[theme]
        assert figure.layout.font.color == INK[theme]
        assert figure.layout.title.text
        figure.write_html(tmp_path / "chart.html", include_plotlyjs=False)
    with pytest.raises(ParameterError, match="light or dark"):
        chart(theme="sepia")


@pytest.mark.parametrize("measure", MEASURES)
def test_every_edge_has_its_line_and_its_own_controls(measure: str) -> None:
    curves = flowing.curves()
    figure = knockout_chart(curves, measure)
    for number, edge in enumerate(flowing.EDGES):
        (line,) = (each for each in figure.data if each.name == edge)
        np.testing.assert_allclose(line.y, curves.effects.arrays()[measure][number])
        np.testing.assert_array_equal(line.x, curves.centres)
        beside = {each.name: each for each in figure.data if each.xaxis == line.xaxis and each.name not in (None, edge)}
        assert set(beside) == {"random edges", "equal mass", "last->last", "all layers at once"}
        drawn = curves.controls["random edges"].arrays()[measure]
        np.testing.assert_allclose(beside["random edges"].y, drawn[:, number].mean(axis=0))
        np.testing.assert_allclose(beside["last->last"].y, curves.controls["last->last"].arrays()[measure][0, 0])
        assert set(beside["all layers at once"].y) == {curves.controls["all layers"].arrays()[measure][number]}


def test_the_window_and_what_was_followed_are_told() -> None:
    assert "windows of 3 layers" in knockout_chart(flowing.curves()).layout.title.subtitle.text
    assert "“red” (probability 0.93)" in knockout_chart(flowing.curves()).layout.title.subtitle.text
    assert "20 correct answers, 95% intervals" in knockout_chart(flowing.knockout_set()).layout.title.subtitle.text


def test_intervals_are_bands_and_numbers() -> None:
    found = flowing.knockout_set()
    figure = knockout_chart(found)
    bands = [each for each in figure.data if each.fill == "toself"]
    assert len(bands) == len(flowing.EDGES)
    mean = found.curves["relative_change"]
    np.testing.assert_allclose(bands[0].y, [*mean.high[0], *mean.low[0][::-1]])
    (line,) = (each for each in figure.data if each.name == flowing.EDGES[0])
    assert f"({mean.low[0, 0]:.2f} to {mean.high[0, 0]:.2f})" in line.customdata[0]
    assert "layers 0–1 cut" in line.customdata[0]


def test_an_unknown_measure_is_refused() -> None:
    with pytest.raises(ParameterError, match="delta_logit"):
        edge_panels(flowing.curves(), "effect")


def test_heads_are_coloured_to_both_sides_of_zero_and_sum_to_what_is_told() -> None:
    parts = flowing.heads()
    figure = head_chart(parts)
    (heat,) = figure.data
    assert heat.zmin == -heat.zmax == -np.nanmax(np.abs(parts.by_head))
    np.testing.assert_array_equal(heat.z, parts.by_head.astype(float))
    assert f"together {parts.total:.2f}, the model's {parts.logit:.2f}" in figure.layout.title.subtitle.text
    assert head_chart(np.ones((3, 2)), signed=False).data[0].zmin == 0
    with pytest.raises(ParameterError, match="layers, heads"):
        head_chart(np.ones(3))


def test_positions_are_named_by_row_and_column_or_by_text() -> None:
    grid = flowing.cells()
    (heat,) = position_chart(grid, flowing.TRACE).data
    np.testing.assert_allclose(heat.z, grid.normalised)
    assert heat.z[-1][-1] == 1
    assert heat.customdata[0][17] == "18, row 1, column 5"
    assert "what" in heat.customdata[0][144]


def test_ribbons_are_cut_through_to_one_at_every_depth() -> None:
    figure = group_chart(flowing.shares(), bands=3)
    (ribbons,) = figure.data
    level = np.array(ribbons.node.x)[list(ribbons.link.source)]
    value = np.array(ribbons.link.value)
    for each in np.unique(level):
        assert value[level == each].sum() == pytest.approx(1)
    names = np.array(ribbons.node.label)[list(ribbons.link.source)]
    assert value[(level == level.min()) & (names == "image")].sum() == pytest.approx(0.4)
    assert "approximate" in figure.layout.title.subtitle.text
    with pytest.raises(ParameterError, match="image, question, last"):
        group_chart(flowing.shares(), "nowhere")


def test_a_threshold_takes_edges_and_what_hangs_on_them() -> None:
    lines = [
        len([each for each in graph_chart(flowing.graph(), at).data if each.mode == "lines"]) for at in (0.05, 0.2)
    ]
    assert lines == [6, 4]  # the edge from the patch to its input goes with the one that led to it
    with pytest.raises(ParameterError, match="weaker ones were not computed"):
        graph_chart(flowing.graph(), 0.01)
