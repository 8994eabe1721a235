"""The benchmarks' own arithmetic, and that every one of them can be run. Nothing is timed here."""

import json
from importlib import import_module
from pathlib import Path

import pytest

from tests.bench.__main__ import main
from tests.bench.harness import Results, Spread, Table, Timings, take_turns

FILES = sorted((Path(__file__).parent / "bench").glob("bench_*.py"))


def test_ratios_are_taken_within_a_round():
    timings = Timings({"a": [2.0, 20.0, 6.0], "b": [1.0, 10.0, 2.0]}, {"a": [4.0] * 3, "b": [1.0] * 3})
    assert timings.ratio("a", "b") == Spread(2.0, 2.0, 2.5)
    assert timings.ratio("a", "b", "processor") == Spread(4.0, 4.0, 4.0)
    assert timings.time("a").median == 6.0


def test_one_round_has_no_spread():
    assert Spread.of([3.0]) == Spread(3.0, 3.0, 3.0)


def test_candidates_take_turns_and_the_order_turns_round():
    calls = []
    timings = take_turns({"a": lambda: calls.append("a"), "b": lambda: calls.append("b")}, rounds=2, warm_up=1)
    assert calls == ["a", "b", "a", "b", "b", "a"]
    assert [len(timings.wall[name]) for name in "ab"] == [2, 2]
    assert all(seconds >= 0 for seconds in timings.wall["a"])


def test_table_prints_its_promise():
    table = Table("Speed", ["what", "ratio"], [["maps", "30×"]], {}, "Note.", passed=False)
    assert table.markdown().splitlines() == [
        *["### Speed", "", "| what | ratio |", "| --- | --- |", "| maps | 30× |", "", "Note.", "", "Promise kept: NO."]
    ]


def test_results_are_written_in_one_step(tmp_path):
    path = tmp_path / "deep" / "bench.json"
    results = Results({"maps": Table("Speed", ["what"], [["x"]], {"ratio": 2.0})})
    results.save(path)
    results.save(path)
    assert [each.name for each in path.parent.iterdir()] == ["bench.json"]
    written = json.loads(path.read_text())
    assert written["tables"]["maps"]["numbers"] == {"ratio": 2.0}
    assert written["machine"]["cores"] >= 1


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_benchmark_can_be_measured(path):
    assert callable(import_module(f"tests.bench.{path.stem}").measure)


def test_an_unknown_benchmark_is_named(capsys):
    with pytest.raises(SystemExit):
        main(["nonsense"])
    assert "no benchmark called nonsense" in capsys.readouterr().err
