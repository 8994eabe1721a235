"""Integrated gradients over the visual tokens that enter the language model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from explore.errors import ParameterError
from explore.maps.attribution import attributed
from explore.maps.method import Computed, MapMethod, MapRun


@dataclass(frozen=True)
class IntegratedGradients(MapMethod):
    """Gradient of the token's logit gathered on the way from a blank picture to this one.

    A visual token's value is the sum over its features. Over all visual tokens, those outside every grid included, the
    values add up to what the logit gains, up to the error of the steps.

    Parameters
    ----------
    baseline
        What stands for a blank picture: every visual token the "mean" of them all, or "zero". Norms make the way from
        zero steep where it begins, so it needs many more steps.
    steps
        Points on the way.
    batch
        Points in one forward pass.
    """

    name: ClassVar[str] = "integrated_gradients"
    source: ClassVar[str] = "Sundararajan, Taly & Yan, ICML 2017, arXiv 1703.01365; computed by captum"
    answer_only: ClassVar[bool] = True

    baseline: Literal["mean", "zero"] = "mean"
    steps: int = 16
    batch: int = 16

    def __post_init__(self) -> None:
        if self.baseline not in ("mean", "zero"):
            raise ParameterError(f"baseline={self.baseline!r} was given", "Allowed are 'mean' and 'zero'.")
        if self.steps < 1 or self.batch < 1:
            raise ParameterError(f"steps={self.steps} and batch={self.batch} were given", "Both are at least 1.")

    @property
    def reruns(self) -> bool:
        return True

    def compute(self, run: MapRun) -> Computed:
        import torch  # here, because a saved trace opens without it
        from captum.attr import IntegratedGradients as CaptumIntegratedGradients

        order, rows = np.searchsorted(run.trace.layout.visual, run.visual), list[np.ndarray]()
        with run.rerun.features() as (features, score):
            given = features[None].float()
            blank = given.mean(1, keepdim=True).expand_as(given) if self.baseline == "mean" else torch.zeros_like(given)
            method = CaptumIntegratedGradients(score)
            for done, number in enumerate(run.numbers):
                run.report(done, len(run.tokens), "token")
                found = method.attribute(
                    given, blank, target=number, n_steps=self.steps, internal_batch_size=self.batch
                )
                rows.append(found[0].sum(-1).detach().cpu().numpy()[order])
        return attributed(np.stack(rows), "logit gained", f"From {self.baseline} features, {self.steps} steps.")
