"""ALTI between groups: which share of the rows of a group each group of sources explains, layer by layer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from explore.attention_rows import row_chunks
from explore.edits import Where
from explore.flow.grouping import PositionGroups, position_groups
from explore.flow.mixed_sources import missing_layers
from explore.flow.named_arrays import NamedArrays, about
from explore.flow.token_mixing import SOURCE, readable_layers
from explore.runs import LayerReplayLike, Report, RunnerLike
from explore.trace import Trace

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class GroupShares(NamedArrays):
    """Shares of groups in one layer each. The columns are exact; the rows are means over a group.

    Parameters
    ----------
    layers
        Layers that could be taken apart.
    receivers, sources
        Names of the groups, both all of them.
    shares
        (layers, receivers, sources) float32; every row sums to 1.
    baseline
        The same for a mixture by numbers alone: half for a row's own group, and half by how many positions of each
        group the row can see.
    groups
        Which positions each group has.
    missing
        Layers that could not be taken apart.
    """

    axes: ClassVar = {
        "shares": ("layers", "receivers", "sources"),
        "baseline": ("layers", "receivers", "sources"),
    }

    layers: NDArray[np.int64]
    receivers: tuple[str, ...]
    sources: tuple[str, ...]
    shares: NDArray[np.float32]
    baseline: NDArray[np.float32]
    groups: PositionGroups
    missing: tuple[int, ...] = ()

    def chained(self) -> NDArray[np.float32]:
        """All layers multiplied up, (receivers, sources): an approximation, because rows of a group are averaged in
        every layer. `explore.flow.alti` gives the exact product."""
        found = np.eye(len(self.receivers), dtype=np.float32)
        for each in self.shares:
            found = each @ found
        return found


def group_alti(
    runner: RunnerLike, trace: Trace, parts: Mapping[str, Where] | None = None, *, progress: Report | None = None
) -> GroupShares:
    """Which share of each group's rows every group explains, in each layer by itself.

    Vectors add, so the part of a whole group is exact, and costs as much as there are groups instead of positions.

    Parameters
    ----------
    runner, trace
        The model and the run.
    parts
        See `position_groups`.
    progress
        Called with the part that is done; may raise `Cancelled`.

    Raises
    ------
    ParameterError
        The groups cannot be made.
    CheckpointError
        No layer's attention can be taken apart.

    Source: Ferrando et al., EMNLP 2022, arXiv 2203.04212, on the sums of groups of sources
    """
    import torch  # here, because a saved trace opens without it

    groups = position_groups(trace, parts)
    shares, baseline = list[NDArray[np.float32]](), list[NDArray[np.float32]]()
    with runner.rerun(trace).replay(progress=progress) as replay:
        layers = readable_layers(replay)
        missing, notes = missing_layers(replay, parts=True)
        for done, layer in enumerate(layers):
            stream, means = replay.state(layer.number), np.zeros((2, len(groups.names), len(groups.names)))
            for which in row_chunks(layer.positions, len(layer.values()) * layer.positions):
                rows = torch.arange(which.start, which.stop)
                made = (group_rows(layer, stream, rows, groups), _even_rows(layer, rows, groups))
                members = torch.from_numpy(groups.columns)[rows]
                means += np.stack([(members.T @ each.cpu()).double().numpy() for each in made])
            means /= groups.sizes[:, None]
            shares.append(means[0].astype(np.float32))
            baseline.append(means[1].astype(np.float32))
            if progress is not None:
                progress((done + 1) / len(layers), f"layer {layer.number}")
    notes = (
        "Exact in each layer for groups of sources; rows of a group are averaged, so a chain of layers is approximate.",
        *notes,
    )
    return GroupShares(
        layers=np.array([layer.number for layer in layers]),
        receivers=groups.names,
        sources=groups.names,
        shares=np.stack(shares),
        baseline=np.stack(baseline),
        groups=groups,
        missing=missing,
        **about(trace, "group_alti", notes, groups=list(groups.names), source=SOURCE),
    )


def group_rows(layer: LayerReplayLike, stream: Tensor, rows: Tensor, groups: PositionGroups) -> Tensor:
    """Shares of groups of sources in some rows, (rows, groups), each row summing to 1.

    Parameters
    ----------
    layer
        Its attention.
    stream
        What entered the layer, (positions, width).
    rows
        Sequence positions, (rows,).
    groups
        The groups.
    """
    import torch  # here, because a saved trace opens without it

    whole = stream[rows] + layer.added(rows).to(stream.device)
    parts = group_parts(layer, stream, rows, groups).to(stream.device)
    near = (whole.abs().sum(-1, keepdim=True) - (whole[:, None] - parts).abs().sum(-1)).clamp_min(0)
    heavy = near.sum(-1, keepdim=True)
    itself = torch.from_numpy(groups.columns).to(near)[rows]
    return torch.where(heavy > 0, near / heavy.clamp_min(1e-30), itself)


def group_parts(layer: LayerReplayLike, stream: Tensor, rows: Tensor, groups: PositionGroups) -> Tensor:
    """The sum of T over each group's positions, (rows, groups, width); values are added up before projection."""
    import torch  # here, because a saved trace opens without it

    weights, values = layer.weights(rows).float(), layer.values()
    members = torch.from_numpy(groups.columns).to(values)
    total = torch.zeros(len(rows), len(groups.names), stream.shape[-1], device=values.device)
    for head, own in enumerate(values):
        spread = (weights[head][:, None] * members.T[None]) @ own  # (rows, groups, head_width)
        total += layer.written(head, spread)
    return layer.landed(rows, total).to(stream.device) + members[rows][..., None].to(stream) * stream[rows][:, None]


def _even_rows(layer: LayerReplayLike, rows: Tensor, groups: PositionGroups) -> Tensor:
    import torch  # here, because a saved trace opens without it

    members = torch.from_numpy(groups.columns)
    seen = (layer.weights(rows) > 0).any(0).float().cpu()
    return 0.5 * (seen / seen.sum(-1, keepdim=True)) @ members + 0.5 * members[rows]
