"""How much a token used each learned query: the first of the two steps from a word to the picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from explore.errors import NotRecordedError
from explore.maps.method import positions_of
from explore.maps.result import Key
from explore.trace import Trace


@dataclass(frozen=True, eq=False)
class Use:
    """How much each query counts.

    Parameters
    ----------
    weights
        (queries,) float64, not negative; they sum to 1, or all are 0 where nothing was used.
    how
        What they were made of, in words.
    share
        The part of the token's attention that went to queries at all, 0..1; None where that is not known.
    """

    weights: NDArray[np.float64]
    how: str
    share: float | None = None


def use_of_queries(trace: Trace, token: Key, queries: NDArray[np.int64]) -> Use:
    """How much the row that predicts a token attended to each query, averaged over recorded layers and heads.

    Where no attention was recorded, the head's columns stand in: how far the decoder's last state at each query speaks
    for the token, negative logits cut off.

    Parameters
    ----------
    token
        A position, token or word; its pieces are averaged.
    queries
        Sequence positions of the queries, (queries,).

    Raises
    ------
    NotRecordedError
        Nothing was recorded for the token.
    """
    positions = positions_of(token, trace)
    if trace.attention_rows:
        return _attended(trace, positions, queries)
    if trace.columns is not None:
        return _spoken(trace, positions, queries)
    raise NotRecordedError(
        "How much a token used each query was not recorded",
        "It is read off the attention rows of the answer, or else off the head's columns.",
        'Run again with record=RecordingPlan(attention="answer", vision=("query_attention",)).',
    )


def uniform_use(count: int) -> Use:
    """The control: every one of so many queries counts alike."""
    return Use(np.full(count, 1 / max(count, 1)), "every query alike, whatever the word: a control")


def _attended(trace: Trace, positions: list[int], queries: NDArray[np.int64]) -> Use:
    rows = [position - 1 for position in positions]  # the row that predicts a token
    layers = sorted(trace.attention_rows)
    total = sum(trace.attention(layer, rows)[:, :, queries].mean(axis=(0, 1), dtype=np.float64) for layer in layers)
    weights = np.asarray(total) / len(layers)
    share = float(weights.sum())
    how = f"attention of the row that predicts it, mean of {trace.heads} heads in {_counted(len(layers))}"
    return Use(weights / (share or 1.0), how, share)


def _spoken(trace: Trace, positions: list[int], queries: NDArray[np.int64]) -> Use:
    assert trace.columns is not None
    ids = [trace.tokens[position].id for position in positions]
    logits = np.mean([trace.columns.of(each)[queries] for each in ids], axis=0, dtype=np.float64)
    weights = logits.clip(min=0)
    how = "the head's logit for it at each query, because no attention rows were recorded"
    return Use(weights / (weights.sum() or 1.0), how)


def _counted(layers: int) -> str:
    return f"{layers} decoder layer{'' if layers == 1 else 's'}"
