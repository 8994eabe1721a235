"""The attention of the row that predicts a token."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from explore.errors import NotRecordedError, ParameterError
from explore.layout import Role
from explore.maps.attribution import attributed
from explore.maps.method import Computed, MapMethod, MapRun
from explore.trace import Token, Trace


@dataclass(frozen=True)
class AttentionMap(MapMethod):
    """How much the position that predicts a token attends to every visual token, averaged over layers and heads.

    Attention says where a state could read, not what it took from there: value vectors may be small, and what was
    read may be overwritten.

    Parameters
    ----------
    layers
        Layers to average; None means all that were recorded.
    heads
        Heads to average; None means all.
    """

    name: ClassVar[str] = "attention"
    source: ClassVar[str] = "Attention weights of Vaswani et al., NeurIPS 2017, arXiv 1706.03762, one row"

    layers: tuple[int, ...] | None = None
    heads: tuple[int, ...] | None = None

    def compute(self, run: MapRun) -> Computed:
        trace = run.trace
        layers = sorted(trace.attention_rows) if self.layers is None else list(self.layers)
        if self.layers is not None and not layers:
            raise ParameterError("layers=() was given", f"At least one of 0 to {trace.layers - 1}.")
        if not layers:
            raise NotRecordedError(
                "No attention rows were recorded", "", 'Run again with record=RecordingPlan(attention="answer").'
            )
        heads = checked_heads(self.heads, trace.heads)
        total = sum(
            trace.attention(layer, run.predicted_at)[heads][:, :, run.visual].astype(np.float64).mean(axis=0)
            for layer in layers
        )
        return attributed(total / len(layers), "share of the row's attention")

    def _chosen(self, trace: Trace, tokens: Any) -> tuple[Token, ...]:
        chosen = super()._chosen(trace, tokens)
        if tokens is not None:
            return chosen
        # Rows of the question are recorded only on request; what is there is shown.
        rows = set(trace.row_positions.tolist())
        return tuple(token for token in chosen if token.role is Role.ANSWER or token.position - 1 in rows)


def checked_heads(heads: tuple[int, ...] | None, count: int) -> list[int]:
    """Heads to average, all if None.

    Raises
    ------
    ParameterError
        A head the model does not have, or none at all.
    """
    if heads is None:
        return list(range(count))
    if not heads or not all(0 <= head < count for head in heads):
        raise ParameterError(f"heads={heads} was given", f"This model has heads 0 to {count - 1}.")
    return list(heads)
