"""`python -m tests.bench [name ...]`: run the benchmarks, print their tables, write their numbers.

A benchmark is a file `bench_NAME.py` here with a function `measure()` that returns one `harness.Table` or several.
"""

from __future__ import annotations

import argparse
import sys
from importlib import import_module
from pathlib import Path

from tests.bench.harness import Results, Table, Unavailable

HERE = Path(__file__).parent


def main(arguments: list[str] | None = None) -> int:
    """Run what was asked for; 1 if a promised figure was missed or nothing could be measured."""
    known = sorted(path.stem.removeprefix("bench_") for path in HERE.glob("bench_*.py"))
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="The project's benchmarks.")
    parser.add_argument("names", nargs="*", metavar="name", help=f"which ones: {', '.join(known)}; default all")
    parser.add_argument("--out", type=Path, default=Path("runs/bench.json"), help="file for the numbers")
    chosen = parser.parse_args(arguments)
    unknown = sorted(set(chosen.names) - set(known))
    if unknown:
        parser.error(f"no benchmark called {', '.join(unknown)}; there are {', '.join(known)}")

    results = Results()
    for name in chosen.names or known:
        try:
            found = import_module(f"tests.bench.bench_{name}").measure()
        except Unavailable as reason:
            print(f"### {name}\n\nNot measured: {reason}\n", flush=True)
            continue
        for number, table in enumerate([found] if isinstance(found, Table) else found):
            results.tables[f"{name}.{number}" if number else name] = table
            print(table.markdown(), end="\n\n", flush=True)
    results.save(chosen.out)
    return int(not results.tables or any(table.passed is False for table in results.tables.values()))


if __name__ == "__main__":
    sys.exit(main())
