"""`explore bank`: what is passed on, what is printed, and how errors end."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import explore
from explore import cli
from explore.errors import ParameterError
from explore.lens.banks import open_bank
from tests.lens.words import GOLDEN, word_runner

run = CliRunner().invoke


@pytest.fixture
def corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A corpus file; `explore.load` gives the runner of its words."""
    monkeypatch.setattr(explore, "load", lambda *given, **named: word_runner())
    path = tmp_path / "corpus.txt"
    path.write_text("\n".join(GOLDEN))
    return path


def test_a_bank_is_built_and_described(corpus: Path, tmp_path: Path) -> None:
    folder = tmp_path / "bank"
    options = ["--layers", "1,4", "--cap", "3", "--dtype", "int8", "--mode", "reference"]
    done = run(cli.app, ["bank", "build", str(corpus), str(folder), *options])
    assert done.exit_code == 0, done.output
    assert "112 rows in each of layers 1, 4" in done.stdout
    assert open_bank(folder).manifest["store_dtype"] == "int8"
    done = run(cli.app, ["bank", "info", str(folder), "--verify"])
    assert done.exit_code == 0, done.output
    assert "corpus.txt, 64 sentences" in done.stdout
    assert "as they were written" in done.stdout
    assert json.loads(run(cli.app, ["bank", "info", str(folder), "--json"]).stdout)["rows"] == 112


@pytest.mark.parametrize(
    ("options", "words"), [(["--layers", "1;4"], "1;4"), (["--column", "text"], "text"), (["--cap", "0"], "cap")]
)
def test_what_cannot_be_is_said(corpus: Path, tmp_path: Path, options: list[str], words: str) -> None:
    done: Any = run(cli.app, ["bank", "build", str(corpus), str(tmp_path / "bank"), *options])
    assert isinstance(done.exception, ParameterError)
    assert words in str(done.exception)
    assert not (tmp_path / "bank").exists()


def test_help_needs_no_torch() -> None:
    code = "import sys; from explore.cli import main\ntry: main()\nfinally: assert 'torch' not in sys.modules"
    for arguments in (["bank", "--help"], ["bank", "build", "--help"]):
        done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    assert "--column" in done.stdout
