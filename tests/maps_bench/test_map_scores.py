"""The bench as a whole on a tiny random model: what is scored, kept and gone on with."""

import json

import numpy as np
import pandas as pd
import pytest

from explore.bench import PLACE_METRICS, markdown_scores, plot_scores, score_maps, summarise
from explore.bench.data import SketchScenes
from explore.bench.map_scores import CONTROL
from explore.bench.metrics import METRICS
from explore.bench.scene_scores import CEILING, make_case, score_case
from explore.bench.score_files import ScoreFolder
from explore.bench.substrates import word_probability
from explore.errors import Cancelled, ParameterError
from explore.maps import METHODS
from tests.tiny import tiny_runner

DATA = SketchScenes(3, style="short")
QUICK = ["tam", "attention"]


@pytest.fixture(scope="module")
def table():
    return score_maps(tiny_runner(), QUICK, DATA)


def test_one_row_per_method_and_metric_with_the_control_among_them(table):
    assert isinstance(table, pd.DataFrame)
    assert list(dict.fromkeys(table["method"])) == [*QUICK, CONTROL, CEILING]
    assert list(dict.fromkeys(table["metric"])) == list(PLACE_METRICS)
    assert len(table) == 4 * len(PLACE_METRICS)
    assert (table["examples"] == 3).all()
    assert (table["low"] <= table["value"] + 1e-12).all()
    assert (table["value"] <= table["high"] + 1e-12).all()
    assert not table[table["method"] == CONTROL]["lead"].any()


def test_every_method_of_the_table_can_be_scored():
    methods = {name: METHODS[name](**({"steps": 2} if name == "integrated_gradients" else {})) for name in METHODS}
    found = score_maps(tiny_runner(), methods, SketchScenes(1, style="short"), metrics=["auroc"])
    assert list(found["method"]) == [*METHODS, CEILING]
    assert found["value"].between(0, 1).all()


def test_the_true_masks_are_the_ceiling(table):
    rows = table.set_index(["method", "metric"])["value"]
    assert rows[CEILING, "func_iou"] == 1
    # Cells that the thing covers in part are half right and half wrong, even for the truth itself.
    assert rows[CEILING, "auroc"] > 0.9
    for metric in PLACE_METRICS:
        assert all(rows[CEILING, metric] >= rows[method, metric] for method in [*QUICK, CONTROL])


def test_a_metric_whose_best_is_low_turns_the_lead_around():
    found = score_maps(tiny_runner(), ["tam"], SketchScenes(2, style="short"), metrics=["deletion", "insertion"])
    rows = found.set_index(["method", "metric"])
    for metric, sign in (("deletion", -1), ("insertion", 1)):
        ahead = rows.loc[("tam", metric), "value"] - rows.loc[(CONTROL, metric), "value"]
        assert rows.loc[("tam", metric), "lead"] == pytest.approx(sign * ahead)
        assert rows.loc[("tam", metric), "lead_low"] <= rows.loc[("tam", metric), "lead"] + 1e-12
        assert rows.loc[("tam", metric), "lead"] <= rows.loc[("tam", metric), "lead_high"] + 1e-12


@pytest.mark.parametrize("substrate", ["blocked", "blurred"])
def test_keeping_everything_is_the_probability_of_the_word(substrate):
    case = make_case(tiny_runner(), DATA[0])
    tokens = case.targets[0]
    kept = np.ones((3, 16), bool)
    kept[1] = False
    found = word_probability(case.trace, tiny_runner(), tokens, substrate)(kept)
    expected = 1.0
    for token in tokens:
        logits = case.trace.logits_of(token.position - case.trace.prompt_length).astype(np.float64)
        expected *= np.exp(logits[token.id] - np.logaddexp.reduce(logits))
    assert found[0] == found[2] == pytest.approx(expected, rel=1e-4, abs=0)
    assert found[1] != pytest.approx(expected, rel=1e-4, abs=0)


def test_a_stopped_bench_goes_on_where_it_was(tmp_path, table, monkeypatch):
    def stop(fraction, message):
        if fraction > 0.5:
            raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        score_maps(tiny_runner(), QUICK, DATA, folder=tmp_path, progress=stop)
    done = len((tmp_path / "scores-0-of-1.jsonl").read_text().splitlines())
    assert done == 2 * 4
    with (tmp_path / "scores-0-of-1.jsonl").open("a") as file:
        file.write('{"example": "half a li')
    counted = []
    monkeypatch.setattr(
        "explore.bench.map_scores.score_case", lambda *given: counted.append(given[1]) or score_case(*given)
    )
    again = score_maps(tiny_runner(), QUICK, DATA, folder=tmp_path)
    assert len(counted) == 4
    pd.testing.assert_frame_equal(again.drop(columns="seconds"), table.drop(columns="seconds"))


