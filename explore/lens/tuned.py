"""The tuned lens: the logit lens behind an affine map that was fitted for each layer."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from explore.errors import ParameterError
from explore.lens.choices import Tokens
from explore.lens.logit import LogitLens
from explore.lens.method import HANDED, LensRun
from explore.lens.origins import require_same_model
from explore.lens.reading import LensReading
from explore.lens.translators import Translators
from explore.runs import Report, RunnerLike
from explore.trace import Trace


@dataclass(frozen=True)
class TunedLens(LogitLens):
    r"""The logit lens of :math:`h + A_l h + b_l` instead of h.

    The maps are fitted on states of text. Where the states of visual tokens lie is not where those lie, and on them it
    was measured to be no better than the logit lens (`specs/latent-lens.md` §2.4): show both.

    Parameters
    ----------
    fitted
        The maps, from `fit_tuned_lens` or `open_tuned_lens`.
    """

    name: ClassVar[str] = "tuned"
    source: ClassVar[str] = "Tuned lens, Belrose et al., 2023, arXiv 2303.08112"
    needs: ClassVar[tuple[str, ...]] = ("runner", "fitted")

    fitted: Translators | None = field(default=None, repr=False, metadata=HANDED)

    @property
    def made_with(self) -> dict[str, Any]:
        return {"fitted": None if self.fitted is None else self.fitted.digest}

    def prepared(self, run: LensRun, layer: int) -> NDArray[np.float32]:
        fitted = self._fitted(run)
        # The final layer needs no map: it is what the maps were fitted to.
        return run.states(layer) if layer == run.trace.layers else fitted.translated(layer, run.states(layer))

    def notes(self, run: LensRun) -> tuple[str, ...]:
        fitted = self._fitted(run)
        told = [
            f"layer {layer} {each.tuned:.2f} ({each.logit:.2f})"
            for layer, each in sorted(fitted.held_out.items())
            if layer in run.layers
        ]
        note = "Fitted on states of text; KL on held-out text in nats, in brackets that of the logit lens: "
        return (note + ", ".join(told) + ".",) if told else ()

    def _fitted(self, run: LensRun) -> Translators:
        if self.fitted is None:
            raise ParameterError(
                "The tuned lens was given no maps",
                "They are fitted once for each model.",
                "Use fit_tuned_lens(runner, texts, path), or open_tuned_lens(path).",
            )
        require_same_model(self.fitted.fingerprint, run.trace, "this tuned lens")
        return self.fitted


def tuned_lens(
    trace: Trace,
    fitted: Translators,
    k: int = 5,
    *,
    layers: Iterable[int] | None = None,
    positions: Tokens | None = None,
    words_only: bool = False,
    runner: RunnerLike | None = None,
    progress: Report | None = None,
) -> LensReading:
    """What the head makes of every visual token after a fitted map; parameters as for `TunedLens` and its `read`.

    Without `layers` those of the usual ones are read that have a map.
    """
    if layers is None:
        layers = [layer for layer in fitted.layers if layer in trace.hidden_states] or None
    lens = TunedLens(k=k, words_only=words_only, fitted=fitted)
    return lens.read(trace, layers, positions, runner=runner, progress=progress)
