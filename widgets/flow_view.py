"""The flow view: knockout curves, heads, patched states and contributions of one run around its selection."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, TypedDict, Unpack

import traitlets

from explore.errors import ParameterError
from explore.flow import ContributionGraph
from explore.trace import Trace
from widgets.base import View
from widgets.codec import pack_array
from widgets.export import export_html
from widgets.flow_lines import MEASURES, Curves
from widgets.flow_states import Cells, Heads, cell_state, curve_state, graph_state, head_state
from widgets.map_view import run_id, run_source
from widgets.selection import Selection, selection_trait


class FlowSettings(TypedDict, total=False):
    """What a :class:`FlowView` can be told beside its run; each is a trait of the same name."""

    measure: str
    threshold: float
    selection: Selection


class FlowView(View):
    """Through which layers, heads and positions a prediction came about.

    A click on a curve selects the layer in the middle of the window, on a head its layer and head, on a patched state
    or a node of the graph its layer and its token or patch. All views of the run follow.

    Parameters
    ----------
    trace : Trace
        The run.
    curves : KnockoutCurves or KnockoutSet, optional
        See `explore.flow.knockout` and `explore.flow.knockout_over`.
    heads : DirectLogits or array (layers, heads), optional
        See `explore.flow.logit_attribution`.
    cells : PatchGrid or SlopeGrid, optional
        See `explore.flow.activation_patching` and `explore.flow.attribution_patching`.
    graph : ContributionGraph, optional
        See `explore.flow.contribution_graph`; the slider begins where its own threshold lies.

    Other Parameters
    ----------------
    measure : str
        Of the curves, one of `explore.flow.Effects`.
    threshold : float
        Weaker edges of the graph are hidden.
    selection : Selection
        What is selected at first.

    Raises
    ------
    TypeError
        For an unknown keyword.
    ParameterError
        Nothing to show, an unknown measure, or a threshold that the graph was not walked for.

    Examples
    --------
    >>> view = FlowView(trace, explore.flow.knockout(runner, trace), explore.flow.logit_attribution(runner, trace))
    >>> view.save_html("flow.html")
    """

    static = "flow_view"
    styles = ("layout", "flow_view")
    settings = tuple(FlowSettings.__annotations__)

    run = traitlets.Unicode(help="Views of one run share their selection.").tag(sync=True)
    curves = traitlets.Dict(help="Lines of every measure.").tag(sync=True)
    heads = traitlets.Dict(help="Layers times heads, packed.").tag(sync=True)
    cells = traitlets.Dict(help="Layers times positions, packed.").tag(sync=True)
    graph = traitlets.Dict(help="Nodes and edges.").tag(sync=True)
    visual = traitlets.Dict(help="Sequence positions of patches, packed.").tag(sync=True)
    source = traitlets.Unicode().tag(sync=True)

    measure = traitlets.Enum(tuple(MEASURES), "relative_change").tag(sync=True)
    threshold = traitlets.Float(0.0, min=0, max=1).tag(sync=True)
    selection = selection_trait()

    def __init__(
        self,
        trace: Trace,
        curves: Curves | None = None,
        heads: Heads | None = None,
        cells: Cells | None = None,
        graph: ContributionGraph | None = None,
        **settings: Unpack[FlowSettings],
    ) -> None:
        if curves is None and heads is None and cells is None and graph is None:
            raise ParameterError("Nothing to show was given", "", "Give curves, heads, cells or a graph.")
        given: dict[str, Any] = dict(settings)
        given.setdefault("threshold", graph.threshold if graph is not None else 0.0)
        if graph is not None and given["threshold"] < graph.threshold:
            raise ParameterError(
                f"threshold={given['threshold']} was given",
                f"The graph was walked along edges above {graph.threshold}; weaker ones were not computed.",
            )
        given.setdefault("selection", Selection.suggested(None))
        super().__init__(
            given,
            run=run_id(trace),
            curves=curve_state(curves),
            heads=head_state(heads),
            cells=cell_state(cells, trace),
            graph=graph_state(graph, trace),
            visual=pack_array(trace.layout.visual),
            source=run_source(trace),
        )

    def select(self, **fields: Any) -> None:
        """Select a token, patch, layer or head by sequence position or number; what is not named stays.

        >>> view.select(layer=3, head=1)
        """
        now = {name: getattr(self.selection, name) for name in ("token", "patch", "layer", "head", "brush")}
        self.selection = Selection(**(now | fields))

    def save_html(self, path: str | os.PathLike[str], *, title: str = "Information flow") -> Path:
        """Write a page that works without network and kernel; see :func:`widgets.export_html`."""
        return export_html(self, path, title=title)
