"""Measuring on a machine that also does other things.

Only ratios are reported as results, each measured in one run on one machine: the candidates take turns, the order turns
round from one round to the next, and the ratio is the median over rounds of the ratio within a round. A slow minute of
the machine then slows both sides of a ratio. Beside every number stands its spread over the rounds.
"""

from __future__ import annotations

import gc
import json
import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

Work = Callable[[], object]
Clock = Literal["wall", "processor"]


class Unavailable(Exception):  # noqa: N818 - nothing went wrong: this machine lacks what the measurement needs
    """What a benchmark needs is not here; the message says what."""


@dataclass(frozen=True)
class Spread:
    """Median and quartiles over the rounds."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, samples: Sequence[float]) -> Spread:
        if len(samples) < 2:
            return cls(samples[0], samples[0], samples[0])
        low, median, high = statistics.quantiles(samples, n=4, method="inclusive")
        return cls(median, low, high)


@dataclass(frozen=True)
class Timings:
    """Seconds of every candidate in every round, name to one value per round.

    Parameters
    ----------
    wall
        Time that passed.
    processor
        Time this process was at work on all its threads: what other programs do to the machine is not in it.
    """

    wall: dict[str, list[float]]
    processor: dict[str, list[float]]

    def time(self, name: str, clock: Clock = "wall") -> Spread:
        return Spread.of(self.seconds(clock)[name])

    def ratio(self, slow: str, fast: str, clock: Clock = "wall") -> Spread:
        """How many times longer `slow` takes than `fast`, round by round."""
        seconds = self.seconds(clock)
        return Spread.of([a / b for a, b in zip(seconds[slow], seconds[fast], strict=True)])

    def seconds(self, clock: Clock) -> Mapping[str, Sequence[float]]:
        return self.wall if clock == "wall" else self.processor


@dataclass(frozen=True)
class Table:
    """One benchmark's result.

    Parameters
    ----------
    title
        What was measured.
    columns, rows
        As they are printed; every cell is a string.
    numbers
        The same results as numbers, for the file.
    note
        One sentence on how it was measured.
    passed
        Whether the figure the project promises was met; None where nothing is promised.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    numbers: Mapping[str, Any]
    note: str = ""
    passed: bool | None = None

    def markdown(self) -> str:
        lines = [f"### {self.title}", ""]
        lines += [_line(self.columns), _line(["---"] * len(self.columns)), *map(_line, self.rows)]
        if self.note:
            lines += ["", self.note]
        if self.passed is not None:
            lines += ["", f"Promise kept: {'yes' if self.passed else 'NO'}."]
        return "\n".join(lines)


@dataclass
class Results:
    """All tables of one run with the machine they were measured on, written to a file in one step."""

    tables: dict[str, Table] = field(default_factory=dict)

    def save(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        record = {"machine": machine(), "tables": {name: asdict(table) for name, table in self.tables.items()}}
        partial = path.with_name(f"{path.name}.{os.getpid()}.tmp")
        partial.write_text(json.dumps(record, indent=1, default=float), encoding="utf-8")
        os.replace(partial, path)


def take_turns(work: Mapping[str, Work], *, rounds: int, warm_up: int = 1) -> Timings:
    """Time each piece of work once a round, after `warm_up` rounds that are not timed."""
    for _ in range(warm_up):
        for each in work.values():
            each()
    timings = Timings({name: [] for name in work}, {name: [] for name in work})
    names = list(work)
    for number in range(rounds):
        for name in names if number % 2 == 0 else reversed(names):
            wall, processor = _timed(work[name])
            timings.wall[name].append(wall)
            timings.processor[name].append(processor)
    return timings


def machine() -> dict[str, Any]:
    """What the numbers were measured on."""
    import numpy as np
    import torch

    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "torch_threads": torch.get_num_threads(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "torch": torch.__version__,
        "load": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
    }


def times(spread: Spread, digits: int = 0) -> str:
    """A ratio and its quartiles as text."""
    return f"{spread.median:.{digits}f}× ({spread.low:.{digits}f}–{spread.high:.{digits}f})"


def milliseconds(spread: Spread) -> str:
    """A time and its quartiles as text."""
    return f"{spread.median * 1e3:.3g} ms ({spread.low * 1e3:.3g}–{spread.high * 1e3:.3g})"


def _timed(work: Work) -> tuple[float, float]:
    """Seconds on the wall and of the processor; the collector of garbage waits meanwhile."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        wall, processor = time.perf_counter(), time.process_time()
        work()
        return time.perf_counter() - wall, time.process_time() - processor
    finally:
        if collecting:
            gc.enable()


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