def test_two_processes_share_a_folder(tmp_path, table):
    score_maps(tiny_runner(), QUICK, DATA, folder=tmp_path, part=(0, 2))
    found = score_maps(tiny_runner(), QUICK, DATA, folder=tmp_path, part=(1, 2))
    pd.testing.assert_frame_equal(found.drop(columns="seconds"), table.drop(columns="seconds"))


def test_methods_may_be_added_and_other_experiments_are_refused(tmp_path):
    one = SketchScenes(1, style="short")
    score_maps(tiny_runner(), ["tam"], one, metrics=["auroc"], folder=tmp_path)
    found = score_maps(tiny_runner(), ["logit"], one, metrics=["auroc"], folder=tmp_path)
    assert list(found["method"]) == ["logit", CONTROL, CEILING]
    known = json.loads((tmp_path / "experiment.json").read_text())["methods"]
    assert set(known) == {"tam", "logit", CONTROL, CEILING}
    for methods, data, metrics in (
        ({"tam": METHODS["tam"](eci=False)}, one, ["auroc"]),
        (["tam"], SketchScenes(2, style="short"), ["auroc"]),
        (["tam"], one, ["obj_iou"]),
    ):
        with pytest.raises(ParameterError, match="another experiment"):
            score_maps(tiny_runner(), methods, data, metrics=metrics, folder=tmp_path)


def test_a_plain_list_is_told_apart_by_its_examples(tmp_path):
    one, other = list(SketchScenes(1)), list(SketchScenes(1, first_seed=77))
    score_maps(tiny_runner(), "tam", one, metrics="auroc", folder=tmp_path)
    with pytest.raises(ParameterError, match="another experiment"):
        score_maps(tiny_runner(), "tam", other, metrics="auroc", folder=tmp_path)


def test_the_models_own_answer_is_scored_where_none_is_given():
    case = make_case(tiny_runner(), SketchScenes(1, own_words=True)[0])
    assert case.example.answer == case.trace.answer
    found = score_maps(tiny_runner(), ["tam"], SketchScenes(2, own_words=True), metrics=["auroc", "obj_iou"])
    # A random model names nothing that is there: nothing to measure, and nothing breaks.
    assert found["value"].isna().all() or found["value"].between(0, 1).all()


def test_tables_for_people(table):
    text = markdown_scores(table, ["auroc", "obj_iou"], order="auroc")
    lines = text.splitlines()
    assert lines[0] == "| method | AUROC | Obj-IoU | ms |"
    assert len(lines) == 2 + 4
    assert lines[-1].startswith(f"| {CEILING} |")
    assert text.count("**") == 4
    best = table[(table["metric"] == "auroc") & (table["method"] != CEILING)].sort_values("value").iloc[-1]["method"]
    assert lines[2].startswith(f"| {best} |")
    figure = plot_scores(table, "auroc")
    assert len(figure.data[0].x) == 4
    for make in (lambda: markdown_scores(table, ["speed"]), lambda: plot_scores(table, "speed")):
        with pytest.raises(ParameterError, match="speed"):
            make()


def test_bad_requests_are_refused(tmp_path):
    for given, what in (
        ({"methods": ["tm"]}, "tm"),
        ({"metrics": ["aurc"]}, "aurc"),
        ({"methods": ["tam", METHODS["tam"](eci=False)]}, "one name"),
        ({"part": (2, 2)}, "part"),
        ({"methods": []}, "No method"),
        ({"methods": [5]}, "no method"),
        ({"methods": {"truth": METHODS["tam"]()}}, "always scored"),
        ({"methods": {CONTROL: METHODS["tam"]()}}, "always scored"),
        ({"data": 5}, "No data"),
        ({"metrics": ["deletion"], "substrate": "noise"}, "substrate"),
    ):
        with pytest.raises(ParameterError, match=what):
            score_maps(tiny_runner(), **{"data": DATA, **given})
    with pytest.raises(ParameterError, match="No data"):
        score_maps(tiny_runner(), ["tam"])
    (tmp_path / "file").write_text("")
    with pytest.raises(ParameterError, match="folder"):
        ScoreFolder(tmp_path / "file", {"methods": {}})


def test_nothing_scored_by_every_method_yet_is_said():
    with pytest.raises(ParameterError, match="every method"):
        summarise([], ["tam", CONTROL], {"auroc": METRICS["auroc"]()})
