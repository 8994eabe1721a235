"""Attention knock-out of single patches: what the answer loses when nobody may look at them. The causal yardstick."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from explore.errors import ParameterError
from explore.maps.ablation import cell_groups
from explore.maps.attribution import attributed
from explore.maps.method import Computed, MapMethod, MapRun, checked_objective
from explore.runs import Objective


@dataclass(frozen=True)
class Knockout(MapMethod):
    """How much the token's score falls when a patch is blocked as a key for everybody but itself, in all layers.

    Neighbours may hold the same content, so the loss of one patch can be small where the loss of a region is not;
    `group` blocks squares of patches together.

    Parameters
    ----------
    group
        Side of the blocked square in cells.
    of
        Score that falls: "logprob" or "logit".
    batch
        Variants in one forward pass.
    """

    name: ClassVar[str] = "knockout"
    source: ClassVar[str] = (
        "Attention knockout of Geva et al., EMNLP 2023, arXiv 2304.14767, with single visual tokens as sources; "
        "position ids stay"
    )
    answer_only: ClassVar[bool] = True

    group: int = 1
    of: Objective = "logprob"
    batch: int = 16

    def __post_init__(self) -> None:
        if min(self.group, self.batch) < 1:
            raise ParameterError(f"group={self.group} and batch={self.batch} were given", "Both are at least 1.")
        checked_objective(self.of)

    @property
    def reruns(self) -> bool:
        return True

    def compute(self, run: MapRun) -> Computed:
        groups, first = list[np.ndarray](), 0
        for grid in run.trace.layout.grids:
            numbered = cell_groups(grid, self.group).ravel() + first
            groups.append(numbered)
            first = int(numbered.max()) + 1
        member = np.concatenate(groups)
        # The first variant blocks nothing: it is what the others are compared with, in the same arithmetic.
        blocked = np.zeros((first + 1, run.trace.positions_fed), bool)
        blocked[member + 1, run.visual] = True
        scores = run.rerun.without(blocked, batch_size=self.batch, progress=run.progress)
        values = (scores.logprobs if self.of == "logprob" else scores.logits)[:, run.numbers]
        lost = (values[0] - values[1:]).T
        unit = "log-probability lost" if self.of == "logprob" else "logit lost"
        note = f"Blocked as keys in all layers, {self.group} x {self.group} patches at a time."
        return attributed(lost[:, member], unit, note)
