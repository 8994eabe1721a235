"""Rollout: attention multiplied up through the layers, beside what even attention would give."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from explore.attention_rows import Chunks, Fuse, even_chunks, roll_rows, weight_chunks
from explore.errors import ParameterError
from explore.flow.mixed_sources import MixedSources, missing_layers, predicting_rows, stacked, start_rows
from explore.flow.named_arrays import about
from explore.runs import LayerReplayLike, Report, RunnerLike
from explore.trace import Trace


def rollout(
    runner: RunnerLike,
    trace: Trace,
    rows: int | Sequence[int] | None = None,
    *,
    fuse: Fuse = "mean",
    progress: Report | None = None,
) -> MixedSources:
    """How attention mixes positions on the way up, values and MLPs left out, the residual stream half of every step.

    Parameters
    ----------
    runner, trace
        The model and the run.
    rows
        Sequence positions to trace back; None is the one that predicts the first token of the answer.
    fuse
        How heads are joined: "mean", "max" or "min".
    progress
        Asked between layers whether to stop.

    Raises
    ------
    ParameterError
        A row that was not fed, or no way to join heads.

    Source: Abnar & Zuidema, Quantifying Attention Flow in Transformers, ACL 2020, arXiv 2005.00928
    """
    if fuse not in ("mean", "max", "min"):
        raise ParameterError(f"fuse={fuse!r} was given", "Allowed are 'mean', 'max' and 'min'.")
    wanted = predicting_rows(trace, rows)
    with runner.rerun(trace).replay(progress=progress) as replay:
        missing, notes = missing_layers(replay, parts=False)
        layers = replay.layers[::-1]
        shares = rolled(layers, wanted, replay.depth, fuse)
        baseline = rolled(layers, wanted, replay.depth, even=True)
    notes = ("Post hoc: attention weights multiplied through the layers; values and MLPs play no part.", *notes)
    found = about(trace, "rollout", notes, fuse=fuse, rows=wanted.tolist())
    depths = np.arange(len(shares))
    return MixedSources(layers=depths, rows=wanted, shares=shares, baseline=baseline, missing=missing, **found)


def rolled(
    downwards: Sequence[LayerReplayLike],
    rows: NDArray[np.int64],
    depth: int,
    fuse: Fuse = "mean",
    *,
    even: bool = False,
) -> NDArray[np.float32]:
    """Rows of the rollout at the entry of every layer 0 to L, (layers, rows, positions).

    Parameters
    ----------
    downwards
        Layers with attention, the last one first.
    rows
        Sequence positions, (rows,).
    depth
        Layers of the decoder.
    fuse
        How heads are joined.
    even
        Spread attention evenly instead of taking the layers' own.
    """
    if not downwards:
        raise ParameterError("The decoder has no layer with attention", "", "Use a model that has one.")
    made = [start_rows(rows, downwards[0].positions, downwards[0].values())]
    chunks: list[Chunks] = [even_chunks(layer) if even else weight_chunks(layer) for layer in downwards]
    roll_rows(made[0], chunks, fuse, made.append)
    return stacked(made, [layer.number for layer in downwards], depth)
