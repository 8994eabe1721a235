"""Feature ablation: each patch, or group of patches, painted over by itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from explore.errors import ParameterError
from explore.layout import ImageGrid
from explore.maps.attribution import attributed
from explore.maps.hiding import mean_colour
from explore.maps.method import Computed, MapMethod, MapRun

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class FeatureAblation(MapMethod):
    """How much the token's log-probability falls when a group of patches is painted in the picture's mean colour.

    Parameters
    ----------
    group
        Side of a group in cells; 1 takes every patch by itself.
    batch
        Pictures in one forward pass.
    """

    name: ClassVar[str] = "ablation"
    source: ClassVar[str] = "Feature ablation over segments of the picture, computed by captum, arXiv 2009.07896"
    answer_only: ClassVar[bool] = True

    group: int = 2
    batch: int = 16

    def __post_init__(self) -> None:
        if min(self.group, self.batch) < 1:
            raise ParameterError(f"group={self.group} and batch={self.batch} were given", "Both are at least 1.")

    @property
    def reruns(self) -> bool:
        return True

    def compute(self, run: MapRun) -> Computed:
        import torch  # here, because a saved trace opens without it
        from captum.attr import FeatureAblation as CaptumFeatureAblation
        from captum.attr import ImageMaskInput

        pictures, found = list(run.trace.images), list[np.ndarray]()
        total, scored = sum(cell_groups(grid, self.group).max() + 2 for grid in run.trace.layout.grids), 0
        for grid in run.trace.layout.grids:
            groups = cell_groups(grid, self.group)
            segments, owners = pixel_segments(grid, groups)
            segmented = {
                which: ImageMaskInput(pictures[which], segments, baseline=mean_colour(pictures[which]))
                for which in grid.pictures(len(pictures))
            }

            def score(present: Tensor, segmented: dict[int, ImageMaskInput] = segmented) -> Tensor:
                nonlocal scored
                variants = []
                for row in present:
                    painted = {which: each.to_model_input(row[None]) for which, each in segmented.items()}
                    variants.append([painted.get(which, picture) for which, picture in enumerate(pictures)])
                scores = run.rerun.with_pictures(variants, batch_size=self.batch)
                scored += len(variants)
                run.report(scored, int(total), "group")
                return torch.from_numpy(scores.logprobs[:, run.numbers].astype(np.float64))

            made = CaptumFeatureAblation(score).attribute(
                next(iter(segmented.values())).to_tensor().double(), baselines=0, perturbations_per_eval=self.batch
            )
            of_segment = made.reshape(len(run.numbers), -1).numpy()
            # Groups outside the picture own no pixel and change nothing.
            values = np.zeros((len(run.numbers), groups.max() + 1))
            known = [(place, owner) for place, owner in enumerate(owners) if owner >= 0]
            for place, owner in known:
                values[:, owner] = of_segment[:, place]
            found.append(values[:, groups.ravel()])
        note = f"Painted in the mean colour, {self.group} x {self.group} cells at a time."
        return attributed(np.concatenate(found, axis=1), "log-probability lost", note)


def cell_groups(grid: ImageGrid, side: int) -> NDArray[np.int64]:
    """Number of the square group each cell belongs to, (rows, cols)."""
    across = -(-grid.cols // side)
    rows, cols = np.arange(grid.rows) // side, np.arange(grid.cols) // side
    return rows[:, None] * across + cols[None, :]


def pixel_segments(grid: ImageGrid, groups: NDArray[np.int64]) -> tuple[Tensor, list[int]]:
    """The segment of every pixel of a grid's picture, (height, width), and the group of each segment in order.

    Pixels no cell looks at form a segment of their own, of group -1.
    """
    import torch

    owner = np.full((grid.size[1], grid.size[0]), -1, np.int64)
    boxes = np.rint(grid.boxes.reshape(-1, 4)).astype(int).clip(0)
    for (x0, y0, x1, y1), group in zip(boxes.tolist(), groups.ravel().tolist(), strict=True):
        owner[y0:y1, x0:x1] = group
    present = np.unique(owner)
    return torch.from_numpy(np.searchsorted(present, owner)), present.tolist()
