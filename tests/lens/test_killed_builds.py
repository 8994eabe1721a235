"""A build that is killed, whenever that is, ends in the same bytes when it is called again."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.lens.killed_builds import KILLS
from tests.lens.test_bank_building import contents


@pytest.mark.skipif(sys.platform == "win32", reason="kills forked processes")
def test_twenty_kills_at_random_moments_and_many_in_a_row(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.lens.killed_builds", str(tmp_path)],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert done.returncode == 0, done.stderr
    whole = contents(tmp_path / "whole")
    assert "manifest.json" in whole
    folders = [each for each in tmp_path.iterdir() if each.name != "whole"]
    assert len(folders) == KILLS + 1
    for folder in folders:
        assert contents(folder) == whole, folder.name
    moments, kills = (int(each) for each in done.stdout.split() if each.isdigit())
    assert moments > 2 * KILLS
    assert kills > 5
