"""What the comparison sends and answers, without a browser."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
import traitlets

import explore
from explore.bench.metrics import METRICS, Truth
from explore.errors import ParameterError
from explore.maps import METHODS
from tests.widgets.samples import answer_maps, position_of, sample_scene, sample_trace
from widgets import CompareMaps, Region, Selection
from widgets.codec import unpack

TRACE = sample_trace()
CAT, HOUSE = sample_scene().masks


@pytest.fixture(scope="module")
def view() -> CompareMaps:
    return CompareMaps(TRACE, masks={"cat": CAT, "house": HOUSE})


def names(view: CompareMaps) -> list[str]:
    return [method["name"] for method in view.methods]


def test_by_default_it_shows_every_method_the_record_suffices_for(view: CompareMaps) -> None:
    assert {"tam", "logit", "random"} <= set(names(view))
    assert view.shown == names(view)
    for name in names(view):
        assert not METHODS[name]().reruns


def test_it_says_what_the_other_methods_miss(view: CompareMaps) -> None:
    assert "run the model again" in view.note
    assert 'RecordingPlan(attention="answer")' in view.note
    assert len(view.note.splitlines()) == 2


def test_nothing_runs_the_model_even_where_its_runner_is_at_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    for name, method in METHODS.items():
        if method().reruns:
            monkeypatch.setattr(method, "compute", lambda self, run, name=name: asked.append(name))
    CompareMaps(TRACE)
    assert asked == []


def test_controls_are_marked(view: CompareMaps) -> None:
    marked = {method["name"] for method in view.methods if method["control"]}
    assert marked == {name for name in names(view) if METHODS[name].control}
    assert "random" in marked


def test_maps_travel_once_and_small() -> None:
    view = CompareMaps(TRACE, {"tam": METHODS["tam"]().maps(TRACE), "random": METHODS["random"]().maps(TRACE)})
    rows = len(view.methods[0]["positions"]) + len(view.methods[0]["words"])
    assert [len(method["packed"]["buffer"]) for method in view.methods] == [rows * (8 + 144)] * 2
    steps = view.makings["tam"]["steps"]
    assert {len(step["packed"]["buffer"]) for step in steps} == {len(view.methods[0]["positions"]) * (8 + 144)}


def test_a_method_without_question_maps_is_no_trouble() -> None:
    view = CompareMaps(TRACE, {"tam": METHODS["tam"]().maps(TRACE), "knockout": answer_maps(TRACE)})
    asked = next(token for token in TRACE.tokens if token.text == " can")
    view.select(token=asked.position)
    view.region = (0, 0, 50, 50)
    assert [(row["method"], row["share"] is None) for row in view.shares] == [("tam", False), ("knockout", True)]
    assert view.shares[1]["ratio"] is None


def test_a_word_of_which_a_piece_has_no_map_shows_the_others() -> None:
    whole = METHODS["tam"]().maps(TRACE)
    first = position_of(TRACE, " drag")
    some = METHODS["tam"]().maps(TRACE, [first, first + 2])
    view = CompareMaps(TRACE, {"some": some})
    (sent,) = view.methods
    assert sent["words"] == [[first, first + 1, first + 2]]
    np.testing.assert_allclose(unpack(sent["packed"])[2], whole.flat([first, first + 2]), atol=1 / 500)


def test_one_method_told_different_things_stands_under_its_names() -> None:
    view = CompareMaps(
        TRACE,
        {
            "with ECI": explore.maps.token_activation_maps(TRACE),
            "without": explore.maps.token_activation_maps(TRACE, eci=False),
        },
    )
    assert [method["label"] for method in view.methods] == ["with ECI", "without"]
    assert "2506.23270" in view.methods[1]["about"]
    assert "eci=False" in view.makings["without"]["code"]


@pytest.mark.parametrize("text", [" house", " red", " of"])
def test_shares_are_the_relevance_mass_of_the_bench(view: CompareMaps, text: str) -> None:
    view.select(token=position_of(TRACE, text))
    view.region = "house"
    metric, truth = METRICS["relevance_mass"](), Truth(HOUSE, TRACE.layout)
    for row in view.shares:
        values = METHODS[row["method"]]().maps(TRACE).flat(position_of(TRACE, text))
        assert row["share"] == pytest.approx(metric.measure(values, truth))
        assert row["area"] == pytest.approx(truth.cover.mean())
        assert row["ratio"] == pytest.approx(row["share"] / row["area"])
    shares = [row["share"] for row in view.shares]
    assert shares == sorted(shares, reverse=True)


def test_shares_name_their_token_method_and_control(view: CompareMaps) -> None:
    first = position_of(TRACE, " drag")
    view.select(token=first + 1)
    view.region = "cat"
    row = view.shares[0]
    assert list(row) == ["token", "position", "method", "control", "share", "area", "ratio"]
    assert (row["token"], row["position"]) == ("dragonfly", first)
    values = METHODS[row["method"]]().maps(TRACE).flat([first, first + 1, first + 2])
    assert row["share"] == pytest.approx(METRICS["relevance_mass"]().measure(values, Truth(CAT, TRACE.layout)))
    view.words = False
    assert (view.shares[0]["token"], view.shares[0]["position"]) == ("on", first + 1)
    view.words = True


def test_the_whole_picture_holds_everything(view: CompareMaps) -> None:
    view.region = (0, 0, *TRACE.images[0].size)
    assert all(row["share"] == pytest.approx(1) and row["ratio"] == pytest.approx(1) for row in view.shares)


def test_without_region_or_token_there_are_no_shares(view: CompareMaps) -> None:
    view.region = None
    assert view.shares == []
    view.region = "cat"
    view.select(token=None)
    assert view.shares == []
    view.select(token=1)  # a visual token
    assert view.shares == []


def test_a_region_belongs_to_its_picture() -> None:
    trace = sample_trace(pictures=2)
    view = CompareMaps(trace, {"random": METHODS["random"]().maps(trace)}, masks=[None, {"cat": CAT}])
    view.region = "cat"
    assert view.region == Region(mask="cat", picture=1)
    view.region = Region(box=(0, 0, *trace.images[1].size), picture=1)
    assert view.shares[0]["share"] == pytest.approx(1), "the other picture does not count"


def test_the_page_and_python_both_set_the_region(view: CompareMaps) -> None:
    view.set_state({"region": {"box": [1, 2, 30, 40], "mask": "", "picture": 0}})
    assert view.region == Region(box=(1, 2, 30, 40))
    view.region = "house"
    assert view.get_state("region")["region"] == {"box": None, "mask": "house", "picture": 0}
    view.set_state({"region": None})
    assert view.region is None


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("region", "dog", "cat"),
        ("region", Region(box=(0, 0, 1, 1), picture=3), "picture 3"),
        ("region", (1, 1, 1, 1), "no area"),
        ("shown", ["tam", "gradcam"], "gradcam"),
        ("opened", ["gradcam"], "gradcam"),
        ("grid", 1, "picture 1"),
    ],
)
def test_what_is_not_there_is_refused(view: CompareMaps, field: str, value: object, says: str) -> None:
    with pytest.raises(ParameterError, match=says):
        setattr(view, field, value)
    with pytest.raises((ParameterError, traitlets.TraitError), match=says):
        CompareMaps(TRACE, masks={"cat": CAT, "house": HOUSE}, **{field: value})  # type: ignore[arg-type]


def test_settings_are_strict() -> None:
    with pytest.raises(TypeError, match="Did you mean 'masks'"):
        CompareMaps(TRACE, mask={"cat": CAT})  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="Did you mean 'stretch'"):
        CompareMaps(TRACE, strech=True)  # type: ignore[call-arg]


def test_it_shares_the_selection_of_the_run(view: CompareMaps) -> None:
    assert view.run == CompareMaps(TRACE, {"random": METHODS["random"]().maps(TRACE)}).run
    given = CompareMaps(TRACE, selection=Selection(token=150), region=(0, 0, 9, 9), shown=["tam"])
    assert (given.selection.token, given.shown) == (150, ["tam"])


def test_maps_of_another_run_are_refused() -> None:
    with pytest.raises(ParameterError, match="another run"):
        CompareMaps(TRACE, {"tam": METHODS["tam"]().maps(sample_trace(rows=6, cols=6))})


def without(name: str) -> explore.Trace:
    return {
        "columns": replace(TRACE, columns=None),
        "pictures": replace(TRACE, images=()),
        "words": sample_trace(answer=(), question=()),
    }[name]


@pytest.mark.parametrize(
    ("missing", "shown"), [("columns", ["random", "centre"]), ("pictures", ["tam"]), ("words", ["random"])]
)
def test_what_a_run_lacks_takes_only_that_away(missing: str, shown: Sequence[str]) -> None:
    view = CompareMaps(without(missing))
    assert set(shown) <= set(names(view))
    assert ("tam" in names(view)) == (missing != "columns")
    assert view.shares == []


def test_a_run_without_any_picture_says_why_nothing_is_shown() -> None:
    trace = TRACE
    bare = replace(trace, layout=explore.layout.TokenLayout(trace.layout.roles, ()), images=())
    view = CompareMaps(bare)
    assert view.methods == []
    assert "no visual tokens" in view.note
