"""The raw logit map: the start of token activation maps, and the plainest rival to them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from explore.errors import NotRecordedError
from explore.layout import Role
from explore.maps.activation import Activation
from explore.maps.method import MapMethod, MapRun
from explore.maps.tam import TokenActivation
from explore.trace import TokenColumns


@dataclass(frozen=True)
class LogitMap(MapMethod):
    """A token's logit at every visual position, negative ones at 0, normalised together with its text scores.

    This is the class activation map of language models, and token activation maps with both parts switched off.

    Parameters
    ----------
    layer
        Where the states are read: 0 (the language model's input) to L (before the final norm); the final norm and the
        head are applied there. None is L, which needs no model.
    """

    name: ClassVar[str] = "logit"
    source: ClassVar[str] = (
        "Baseline of arXiv 2506.23270 (neither interference nor filter); "
        "the logit lens of nostalgebraist, 2020, read at the visual positions"
    )

    layer: int | None = None

    @property
    def reruns(self) -> bool:
        return self.layer is not None

    def compute(self, run: MapRun) -> tuple[NDArray[np.float32], Activation]:
        if self.layer is not None:
            run = replace(run, trace=replace(run.trace, columns=self._columns(run, self.layer)))
        return TokenActivation(eci=False, rank_filter=False).compute(run)

    def _columns(self, run: MapRun, layer: int) -> TokenColumns:
        recorded = run.trace.columns
        if recorded is None:
            raise NotRecordedError(
                "The head columns of question and answer were not recorded",
                "They say which tokens a logit map is made of.",
                "Run again with record=RecordingPlan(columns=True).",
            )
        states = run.trace.hidden(layer)
        question = run.trace.layout.positions(Role.QUESTION)[:1]
        ids = recorded.ids
        if len(question) and run.runner is not None:
            # The first question token stands for what is expected there, at this layer.
            whole = run.rerun.read_out(states[question], np.arange(run.runner.info.vocab))
            ids = np.unique(np.append(ids, whole.argmax()))
        return TokenColumns(ids, run.rerun.read_out(states, ids))
