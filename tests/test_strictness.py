"""A build machine may not skip browser or notebook tests: tests/conftest.py on small suites of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PASSES = """
import pytest
@pytest.mark.browser
def test_in_browser(): pass
@pytest.mark.notebook
def test_in_notebook(): pass
"""
SKIPS = """
import pytest
@pytest.mark.browser
def test_in_browser(): pytest.skip("no chromium")
@pytest.mark.notebook
def test_in_notebook(): pass
"""
SKIPS_WHOLE = PASSES + "\npytest.importorskip('no_such_module')\n"
SKIPS_ELSEWHERE = PASSES + "\n@pytest.mark.skip(reason='needs a GPU')\ndef test_gpu(): pass\n"
LACKS = "def test_numbers(): pass\n"


@pytest.mark.parametrize(
    ("suite", "required", "passes", "says"),
    [
        (PASSES, True, True, "2 passed"),
        (SKIPS, False, True, "1 skipped"),
        (SKIPS, True, False, "test_in_browser was skipped"),
        (SKIPS_WHOLE, True, False, "was skipped whole"),
        (SKIPS_ELSEWHERE, True, True, "1 skipped"),
        (LACKS, False, True, "1 passed"),
        (LACKS, True, False, "no browser or notebook test was collected"),
    ],
)
def test_required_tests_cannot_be_skipped(tmp_path: Path, suite: str, required: bool, passes: bool, says: str) -> None:
    shutil.copy(ROOT / "tests" / "conftest.py", tmp_path)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / "test_suite.py").write_text(suite)
    environment = os.environ | {"VLMSCOPE_REQUIRE_BROWSER": "1" if required else "", "PYTHONPATH": str(ROOT)}
    environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # three times as quick
    command = [sys.executable, "-m", "pytest", "test_suite.py", "-p", "no:cacheprovider"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode == 0) is passes, done.stdout + done.stderr
    assert says in done.stdout
    last = done.stdout.strip().splitlines()[-1]
    assert " in " in last, "pytest's summary is the last line"
    assert "test" in last or "passed" in last or "error" in last
