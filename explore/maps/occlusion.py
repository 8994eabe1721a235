"""Occlusion: a patch of paint slides over the picture, and the answer is scored again each time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from explore.errors import ParameterError
from explore.layout import ImageGrid
from explore.maps.attribution import attributed
from explore.maps.hiding import Fill, hide, painted
from explore.maps.method import Computed, MapMethod, MapRun

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Occlusion(MapMethod):
    """How much the token's log-probability falls where the picture is painted over, averaged over all windows.

    Parameters
    ----------
    window
        Side of the hidden square in cells.
    stride
        Cells between two windows.
    fill
        What hides: the picture's "mean" colour, a "blur" of it, or "black".
    batch
        Pictures in one forward pass.
    """

    name: ClassVar[str] = "occlusion"
    source: ClassVar[str] = "Zeiler & Fergus, ECCV 2014, arXiv 1311.2901; windows moved by captum"
    answer_only: ClassVar[bool] = True

    window: int = 3
    stride: int = 2
    fill: Fill = "mean"
    batch: int = 16

    def __post_init__(self) -> None:
        if min(self.window, self.stride, self.batch) < 1:
            raise ParameterError(
                f"window={self.window}, stride={self.stride}, batch={self.batch} were given", "All are at least 1."
            )

    @property
    def reruns(self) -> bool:
        return True

    def compute(self, run: MapRun) -> Computed:
        import torch  # here, because a saved trace opens without it
        from captum.attr import Occlusion as CaptumOcclusion

        layout, pictures = run.trace.layout, run.trace.images
        fills = [painted(picture, self.fill) for picture in pictures]
        columns, found, at = run.numbers, list[np.ndarray](), 0
        total, scored = sum(self._windows(grid) for grid in layout.grids), 0
        for grid in layout.grids:
            cells = slice(at, at + grid.positions.size)
            at = cells.stop

            def score(shown: Tensor, cells: slice = cells) -> Tensor:
                nonlocal scored
                variants = []
                for row in shown.flatten(1).numpy():
                    hidden = np.zeros(len(run.visual), bool)
                    hidden[cells] = row == 0
                    variants.append(hide(pictures, fills, layout, hidden))
                scores = run.rerun.with_pictures(variants, batch_size=self.batch)
                scored += len(variants)
                run.report(scored, total, "window")
                return torch.from_numpy(scores.logprobs[:, columns].astype(np.float64))

            side, steps = self._window(grid)
            made = CaptumOcclusion(score).attribute(
                torch.ones(1, grid.rows, grid.cols, dtype=torch.float64),
                side,
                strides=steps,
                baselines=0,
                perturbations_per_eval=self.batch,
            )
            found.append(made.reshape(len(columns), -1).numpy())
        rows, cols = self._window(layout.grids[0])[0]
        note = f"Hidden under {self.fill} in windows of {rows} x {cols} cells."
        return attributed(np.concatenate(found, axis=1), "log-probability lost", note)

    def _window(self, grid: ImageGrid) -> tuple[tuple[int, int], tuple[int, int]]:
        """Rows and columns of the window and of a step, never more than the grid, and no cell skipped between two."""
        side = (min(self.window, grid.rows), min(self.window, grid.cols))
        return side, (min(self.stride, side[0]), min(self.stride, side[1]))

    def _windows(self, grid: ImageGrid) -> int:
        """How many pictures a grid takes, the untouched one included."""
        side, step = self._window(grid)
        places = [
            -(-(size - wide) // by) + 1 for size, wide, by in zip((grid.rows, grid.cols), side, step, strict=True)
        ]
        return places[0] * places[1] + 1
