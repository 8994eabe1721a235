"""Attention rollout: attention followed through the layers, as if every layer only mixed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from explore.attention_rows import Fuse, even_chunks, roll_rows, weight_chunks
from explore.errors import ParameterError
from explore.maps.attribution import attributed
from explore.maps.method import Computed, MapMethod, MapRun


@dataclass(frozen=True)
class Rollout(MapMethod):
    """Attention of all layers multiplied up, the residual stream counted as half of every step.

    Values and MLPs play no part. In causal models mass drifts to the first positions whatever the model does;
    `minus_uniform` takes away what a model without preferences would give.

    Parameters
    ----------
    start
        First layer of the product.
    fuse
        How heads are joined: "mean", "max" or "min".
    minus_uniform
        Subtract the rollout of attention that spreads evenly over all that a row can see.
    """

    name: ClassVar[str] = "rollout"
    source: ClassVar[str] = "Abnar & Zuidema, Quantifying Attention Flow in Transformers, ACL 2020, arXiv 2005.00928"

    start: int = 0
    fuse: Fuse = "mean"
    minus_uniform: bool = False

    def __post_init__(self) -> None:
        if self.fuse not in ("mean", "max", "min"):
            raise ParameterError(f"fuse={self.fuse!r} was given", "Allowed are 'mean', 'max' and 'min'.")

    @property
    def reruns(self) -> bool:
        return True

    def compute(self, run: MapRun) -> Computed:
        import torch  # here, because a saved trace opens without it

        with run.rerun.replay(progress=run.progress) as replay:
            kept = replay.layers
            if not 0 <= self.start < len(kept):
                raise ParameterError(f"start={self.start} was given", f"Layers count from 0 to {len(kept) - 1}.")
            rows = torch.zeros(len(run.tokens), kept[0].positions, device=kept[0].values().device)
            rows[range(len(run.tokens)), run.predicted_at] = 1
            downwards = [kept[number] for number in range(len(kept) - 1, self.start - 1, -1)]
            found = roll_rows(rows, (weight_chunks(layer) for layer in downwards), self.fuse)
            if self.minus_uniform:
                found = found - roll_rows(rows, (even_chunks(layer) for layer in downwards), self.fuse)
        note = "Less the rollout of even attention." if self.minus_uniform else ""
        return attributed(found.cpu().numpy()[:, run.visual], "share of the row's mixture", note)


def full_rollout(weights: Sequence[np.ndarray]) -> np.ndarray:
    """The whole product of head-averaged weights, each (positions, positions); for short sequences and for tests."""
    import torch

    rows = torch.eye(len(weights[0]), dtype=torch.float64)
    layers = [[(range(len(each)), torch.from_numpy(np.array(each))[None].double())] for each in weights[::-1]]
    found: np.ndarray = roll_rows(rows, layers).numpy()
    return found
