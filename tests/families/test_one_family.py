"""`--family` keeps the tests of one family; notebooks/12_new_model_family.ipynb shows it on one that a file adds."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
def test_only_its_tests_are_kept() -> None:
    command = [sys.executable, "-m", "pytest", "tests/families/test_cutting.py", "--family", "gemma4"]
    command += ["--collect-only", "-q", "-p", "no:cacheprovider"]
    found = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True)
    assert [line.rpartition("[")[2] for line in found.stdout.splitlines() if "::" in line] == ["gemma4]"]
