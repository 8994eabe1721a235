"""The command line: what each command passes on, what it prints, and how it ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

import explore
from explore import cli
from explore.doctor.checks import Check
from explore.errors import CheckpointError
from tests.tiny import tiny_runner
from tests.widgets.samples import sample_trace

run = CliRunner().invoke


@pytest.fixture
def fake_load(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """`explore.load` hands out a runner that answers everything alike; what it was asked is noted."""
    calls: list[tuple[Any, ...]] = []

    def ask(image: Path, question: str, *, max_new_tokens: int) -> Any:
        calls.append((image, question, max_new_tokens))
        return sample_trace()

    def load(checkpoint: str | None, **request: Any) -> Any:
        calls.append((checkpoint, request))
        if checkpoint == "nowhere/nothing":
            raise CheckpointError("There is no 'nowhere/nothing'", "Folders and hub names", "Use explore.load()")
        return SimpleNamespace(ask=ask)

    monkeypatch.setattr(explore, "load", load)
    return calls


def end_of_main(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["explore", *arguments])
    with pytest.raises(SystemExit) as end:
        cli.main()
    return int(end.value.code or 0)


def test_ask_prints_the_answer_and_passes_the_options_on(fake_load: list[tuple[Any, ...]]) -> None:
    result = run(cli.app, ["ask", "cat.jpg", "What?", "--model", "m", "--device", "cpu", "--max-new-tokens", "5"])
    assert (result.exit_code, result.stdout) == (0, f"{sample_trace().answer}\n")
    request = {"device": "cpu", "dtype": None, "device_map": None, "quantization": None}
    assert fake_load == [("m", request), (Path("cat.jpg"), "What?", 5)]
    run(cli.app, ["ask", "cat.jpg", "What?", "--device-map", "auto", "--quantization", "4bit"])
    assert fake_load[2] == (None, {"device": None, "dtype": None, "device_map": "auto", "quantization": "4bit"})


def test_a_saved_run_can_be_exported_to_a_page(fake_load: list[tuple[Any, ...]], tmp_path: Path) -> None:
    trace, page = tmp_path / "run.trace", tmp_path / "run.html"
    assert run(cli.app, ["ask", "cat.jpg", "What?", "--save", str(trace)]).exit_code == 0
    assert explore.open_trace(trace).answer == sample_trace().answer
    result = run(cli.app, ["export", str(trace), str(page), "--title", "Red & blue"])
    assert result.exit_code == 0, result.output
    assert "MB" in result.stdout or "kB" in result.stdout
    assert "<title>Red &amp; blue</title>" in page.read_text()


def test_an_expected_error_is_one_message_and_exit_code_2(
    fake_load: list[tuple[Any, ...]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    assert end_of_main(monkeypatch, "ask", "cat.jpg", "What?", "--model", "nowhere/nothing") == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert " ".join(err.split()) == (
        "explore: There is no 'nowhere/nothing'. Folders and hub names. Use explore.load()."
    )
    (tmp_path / "foreign.trace").write_bytes(b"not a trace")
    assert end_of_main(monkeypatch, "export", str(tmp_path / "foreign.trace"), str(tmp_path / "page.html")) == 2
    assert "Traceback" not in capsys.readouterr().err
    assert not (tmp_path / "page.html").exists()


def test_other_errors_are_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    def load(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError("a defect")

    monkeypatch.setattr(explore, "load", load)
    with pytest.raises(ZeroDivisionError):
        end_of_main(monkeypatch, "ask", "cat.jpg", "What?")


def test_wrong_usage_ends_with_2_and_says_what_was_wrong(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert end_of_main(monkeypatch, "ask", "cat.jpg") == 2
    err = capsys.readouterr().err
    assert err.startswith("Usage: explore ask")
    assert "Missing argument 'question'" in err
    assert end_of_main(monkeypatch, "--version") == 0
    assert capsys.readouterr().out == f"{explore.__version__}\n"


@pytest.mark.parametrize(("status", "code"), [("ok", 0), ("missing", 0), ("broken", 1)])
def test_doctor_ends_with_1_only_where_something_is_broken(
    monkeypatch: pytest.MonkeyPatch, status: Any, code: int
) -> None:
    monkeypatch.setattr("explore.doctor.report", lambda: [Check("thing", status, "state of it", "", "mend it")])
    result = run(cli.app, ["doctor"])
    assert result.exit_code == code
    assert "state of it" in result.stdout
    assert "mend it" in result.stdout
    result = run(cli.app, ["doctor", "--json"])
    assert result.exit_code == code
    found = json.loads(result.stdout)
    assert found["healthy"] is (code == 0)
    assert found["checks"] == [
        {"name": "thing", "status": status, "found": "state of it", "consequence": "", "remedy": "mend it"}
    ]


def test_exam_examines_both_models_and_ends_with_1_where_a_floor_is_missed(
    fake_load: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    passed = {"sketch": True, "sketch-frozen": False}

    def run_exam(runner: Any, scenes: int, *, checkpoint: str, progress: Any) -> Any:
        progress(1.0, f"{scenes} of {scenes} scenes")
        return SimpleNamespace(passed=passed[checkpoint], to_json=lambda: {"checkpoint": checkpoint, "scenes": scenes})

    monkeypatch.setattr("explore.sketch.exams.run_exam", run_exam)
    monkeypatch.setattr("explore.sketch.exams.compare", lambda results: f"{len(results)} columns")
    result = run(cli.app, ["exam", "--scenes", "7"])
    assert (result.exit_code, result.stdout) == (1, "2 columns\n")
    result = run(cli.app, ["exam", "--scenes", "7", "--model", "sketch", "--json"])
    assert result.exit_code == 0
    assert json.loads(result.stdout) == [{"checkpoint": "sketch", "scenes": 7}]
    assert [call[0] for call in fake_load] == ["sketch", "sketch-frozen", "sketch"]


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    commands: list[list[str]] = []
    monkeypatch.setattr(os, "execv", lambda program, arguments: commands.append(list(arguments)))
    return commands


def test_lab_starts_jupyter_on_the_first_notebook(started: list[list[str]], tmp_path: Path) -> None:
    notebook = tmp_path / "notebooks" / "my first.ipynb"
    notebook.parent.mkdir()
    notebook.write_text("{}")
    options = ["--no-browser", "--port", "8899", "--ServerApp.token=x"]
    result = run(cli.app, ["lab", "--notebook", str(notebook), *options])
    assert result.exit_code == 0, result.output
    (command,) = started
    assert command[:3] == [sys.executable, "-m", "jupyterlab"]
    assert f"--ServerApp.root_dir={tmp_path}" in command
    assert "--LabApp.default_url=/lab/tree/notebooks/my%20first.ipynb" in command
    assert command[command.index("--port") + 1] == "8899"
    assert {"--no-browser", "--ServerApp.token=x"} <= set(command)
    assert ("--allow-root" in command) == (os.geteuid() == 0)


def test_lab_finds_the_first_notebook_from_anywhere(
    started: list[list[str]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(cli.app, ["lab"]).exit_code == 0
    assert f"--ServerApp.root_dir={Path(cli.__file__).parents[1]}" in started[0]
    assert "--LabApp.default_url=/lab/tree/notebooks/00_start_here.ipynb" in started[0]


def test_lab_on_a_notebook_that_is_not_there_says_so(
    started: list[list[str]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert end_of_main(monkeypatch, "lab", "--notebook", "nope.ipynb") == 2
    assert "nope.ipynb" in capsys.readouterr().err
    assert started == []


def test_the_installed_command_answers_without_importing_torch() -> None:
    code = "import sys; from explore.cli import main\ntry: main()\nfinally: assert 'torch' not in sys.modules"
    done = subprocess.run([sys.executable, "-c", code, "--help"], capture_output=True, text=True, check=True)
    for command in ("lab", "doctor", "ask", "export", "exam"):
        assert command in done.stdout


def test_sweep_scores_methods_and_prints_their_table(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(explore, "load", lambda *given, **named: tiny_runner())
    arguments = ["sweep", "--scenes", "2", "--method", "tam:eci=false", "--metric", "auroc", "--folder", str(tmp_path)]
    done = run(cli.app, arguments)
    assert done.exit_code == 0, done.output
    assert "| tam:eci=false |" in done.stdout
    assert "| random |" in done.stdout
    assert (tmp_path / "scores-0-of-1.jsonl").exists()


@pytest.mark.parametrize("part", ["2", "a/b", "2/2"])
def test_sweep_refuses_a_share_that_is_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, part: str) -> None:
    monkeypatch.setattr(explore, "load", lambda *given, **named: tiny_runner())
    done = run(cli.app, ["sweep", "--scenes", "2", "--method", "tam", "--folder", str(tmp_path), "--part", part])
    assert done.exit_code != 0
    assert part in str(done.exception) or "part" in str(done.exception)
