"""Similarity of visual states with the state that says a word."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from explore.errors import ParameterError
from explore.maps.attribution import Attribution, finite
from explore.maps.method import Computed, MapMethod, MapRun


@dataclass(frozen=True)
class Similarity(MapMethod):
    """Product of every visual state with the state that predicts a token, each map stretched to 0..1.

    The source reads a model that was trained so that this map shows the thing; in any other model it is a diagnostic.
    Points for a segmenter come from `explore.maps.points`.

    Parameters
    ----------
    layer
        Where states are read, 0 to L; None means after the final norm, as in the source.
    measure
        "dot", as in the source, or "cosine", which the few giant coordinates of a residual stream dominate less.
    query
        Which state asks: the one that "predicting" the token, or the "token" itself.
    centred
        Subtract the mean visual state from the visual states first.
    """

    name: ClassVar[str] = "similarity"
    source: ClassVar[str] = (
        "READ (Similarity as Points), Qian et al., CVPR 2025, arXiv 2412.17741; used without its training"
    )

    layer: int | None = None
    measure: Literal["dot", "cosine"] = "dot"
    query: Literal["predicting", "token"] = "predicting"
    centred: bool = False

    def __post_init__(self) -> None:
        if self.measure not in ("dot", "cosine") or self.query not in ("predicting", "token"):
            raise ParameterError(
                f"measure={self.measure!r} and query={self.query!r} were given",
                "Measures are 'dot' and 'cosine', queries 'predicting' and 'token'.",
            )

    @property
    def reruns(self) -> bool:
        return self.layer is None

    def compute(self, run: MapRun) -> Computed:
        trace = run.trace
        if self.layer is None:
            states = run.rerun.normed(trace.hidden(trace.layers))
        else:
            states = trace.hidden(self.layer).astype(np.float32)
        # The last token was never fed back and has no state of its own: the one that predicts it stands in.
        asking = np.minimum(run.predicted_at + (self.query == "token"), len(states) - 1)
        visual = states[run.visual]
        if self.centred:
            visual = visual - visual.mean(axis=0)
        values = finite(similarities(states[asking], visual, self.measure))
        note = "Each map stretched to 0..1 by its own smallest and largest value, sinks included."
        return stretched(values), Attribution(values, self.measure, 1.0, note)


def similarities(
    queries: NDArray[np.float32], visual: NDArray[np.float32], measure: str = "dot"
) -> NDArray[np.float32]:
    """Products of states, or their cosines, (queries, visual); a state of length 0 is similar to nothing."""
    if measure == "cosine":
        queries, visual = (
            each / np.maximum(np.linalg.norm(each, axis=-1, keepdims=True), 1e-12) for each in (queries, visual)
        )
    product: NDArray[np.float32] = (queries @ visual.T).astype(np.float32)
    return product


def stretched(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Each row stretched to 0..1; a constant row gives zeros."""
    low, high = values.min(axis=-1, keepdims=True), values.max(axis=-1, keepdims=True)
    span = np.where(high > low, high - low, 1)
    found: NDArray[np.float32] = ((values - low) / span).astype(np.float32)
    return found
