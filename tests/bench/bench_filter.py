"""Why the rank filter of token activation maps costs more than it gives on a coarse grid: its window, measured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from explore.bench import score_maps
from explore.bench.data import SizedTargets, SketchScenes
from explore.maps import METHODS, MapMethod
from explore.maps.method import Computed, MapRun
from explore.maps.rank_filter import rank_gaussian_filter
from explore.maps.tam import TokenActivation
from tests.bench.harness import Table
from tests.bench.shipped import shipped_runner

SIZES = {"under 4 patches": (0, 4), "4 to 9": (4, 9), "over 9": (9, 1000)}
CELLS = 144


@dataclass(frozen=True)
class FinerFilter(MapMethod):
    """Token activation maps whose filter sees a finer drawing, so that its window is smaller against the picture.

    Parameters
    ----------
    finer
        Cells of the drawing per patch and side.
    """

    name: ClassVar[str] = "finer_filter"
    source: ClassVar[str] = "For this measurement only"

    finer: int = 2

    def compute(self, run: MapRun) -> Computed:
        maps, _ = TokenActivation(rank_filter=False).compute(run)
        grid, n = run.trace.layout.grid(), self.finer
        drawn = np.kron(maps.reshape(len(maps), 1, grid.rows, grid.cols), np.ones((n, n), np.float32))
        smooth = rank_gaussian_filter(np.ascontiguousarray(drawn, np.float32), 3)
        cells = smooth.reshape(len(maps), grid.rows, n, grid.cols, n).mean((2, 4))
        return cells.reshape(maps.shape).astype(np.float32), None


def measure(scenes: int = 500) -> Table:
    """Obj-IoU by size of the thing, and over all sizes with AUROC."""
    runner, data = shipped_runner(), SketchScenes(scenes, style="scene")
    tam = METHODS["tam"]
    methods: dict[str, MapMethod] = {
        "filter": tam(),
        "window of 1.5 patches": FinerFilter(2),
        "window of 1 patch": FinerFilter(3),
        "no filter": tam(rank_filter=False),
    }
    parts = {name: SizedTargets(data, low / CELLS, high / CELLS) for name, (low, high) in SIZES.items()}
    by_size = {name: score_maps(runner, methods, part, metrics=["obj_iou"]) for name, part in parts.items()}
    whole = score_maps(runner, methods, data, metrics=["obj_iou", "auroc"])
    rows, numbers = [], {}
    for name in methods:
        found = {size: _value(table, name, "obj_iou") for size, table in by_size.items()}
        found |= {"all": _value(whole, name, "obj_iou"), "AUROC": _value(whole, name, "auroc")}
        rows.append([name, *(f"{value:.3f}" for value in found.values())])
        numbers[name] = found
    return Table(
        f"The rank filter's window against a 12×12 grid ({scenes} scenes, Obj-IoU by size of the thing)",
        ["token activation maps with", *SIZES, "all", "AUROC"],
        rows,
        numbers,
        "The window is three cells wide: three patches, or as many cells of a finer drawing of the same map.",
    )


def _value(table: pd.DataFrame, method: str, metric: str) -> float:
    return float(table.set_index(["method", "metric"]).loc[(method, metric), "value"])
