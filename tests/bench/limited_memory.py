"""`python -m tests.bench.limited_memory FILE ROWS WIDTH LIMIT QUERIES`: search a bank larger than this process may be.

Run by `bench_search` in a process of its own. Limited is what the process writes to (RLIMIT_DATA: its own memory, not
the pages of mapped files, which the system takes back whenever it wants them). Prints its numbers as JSON.
"""

from __future__ import annotations

import json
import resource
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

LAYERS = (4, 16)
_CENTRES, _SPREAD, _SHARED = 4096, 1.0, 0.5


def write_rows(path: Path, rows: int, width: int, seed: int = 0, step: int = 8192) -> None:
    """Clustered unit rows around a shared direction, float16, chunk by chunk."""
    import torch

    random = torch.Generator().manual_seed(seed)
    with path.open("wb") as file:
        for first in range(0, rows, step):
            file.write(drawn(min(step, rows - first), width, random).half().numpy().tobytes())


def drawn(count: int, width: int, random):
    """Unit rows, (count, width) float32; the same centres whatever `random`."""
    import torch

    centres = torch.randn(_CENTRES, width, generator=torch.Generator().manual_seed(1)) + _SHARED
    picked = centres[torch.randint(0, _CENTRES, (count,), generator=random)]
    return torch.nn.functional.normalize(picked + _SPREAD * torch.randn(count, width, generator=random), dim=1)


class MappedRows:
    """Rows of one file, half of them in each layer; a `RowStore`."""

    def __init__(self, path: Path, rows: int, width: int) -> None:
        import torch

        from explore.lens.row_store import StoredPart

        self.layers, self.width = LAYERS, width
        # Shared, so that it does not count as memory of this process.
        mapped = torch.from_file(str(path), shared=True, size=rows * width, dtype=torch.float16).view(rows, width)
        halves = mapped.split(-(-rows // len(LAYERS)))
        self._parts = {layer: (StoredPart(0, half),) for layer, half in zip(LAYERS, halves, strict=True)}

    def parts(self, layer: int):
        return self._parts[layer]


class Watch:
    """The most memory of its own that this process has, looked at every few milliseconds."""

    def __init__(self) -> None:
        self.resident = self.data = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._over.wait(0.005):
            lines = Path("/proc/self/status").read_text().splitlines()
            found = {name: int(value.split()[0]) * 1024 for name, _, value in (line.partition(":") for line in lines)
                     if name in ("RssAnon", "VmData")}  # fmt: skip
            self.resident, self.data = max(self.resident, found["RssAnon"]), max(self.data, found["VmData"])


def main(path: str, rows: int, width: int, limit: int, queries: int) -> None:
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    watch = Watch()
    import torch

    from explore.lens.row_search import search
    from explore.lens.sign_codes import build_codes
    from explore.lens.sign_search import search_codes

    store = MappedRows(Path(path), rows, width)
    asked = 300 * drawn(queries, width, torch.Generator().manual_seed(2))
    seconds: dict[str, float] = {}

    def timed(name: str, work: Callable[[], Any]) -> Any:
        begin = time.perf_counter()
        result = work()
        seconds[name] = time.perf_counter() - begin
        return result

    codes = timed("build", lambda: build_codes(store))
    found = search_codes(codes, store, asked, sample=queries)  # not timed: it measures its recall by exact search
    for name, some in (("all", asked), ("one", asked[:1])):
        timed(f"signs, {name}", lambda some=some: search_codes(codes, store, some))
        timed(f"exact, {name}", lambda some=some: search(store, some))
    watch.stop()
    taken = {"codes": codes.nbytes, "resident": watch.resident, "data": watch.data}
    print(json.dumps({"recall": found.recall, "checked": found.checked, **taken, "seconds": seconds}))


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
