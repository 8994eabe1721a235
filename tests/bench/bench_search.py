"""Searching a bank: exactly against a plain product in memory, and by sign codes beyond the memory limit."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from explore.lens.memory_rows import MemoryRows
from explore.lens.row_search import search
from explore.memory import readable
from tests.bench.harness import Table, Unavailable, milliseconds, take_turns, times
from tests.bench.limited_memory import drawn, write_rows

AT_LEAST = 0.8
OVERLAP = 0.99
QUERIES, ROWS, WIDTH = 576, 32_768, 2048
LIMIT = 512 * 2**20
TIMES_LIMIT = 4
LOOKED_UP = 200


def measure(rounds: int = 11) -> list[Table]:
    """Both tables; the second only on Linux, where memory can be limited so that mapped files do not count."""
    tables = [exact_table(rounds)]
    if sys.platform == "linux":
        tables.append(limited_table())
    return tables


def exact_table(rounds: int) -> Table:
    """Exact search of half- and quarter-size rows against one product with float32 rows, on the same threads."""
    torch.set_num_threads(os.cpu_count() or 1)
    random = torch.Generator().manual_seed(0)
    layers = {layer: drawn(ROWS // 2, WIDTH, random) for layer in (4, 16)}
    queries, rows = drawn(QUERIES, WIDTH, random), torch.cat(list(layers.values()))
    stores = {dtype: MemoryRows(layers, dtype) for dtype in ("float16", "int8")}
    plain = "plain product, float32"
    work: dict[str, Callable[[], object]] = {plain: lambda: (queries @ rows.T).topk(5, dim=1)}
    for dtype, store in stores.items():
        work[dtype] = lambda store=store: search(store, queries, 5)
    _require_same(search(stores["float16"], queries, 5).similarities, work[plain]())
    timings = take_turns(work, rounds=rounds, warm_up=2)
    full = rows.nbytes
    table, numbers, worst = [[plain, readable(full), milliseconds(timings.time(plain)), "1"]], {}, np.inf
    for dtype, store in stores.items():
        size = sum(part.rows.nbytes for layer in store.layers for part in store.parts(layer))
        ratio = timings.ratio(plain, dtype)
        worst = min(worst, ratio.median)
        table.append([f"exact search, {dtype}", readable(size), milliseconds(timings.time(dtype)), times(ratio, 2)])
        numbers[dtype] = {"bytes": size / full, "ratio": vars(ratio)}
    return Table(
        f"Exact search ({QUERIES} queries, {ROWS} rows of {WIDTH} numbers, {torch.get_num_threads()} threads)",
        ["search", "rows take", "time", "speed"],
        table,
        {**numbers, "seconds": vars(timings)},
        f"Median of {rounds} rounds (quartiles), wall time; the plain product keeps all similarities. Promised: "
        f"at least {AT_LEAST} of its speed at a half and a quarter of its bytes.",
        bool(worst >= AT_LEAST),
    )


def limited_table() -> Table:
    """A bank of four times the memory a process may have: codes built, and queries answered."""
    rows = TIMES_LIMIT * LIMIT // (2 * WIDTH)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.float16"
        write_rows(path, rows, WIDTH)
        found = _limited(path, rows)
    seconds = found["seconds"]
    table = [
        ["rows on disk", readable(rows * WIDTH * 2)],
        ["memory of its own the process may have", readable(LIMIT)],
        ["that it had at most, resident", readable(found["resident"])],
        ["codes in memory", readable(found["codes"])],
        ["building them", f"{seconds['build']:.1f} s"],
        *(
            [
                f"{words}, by codes and exactly",
                f"{seconds[f'signs, {name}']:.2f} s and {seconds[f'exact, {name}']:.2f} s",
            ]
            for name, words in (("all", f"{LOOKED_UP} queries"), ("one", "one query"))
        ),
        [f"overlap@5 with exact search, {found['checked']} queries", f"{found['recall']:.4f}"],
    ]
    return Table(
        f"Sign codes on a bank {TIMES_LIMIT} times larger than the memory limit ({rows} rows of {WIDTH} numbers)",
        ["what", "value"],
        table,
        found,
        "One run in a process limited by RLIMIT_DATA, drawn clustered rows, 200 candidates re-scored. Promised: "
        f"overlap@5 of at least {OVERLAP} within the limit.",
        bool(found["recall"] >= OVERLAP and found["resident"] <= LIMIT),
    )


def _limited(path: Path, rows: int) -> dict[str, Any]:
    given = [str(each) for each in (path, rows, WIDTH, LIMIT, LOOKED_UP)]
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.limited_memory", *given],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
        env={**os.environ, "MALLOC_ARENA_MAX": "2"},
    )
    if done.returncode:
        raise Unavailable(f"the limited process ended with {done.returncode}: {done.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _require_same(similarities: np.ndarray, plain: Any) -> None:
    """Both sides do the same work."""
    np.testing.assert_allclose(similarities, plain.values.numpy(), atol=1e-3)
