"""Attention weighted by what is written: a large weight on a small value says little."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from explore.errors import ParameterError
from explore.flow.mixed_sources import missing_layers, predicting_rows
from explore.flow.named_arrays import NamedArrays, about
from explore.flow.token_mixing import readable_layers
from explore.runs import LayerReplayLike, Report, RunnerLike
from explore.trace import Trace
from explore.written_parts import arrivals, head_lengths

if TYPE_CHECKING:
    from torch import Tensor

Level = Literal["heads", "layer", "residual"]

_SOURCE = (
    "Kobayashi et al., Attention is Not Only a Weight, EMNLP 2020, arXiv 2004.10102 (heads) and Incorporating Residual "
    "and Normalization Layers, EMNLP 2021, arXiv 2109.07152 (layer, residual)"
)


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class WrittenNorms(NamedArrays):
    """Lengths of the vectors that sources write into some rows.

    Parameters
    ----------
    layers, rows
        Which layers could be read, and sequence positions of the rows.
    lengths
        (layers, rows, positions) float32; at level "heads" the sum over heads of their lengths.
    weights
        The attention weights themselves, averaged over heads, for comparison: (layers, rows, positions).
    by_head
        Each head's own, (layers, heads, rows, positions); None at other levels.
    heads
        Numbers of the heads.
    mixing
        Share of the context in what the row becomes, |others| / (|others| + |itself|), (layers, rows); the row itself
        holds the residual stream at level "residual".
    level
        "heads", "layer" or "residual".
    missing
        Layers that could not be read.
    """

    axes: ClassVar = {
        "lengths": ("layers", "rows", "positions"),
        "weights": ("layers", "rows", "positions"),
        "by_head": ("layers", "heads", "rows", "positions"),
        "mixing": ("layers", "rows"),
    }

    layers: NDArray[np.int64]
    rows: NDArray[np.int64]
    lengths: NDArray[np.float32]
    weights: NDArray[np.float32]
    by_head: NDArray[np.float32] | None
    heads: NDArray[np.int64]
    mixing: NDArray[np.float32]
    level: Level
    missing: tuple[int, ...] = ()


def value_norm(
    runner: RunnerLike,
    trace: Trace,
    rows: int | Sequence[int] | None = None,
    *,
    level: Level = "layer",
    layers: Iterable[int] | None = None,
    progress: Report | None = None,
) -> WrittenNorms:
    """How long a vector each position writes into some rows, layer by layer.

    Parameters
    ----------
    runner, trace
        The model and the run.
    rows
        Sequence positions; None is the one that predicts the first token of the answer.
    level
        "heads" takes the length of each head's vector, "layer" that of their sum, "residual" adds the row's own stream
        to what it writes to itself. Norms in front of attention are in the values already; one behind it is held still.
    layers
        Which layers; None means all that can be read.
    progress
        Asked between layers whether to stop.

    Raises
    ------
    ParameterError
        A row or layer that is not there, or no such level.
    CheckpointError
        A layer's attention cannot be taken apart, or that of none.

    Source: Kobayashi et al., EMNLP 2020, arXiv 2004.10102; EMNLP 2021, arXiv 2109.07152
    """
    import torch  # here, because a saved trace opens without it

    if level not in ("heads", "layer", "residual"):
        raise ParameterError(f"level={level!r} was given", "Allowed are 'heads', 'layer' and 'residual'.")
    wanted = predicting_rows(trace, rows)
    at = torch.from_numpy(wanted)
    parts: list[tuple[Any, ...]] = []
    with runner.rerun(trace).replay(progress=progress) as replay:
        missing, notes = missing_layers(replay, parts=True)
        read = readable_layers(replay) if layers is None else [replay.layer(number) for number in layers]
        for layer in read:
            stream = replay.state(layer.number)[at] if level == "residual" else None
            by_head = head_norms(layer, at) if level == "heads" else None
            parts.append((*layer_norms(layer, at, stream), layer.weights(at).mean(0), by_head))
    lengths, mixing, weights, by_heads = ([each[place] for each in parts] for place in range(4))
    stacked = [torch.stack(each).cpu().numpy() for each in (lengths, mixing, weights)]
    heads = torch.nn.utils.rnn.pad_sequence(by_heads, True, np.nan).cpu().numpy() if level == "heads" else None
    notes = ("Post hoc: lengths of what attention writes in its own layer; what it does later is not seen.", *notes)
    return WrittenNorms(
        layers=np.array([layer.number for layer in read]),
        rows=wanted,
        lengths=stacked[0] if heads is None else np.nansum(heads, axis=1),
        weights=stacked[2],
        by_head=heads,
        heads=np.arange(0 if heads is None else heads.shape[1]),
        mixing=stacked[1],
        level=level,
        missing=missing,
        **about(trace, "value_norm", notes, level=level, rows=wanted.tolist(), source=_SOURCE),
    )


def head_norms(layer: LayerReplayLike, rows: Tensor) -> Tensor:
    r"""Level 1, :math:`A_{ij}^h \|W_O^h v_j^h\|_2` by the small products, (heads, rows, positions)."""
    import torch  # here, because a saved trace opens without it

    weights, factor = layer.weights(rows).float(), _factor(layer, rows)
    if factor is not None:
        return weights * head_lengths(layer, torch.arange(layer.positions))[:, None] * factor
    # A norm behind the projection weighs the width, which the small products have already added up.
    found = torch.empty_like(weights)
    for head, own in enumerate(layer.values()):
        vectors = layer.written(head, own)
        for place in range(len(rows)):
            landed = layer.landed(rows[place : place + 1], vectors[None])[0]
            found[head, place] = weights[head, place] * landed.norm(dim=-1)
    return found


def layer_norms(layer: LayerReplayLike, rows: Tensor, stream: Tensor | None = None) -> tuple[Tensor, Tensor]:
    r"""Level 2, :math:`\|\sum_h A_{ij}^h W_O^h v_j^h\|_2`, and with a stream (rows, width) level 3.

    Returns
    -------
    lengths : Tensor
        (rows, positions).
    mixing : Tensor
        |others| / (|others| + |itself|), (rows,).
    """
    import torch  # here, because a saved trace opens without it

    columns = torch.arange(layer.positions)
    lengths: list[Tensor] = []
    itself = torch.zeros_like(layer.added(rows)) if stream is None else stream.clone()
    everything = layer.added(rows) - layer.constant(rows) + (0 if stream is None else stream)
    for some, vectors in arrivals(layer, rows, columns):
        own = some[None] == rows.to(some.device)[:, None]  # (rows, chunk)
        if stream is not None:
            vectors = vectors + own[..., None] * stream[:, None]
        place, column = torch.nonzero(own, as_tuple=True)
        itself[place] = vectors[place, column]
        lengths.append(vectors.norm(dim=-1))
    others, alone = (everything - itself).norm(dim=-1), itself.norm(dim=-1)
    return torch.cat(lengths, dim=1), others / (others + alone).clamp_min(1e-30)


def _factor(layer: LayerReplayLike, rows: Tensor) -> float | None:
    """What is written comes into the stream times this number, None where it comes through a norm."""
    import torch  # here, because a saved trace opens without it

    probe = layer.written(0, layer.values()[0, :1]).expand(len(rows), -1)
    landed = layer.landed(rows, probe)
    factor = float((landed * probe).sum() / (probe * probe).sum().clamp_min(1e-30))
    plain = torch.allclose(landed, factor * probe, rtol=1e-4, atol=1e-6 * float(probe.abs().max()))
    return abs(factor) if plain else None
