"""Attention as a net of pipes between groups of tokens: how much can get from each group of inputs to an output."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from explore.attention_rows import Chunks, even_chunks, weight_chunks
from explore.edits import Where
from explore.errors import ParameterError
from explore.flow.grouping import PositionGroups, position_groups
from explore.flow.mixed_sources import missing_layers
from explore.flow.named_arrays import NamedArrays, about
from explore.runs import Report, RunnerLike
from explore.trace import Trace

if TYPE_CHECKING:
    from torch import Tensor

_UNITS = 1_000_000  # pipes are whole numbers: a capacity of 1 is so many
_SOURCE = "Abnar & Zuidema, Quantifying Attention Flow in Transformers, ACL 2020, arXiv 2005.00928, coarsened to groups"


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class GroupFlow(NamedArrays):
    """Maximum flow between groups of tokens; "group flow", which is not the flow between single tokens.

    Parameters
    ----------
    outputs, inputs
        Names of the groups at the last layer and at the first, both all of them.
    flow
        The most that fits through from each group of inputs, (outputs, inputs) float64.
    share
        Part of what fits from all inputs, (outputs, inputs); rows sum to 1.
    baseline
        `share` if attention spread evenly over all that a row may see.
    layers
        Which layers the capacities belong to.
    capacities
        Mean over the rows of the receiver and sum over the columns of the source, half of it the residual stream,
        (layers, outputs, inputs) float32.
    groups
        Which positions each group has.
    """

    axes: ClassVar = {
        "share": ("outputs", "inputs"),
        "flow": ("outputs", "inputs"),
        "baseline": ("outputs", "inputs"),
        "capacities": ("layers", "outputs", "inputs"),
    }

    outputs: tuple[str, ...]
    inputs: tuple[str, ...]
    flow: NDArray[np.float64]
    share: NDArray[np.float64]
    baseline: NDArray[np.float64]
    layers: NDArray[np.int64]
    capacities: NDArray[np.float32]
    groups: PositionGroups


def group_flow(
    runner: RunnerLike, trace: Trace, parts: Mapping[str, Where] | None = None, *, progress: Report | None = None
) -> GroupFlow:
    """Maximum flow from groups of inputs to groups of outputs.

    Parameters
    ----------
    runner, trace
        The model and the run.
    parts
        See `position_groups`.
    progress
        Asked between layers whether to stop.

    Raises
    ------
    ParameterError
        The groups cannot be made.

    Source: Abnar & Zuidema, Quantifying Attention Flow in Transformers, ACL 2020, arXiv 2005.00928
    """
    groups = position_groups(trace, parts)
    with runner.rerun(trace).replay(progress=progress) as replay:
        _, notes = missing_layers(replay, parts=False)
        capacities = np.stack([group_means(weight_chunks(layer), groups) for layer in replay.layers])
        even = np.stack([group_means(even_chunks(layer), groups) for layer in replay.layers])
        layers = np.array([layer.number for layer in replay.layers])
    capacities, even = (0.5 * (each + np.eye(len(groups.names), dtype=np.float32)) for each in (capacities, even))
    flow = flows(capacities)
    notes = ("Group flow: attention between groups as capacities, post hoc; values and MLPs play no part.", *notes)
    return GroupFlow(
        outputs=groups.names,
        inputs=groups.names,
        flow=flow,
        share=_shares(flow),
        baseline=_shares(flows(even)),
        layers=layers,
        capacities=capacities,
        groups=groups,
        **about(trace, "group_flow", notes, groups=list(groups.names), source=_SOURCE),
    )


def group_means(chunks: Chunks, groups: PositionGroups) -> NDArray[np.float32]:
    """Head-averaged attention between groups: mean over rows, sum over columns, (receivers, sources)."""
    import torch  # here, because a saved trace opens without it

    columns, total = torch.from_numpy(groups.columns), np.zeros((len(groups.names),) * 2)
    for which, weights in chunks:
        fused: Tensor = weights.mean(0).float().cpu() @ columns
        total += (columns[which.start : which.stop].T @ fused).double().numpy()
    return (total / groups.sizes[:, None]).astype(np.float32)


def flows(capacities: Sequence[NDArray[np.floating]] | NDArray[np.floating]) -> NDArray[np.float64]:
    """Maximum flow from every node below the first layer to every node above the last, (outputs, inputs).

    Parameters
    ----------
    capacities
        Of the layers from the first up, each (receivers, sources) in 0 to 1.

    Raises
    ------
    ParameterError
        The matrices are not square or of different sizes.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import maximum_flow

    layers = np.asarray(capacities, np.float64)
    if layers.ndim != 3 or layers.shape[1] != layers.shape[2] or layers.min(initial=0) < 0:
        raise ParameterError(f"Capacities have the shape {layers.shape}", "They are (layers, nodes, nodes), from 0.")
    depth, nodes, _ = layers.shape
    level, receiver, source = np.nonzero(layers)
    pipes = np.rint(layers[level, receiver, source] * _UNITS).astype(np.int32)
    start, end = (level + 1) * nodes + receiver, level * nodes + source
    size = (depth + 1) * nodes
    net = coo_array((pipes, (start, end)), shape=(size, size)).tocsr()
    found = [
        [maximum_flow(net, depth * nodes + top, below).flow_value for below in range(nodes)] for top in range(nodes)
    ]
    return np.array(found, np.float64) / _UNITS


def _shares(flow: NDArray[np.float64]) -> NDArray[np.float64]:
    return flow / np.maximum(flow.sum(-1, keepdims=True), 1e-12)
