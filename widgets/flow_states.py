"""What the flow view sends to the browser: curves, grids and the graph as plain values and packed arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from explore.errors import ParameterError
from explore.flow import ContributionGraph, DirectLogits, PatchGrid, SlopeGrid
from explore.trace import Trace
from widgets.codec import pack_array
from widgets.flow_graphs import node_height
from widgets.flow_lines import MEASURES, Curves, Line, about_curves, edge_panels
from widgets.flow_places import column_bands, column_names, patch_names, position_names

Heads = DirectLogits | NDArray[Any]
Cells = PatchGrid | SlopeGrid


def curve_state(curves: Curves | None) -> dict[str, Any]:
    """All measures of all edges with their controls; empty without curves."""
    if curves is None:
        return {}
    measures = []
    for name, label in MEASURES.items():
        panels = [
            {
                **_line_state(panel.line),
                "controls": [_line_state(each) for each in panel.controls],
                "everywhere": None if panel.everywhere is None else _number(panel.everywhere),
            }
            for panel in edge_panels(curves, name)
        ]
        measures.append({"name": name, "label": label, "panels": panels})
    return {
        "centres": curves.windows.centres.tolist(),
        "layers": [list(each) for each in curves.windows.layers],
        "measures": measures,
        "about": about_curves(curves),
    }


def head_state(heads: Heads | None, title: str = "") -> dict[str, Any]:
    """Layers times heads; empty without any.

    Raises
    ------
    ParameterError
        The array has no two axes.
    """
    if heads is None:
        return {}
    about = ""
    if isinstance(heads, DirectLogits):
        title = "Direct effect on the logit of " + " against ".join(f"“{text.strip()}”" for _, text in heads.tokens)
        inside = float(np.nansum(heads.by_head))
        about = f"heads {inside:+.2f} of {heads.total:.2f}; what later layers make of a head is not in it"
        values = heads.by_head
    else:
        values = np.asarray(heads, np.float32)
    if values.ndim != 2:
        raise ParameterError(f"An array of the shape {values.shape} was given", "It is (layers, heads).")
    numbers = list(range(values.shape[1]))
    layers = list(range(values.shape[0]))
    return _grid_state(values, layers, [f"head {each}" for each in numbers], title or "Heads", about) | {
        "heads": numbers
    }


def cell_state(cells: Cells | None, trace: Trace) -> dict[str, Any]:
    """Layers times positions; empty without any."""
    if cells is None:
        return {}
    estimated = isinstance(cells, SlopeGrid)
    values = cells.estimate if isinstance(cells, SlopeGrid) else cells.normalised
    against = f"“{cells.answer_text.strip()}” against “{cells.foil_text.strip()}”"
    title = f"How much of {against} returns, by the {cells.part} at each layer and position"
    about = "estimated by one gradient" if estimated else "measured by patching: 0 restores nothing, 1 all"
    names = column_names(cells.columns, cells.positions, trace)
    return _grid_state(values, cells.layers.tolist(), names, title, about) | {
        "positions": [int(own[0]) for own in cells.positions],
        "bands": [[first, last, role] for first, last, role in column_bands(cells.positions, trace)],
    }


def graph_state(graph: ContributionGraph | None, trace: Trace) -> dict[str, Any]:
    """Nodes and edges in the order of the walk; empty without a graph."""
    if graph is None:
        return {}
    names, patches = position_names(trace), patch_names(trace)
    nodes = [
        {
            "kind": node.kind,
            "layer": node.layer,
            "position": node.position,
            "height": node_height(node.kind, node.layer),
            "text": graph.texts[node.position],
            "place": names[node.position],
            "patch": patches.get(node.position, ""),
        }
        for node in graph.nodes
    ]
    edges = [
        [int(start), int(end), float(weight)]
        for start, end, weight in zip(graph.start, graph.end, graph.weight, strict=True)
    ]
    return {"nodes": nodes, "edges": edges, "lowest": graph.threshold}


def _grid_state(values: NDArray[Any], layers: list[int], columns: list[str], title: str, about: str) -> dict[str, Any]:
    return {
        "title": title,
        "about": about,
        "layers": layers,
        "columns": columns,
        "packed": pack_array(np.asarray(values, np.float32)),
    }


def _line_state(line: Line) -> dict[str, Any]:
    both = {"low": line.low, "high": line.high}
    ends = {name: None if each is None else _numbers(each) for name, each in both.items()}
    return {"name": line.name, "values": _numbers(line.values), **ends}


def _numbers(values: NDArray[np.float64]) -> list[float | None]:
    return [_number(float(each)) for each in values]


def _number(value: float) -> float | None:
    """No page can carry NaN; five digits are more than anybody reads."""
    return float(f"{value:.5g}") if np.isfinite(value) else None
