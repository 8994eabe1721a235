"""Kill a build at random moments and go on: `python -m tests.lens.killed_builds FOLDER`, used by test_killed_builds.

Each build runs in a forked process that kills itself, by SIGKILL, when it has called so many of the functions that
touch the disk or the model; nothing of Python gets a chance to tidy up.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas  # noqa: F401, ICN001  pyarrow imports it at its first table: once here, not in every process

from explore.lens.bank_building import build_bank
from tests.lens.words import GOLDEN, WordLanguage, word_runner

KILLS = 20
SETTINGS: dict[str, Any] = {"cap": 3, "part_rows": 30, "batch_tokens": 40, "layers": [1, 4]}


class Countdown:
    """Kills the process at a moment; before and after every call of what it watches is one."""

    def __init__(self, moment: int | None) -> None:
        self.moment, self.passed = moment, 0

    def tick(self) -> None:
        self.passed += 1
        if self.passed == self.moment:
            os.kill(os.getpid(), signal.SIGKILL)

    def around(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def watched(*given: Any, **named: Any) -> Any:
            self.tick()
            found = call(*given, **named)
            self.tick()
            return found

        return watched


def build(folder: Path, moment: int | None) -> int:
    """Build, or be killed while building; gives the number of moments."""
    countdown, language = Countdown(moment), WordLanguage()
    os.replace = countdown.around(os.replace)  # type: ignore[assignment]
    os.fsync = countdown.around(lambda file: None)  # type: ignore[assignment]  (slow; a kill loses nothing written)
    Path.unlink = countdown.around(Path.unlink)  # type: ignore[method-assign]
    tempfile.mkstemp = countdown.around(tempfile.mkstemp)
    language.states = countdown.around(language.states)  # type: ignore[method-assign]
    build_bank(word_runner(language), GOLDEN, folder, **SETTINGS)
    return countdown.passed


def in_a_fork(folder: Path, moment: int | None) -> int:
    """Exit status of a build in a process of its own: the signal that ended it, or 0."""
    child = os.fork()
    if child == 0:
        build(folder, moment)
        os._exit(0)
    return os.WTERMSIG(os.waitpid(child, 0)[1])


def main(root: Path) -> None:
    """One kill each into KILLS folders; then one folder that is killed again and again, each time a little later."""
    reader, writer = os.pipe()
    if os.fork() == 0:
        os.write(writer, str(build(root / "whole", None)).encode())
        os._exit(0)
    os.wait()
    moments = int(os.read(reader, 16))
    random.seed(0)
    for number, moment in enumerate(random.sample(range(1, moments + 1), KILLS)):
        folder = root / f"once-{number:02d}-{moment}"
        assert in_a_fork(folder, moment) == signal.SIGKILL
        assert in_a_fork(folder, None) == 0
    kills = 0
    while in_a_fork(root / "often", 5 + kills) == signal.SIGKILL:
        kills += 1
    print(f"{moments} moments, {kills} kills of one build")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
