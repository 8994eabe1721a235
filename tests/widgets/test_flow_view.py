"""What the flow view sends and refuses, without a browser."""

from __future__ import annotations

import json

import numpy as np
import pytest
import traitlets

from explore.errors import ParameterError
from tests.widgets import flowing
from tests.widgets.flowing import EDGES, LAST, LAYERS, TRACE
from widgets import FlowView, Selection, TokenImageView
from widgets.codec import unpack
from widgets.export import page_state
from widgets.flow_lines import MEASURES


def test_it_sends_all_measures_of_all_edges_once() -> None:
    curves = flowing.curves()
    sent = FlowView(TRACE, curves).curves
    assert [each["name"] for each in sent["measures"]] == list(MEASURES)
    assert sent["centres"] == list(range(LAYERS))
    assert sent["layers"][0] == [0, 1]
    for each in sent["measures"]:
        assert [panel["name"] for panel in each["panels"]] == list(EDGES)
        values = curves.effects.arrays()[each["name"]]
        np.testing.assert_allclose([panel["values"] for panel in each["panels"]], values, rtol=1e-4)
        assert [line["name"] for line in each["panels"][1]["controls"]] == ["random edges", "equal mass", "last->last"]
    assert "windows of 3 layers" in sent["about"]


def test_intervals_travel_with_a_set() -> None:
    (panel, _) = FlowView(TRACE, flowing.knockout_set()).curves["measures"][0]["panels"]
    np.testing.assert_allclose(np.subtract(panel["high"], panel["low"]), 4, rtol=1e-3)


def test_grids_are_exact_and_keep_what_is_missing() -> None:
    view = FlowView(TRACE, heads=flowing.heads(), cells=flowing.cells())
    np.testing.assert_array_equal(unpack(view.heads["packed"]), flowing.heads().by_head)
    np.testing.assert_allclose(unpack(view.cells["packed"]), flowing.cells().normalised, rtol=1e-6)
    assert view.cells["positions"] == list(range(1, TRACE.prompt_length))
    assert [role for _, _, role in view.cells["bands"]] == ["image", "question", "template"]
    assert "later layers" in view.heads["about"]


def test_a_page_can_carry_it() -> None:
    curves = flowing.curves()
    curves.effects.relative_change[0, 0] = np.nan
    view = FlowView(TRACE, curves, np.ones((LAYERS, 2)), flowing.cells(), flowing.graph())
    state = page_state(view)
    assert state["curves"]["measures"][0]["panels"][0]["values"][0] is None
    json.dumps(state, default=lambda each: "bytes", allow_nan=False)


def test_views_of_one_run_share_its_selection() -> None:
    view = FlowView(TRACE, flowing.curves(), selection=Selection(layer=2))
    assert view.run == TokenImageView(TRACE).run
    view.select(head=1, token=LAST)
    assert view.selection == Selection(layer=2, head=1, token=LAST)


def test_the_graph_begins_where_it_was_walked() -> None:
    view = FlowView(TRACE, graph=flowing.graph())
    assert view.threshold == flowing.graph().threshold
    assert view.graph["edges"][0] == [1, 0, pytest.approx(0.7)]
    assert view.graph["nodes"][4]["patch"] == "1,5"
    with pytest.raises(ParameterError, match="weaker ones were not computed"):
        FlowView(TRACE, graph=flowing.graph(), threshold=0.01)


def test_mistakes_are_named() -> None:
    with pytest.raises(ParameterError, match="Nothing to show"):
        FlowView(TRACE)
    with pytest.raises(TypeError, match="Did you mean 'measure'"):
        FlowView(TRACE, flowing.curves(), mesure="kl")
    with pytest.raises(traitlets.TraitError):
        FlowView(TRACE, flowing.curves(), measure="effect")
    with pytest.raises(ParameterError, match="layers, heads"):
        FlowView(TRACE, heads=np.ones(3))
