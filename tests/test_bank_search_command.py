"""`explore bank search`: what is printed, and how errors end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

import explore
from explore.bank_search_command import bank_search
from explore.errors import ParameterError
from explore.lens.bank_building import build_bank
from tests.lens.words import GOLDEN, word_runner

app = typer.Typer()
app.command()(bank_search)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(explore, "load", lambda *given, **named: word_runner())
    return build_bank(word_runner(), GOLDEN, tmp_path / "bank", layers=[1, 4]).folder


def invoke(*arguments: str) -> Any:
    return CliRunner().invoke(app, list(arguments))


def test_the_last_token_is_looked_up(folder: Path) -> None:
    done = invoke(str(folder), " ".join(GOLDEN[0].split()[:3]), "--at", "4", "--k", "2")
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert lines[0] == "'w04', state of layer 4"
    assert lines[1].split()[:2] == ["1.000", "L4"]
    assert "[w04]" in lines[1]
    assert len(lines) == 3
    assert "exact: every row compared" in done.stderr


def test_every_token_and_some_layers(folder: Path) -> None:
    done = invoke(str(folder), "w01 w02", "--every", "--layers", "1", "--k", "1", "--backend", "signs", "--centred")
    assert done.exit_code == 0, done.output
    assert done.stdout.count("state of layer 4") == 2
    assert done.stdout.count("  L1 ") == 2
    assert "approximate, overlap@1" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [(["w01", "--layers", "1;4"], "1;4"), ([""], "no token"), (["w01", "--layers", "3"], "Layer 3")],
)
def test_what_cannot_be_is_said(folder: Path, arguments: list[str], words: str) -> None:
    done = invoke(str(folder), *arguments)
    assert isinstance(done.exception, ParameterError)
    assert words in str(done.exception)
