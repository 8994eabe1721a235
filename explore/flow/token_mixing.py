"""ALTI: which share of a row each source explains, and of which inputs the rows of the last layer are mixed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from explore.attention_rows import row_chunks
from explore.errors import CheckpointError
from explore.flow.mixed_sources import MixedSources, missing_layers, predicting_rows, stacked, start_rows
from explore.flow.named_arrays import about
from explore.flow.rolling import rolled
from explore.runs import LayerReplayLike, ReplayLike, Report, RunnerLike
from explore.trace import Trace
from explore.written_parts import arrivals

if TYPE_CHECKING:
    from torch import Tensor

SOURCE = (
    "Ferrando et al., Measuring the Mixing of Contextual Information in the Transformer, EMNLP 2022, arXiv 2203.04212"
)


def alti(
    runner: RunnerLike,
    trace: Trace,
    rows: int | Sequence[int] | None = None,
    *,
    progress: Report | None = None,
) -> MixedSources:
    """Of which inputs some rows are mixed, by what attention and the residual stream really write.

    Exact at the level of tokens: every layer's matrix of shares is made a few rows at a time and multiplied at once.

    Parameters
    ----------
    runner, trace
        The model and the run.
    rows
        Sequence positions to trace back; None is the one that predicts the first token of the answer.
    progress
        Called with the part that is done; may raise `Cancelled`.

    Raises
    ------
    ParameterError
        A row that was not fed.
    CheckpointError
        No layer's attention can be taken apart.

    Source: Ferrando et al., EMNLP 2022, arXiv 2203.04212; p = 1, the residual stream inside, MLPs left out
    """
    wanted = predicting_rows(trace, rows)
    with runner.rerun(trace).replay(progress=progress) as replay:
        layers = readable_layers(replay)
        missing, notes = missing_layers(replay, parts=True)
        made = [start_rows(wanted, layers[-1].positions, layers[-1].values())]
        for done, layer in enumerate(reversed(layers)):
            made.append(mixed_down(made[-1], layer, replay.state(layer.number)))
            if progress is not None:
                progress((done + 1) / len(layers), f"layer {layer.number}")
        shares = stacked(made, [layer.number for layer in reversed(layers)], replay.depth)
        baseline = rolled(layers[::-1], wanted, replay.depth, even=True)
    notes = ("Post hoc: shares by the 1-norm of what each position writes; MLPs act on each position alone.", *notes)
    found = about(trace, "alti", notes, rows=wanted.tolist(), source=SOURCE)
    depths = np.arange(len(shares))
    return MixedSources(layers=depths, rows=wanted, shares=shares, baseline=baseline, missing=missing, **found)


def readable_layers(replay: ReplayLike) -> list[LayerReplayLike]:
    """Layers whose attention can be taken apart, in order.

    Raises
    ------
    CheckpointError
        There is none; the message says why.
    """
    found = [layer for layer in replay.layers if not layer.problem]
    if not found:
        _, notes = missing_layers(replay, parts=True)
        raise CheckpointError(
            "The attention of no layer can be taken apart",
            " ".join(notes),
            "Use rollout, knockout or patching, which need no parts.",
        )
    return found


def mixed_down(rows: Tensor, layer: LayerReplayLike, stream: Tensor) -> Tensor:
    """Rows (rows, positions) times a layer's matrix of shares, (rows, positions); rows stay as heavy as they were.

    Parameters
    ----------
    rows
        Mixtures at the layer's exit.
    layer
        Its attention.
    stream
        What entered it, (positions, width).
    """
    import torch  # here, because a saved trace opens without it

    mixed = torch.zeros_like(rows)
    for which in row_chunks(layer.positions, len(layer.values()) * layer.positions):
        taken = rows[:, which.start : which.stop]
        needed = torch.nonzero(taken.abs().sum(0) > 0)[:, 0]  # nothing goes to rows that nobody looks at
        if len(needed):
            at = needed + which.start
            mixed += taken[:, needed] @ shares_of(layer, stream, at)
    return mixed


def shares_of(layer: LayerReplayLike, stream: Tensor, rows: Tensor) -> Tensor:
    r"""Rows of :math:`C`, :math:`c_{ij} \propto \max(0, \|y_i\|_1 - \|y_i - T_i(j)\|_1)`, (rows, positions).

    A row that no source brings nearer counts as itself.

    Parameters
    ----------
    layer
        Its attention.
    stream
        What entered the layer, (positions, width).
    rows
        Sequence positions, (rows,).
    """
    import torch  # here, because a saved trace opens without it

    whole = stream[rows] + layer.added(rows).to(stream.device)
    near = [
        (whole.abs().sum(-1, keepdim=True) - (whole[:, None] - parts).abs().sum(-1)).clamp_min(0)
        for _, parts in transformed(layer, stream, rows, torch.arange(layer.positions))
    ]
    found = torch.cat(near, dim=1)
    heavy = found.sum(-1, keepdim=True)
    itself = torch.nn.functional.one_hot(rows.to(found.device), layer.positions).to(found)
    return torch.where(heavy > 0, found / heavy.clamp_min(1e-30), itself)


def transformed(
    layer: LayerReplayLike, stream: Tensor, rows: Tensor, columns: Tensor
) -> Iterator[tuple[Tensor, Tensor]]:
    r""":math:`T_i(j) = \sum_h A_{ij}^h W_O^h v_j^h` and :math:`x_i` where j = i: with the biases they sum to the stream
    behind attention.

    Yields
    ------
    columns : Tensor
        Some of the sources, (chunk,).
    parts : Tensor
        (rows, chunk, width).
    """
    own = stream[rows]
    for some, vectors in arrivals(layer, rows, columns):
        itself = (some[None] == rows.to(some.device)[:, None])[..., None]
        yield some, vectors + itself * own[:, None].to(vectors.device)
