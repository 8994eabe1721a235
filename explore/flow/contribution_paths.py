"""A readable graph of the strongest contributions, walked backwards from one node; only what is reached is computed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from explore.errors import ParameterError
from explore.flow.mixed_sources import missing_layers, predicting_rows
from explore.flow.named_arrays import NamedArrays, about
from explore.flow.proximity import attention_shares, behind_shares
from explore.runs import LayerReplayLike, ReplayLike, Report, RunnerLike
from explore.trace import Trace

if TYPE_CHECKING:
    import pandas as pd

Kind = Literal["input", "attention", "mlp", "inserted", "output"]

_SOURCE = (
    "Ferrando & Voita, Information Flow Routes, EMNLP 2024, arXiv 2403.00824; proximity, floor and threshold as in "
    "Tufanov et al., LM Transparency Tool, ACL 2024, arXiv 2404.07004"
)


@dataclass(frozen=True)
class Node:
    """A place in the residual stream.

    Parameters
    ----------
    kind
        "input" below layer 0, "attention" behind a layer's attention, "mlp" what the layer adds behind that, "inserted"
        what the model gives to the stream there, "output" behind the layer.
    layer
        Its layer, -1 for inputs.
    position
        Sequence position.
    """

    kind: Kind
    layer: int
    position: int


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class ContributionGraph(NamedArrays):
    """Nodes and weighted edges.

    Parameters
    ----------
    nodes
        In the order in which they were reached; the first one is where the walk began.
    edges
        Numbers of the edges.
    start, end
        Nodes of each edge, (edges,) int64; it goes upwards from `start` to `end`.
    weight
        Share of `end` that `start` explains, (edges,) float32.
    by_head
        What each head has of it, (edges, heads); NaN where no head is involved. The residual stream, which is merged
        with the edge from a position to itself, is the rest.
    heads
        Numbers of the heads.
    threshold, renormalised
        What was left out, and whether the rest was made whole again.
    missing
        Layers whose attention could not be taken apart: a single edge stands for all of the layer.
    """

    axes: ClassVar = {
        "weight": ("edges",),
        "start": ("edges",),
        "end": ("edges",),
        "by_head": ("edges", "heads"),
    }

    nodes: tuple[Node, ...]
    edges: NDArray[np.int64]
    start: NDArray[np.int64]
    end: NDArray[np.int64]
    weight: NDArray[np.float32]
    by_head: NDArray[np.float32]
    heads: NDArray[np.int64]
    threshold: float
    renormalised: bool
    missing: tuple[int, ...] = ()

    def to_frame(self) -> pd.DataFrame:
        """One line for every edge, with kind, layer, position and text of both ends."""
        table = super().to_frame()
        for side in ("start", "end"):
            ends = [self.nodes[each] for each in table[side]]
            table[f"{side}_kind"] = [node.kind for node in ends]
            table[f"{side}_layer"] = [node.layer for node in ends]
            table[f"{side}_position"] = [node.position for node in ends]
            table[f"{side}_text"] = [self.texts[node.position] for node in ends]
        return table

    def to_json(self) -> dict[str, object]:
        """See `NamedArrays.to_json`, with the nodes."""
        nodes = [{"kind": node.kind, "layer": node.layer, "position": node.position} for node in self.nodes]
        return {**super().to_json(), "nodes": nodes, "threshold": self.threshold, "missing": list(self.missing)}


def contribution_graph(
    runner: RunnerLike,
    trace: Trace,
    row: int | None = None,
    *,
    layer: int | None = None,
    threshold: float = 0.04,
    renormalise: bool = False,
    progress: Report | None = None,
) -> ContributionGraph:
    """From a node backwards along every edge that is stronger than a threshold.

    Parameters
    ----------
    runner, trace
        The model and the run.
    row
        Sequence position to begin at; None is the one that predicts the first token of the answer.
    layer
        Layer behind which to begin; None is the last one.
    threshold
        Edges that explain less are not followed.
    renormalise
        Leave out parts (a source through one head, the residual stream, the MLP) below the threshold and divide by the
        rest, before edges are compared.
    progress
        Called with the part that is done; may raise `Cancelled`.

    Raises
    ------
    ParameterError
        A row or layer that is not there, or a threshold that is no share.

    Source: Ferrando & Voita, EMNLP 2024, arXiv 2403.00824; Tufanov et al., ACL 2024, arXiv 2404.07004
    """
    begin = int(predicting_rows(trace, row)[0])
    if not 0 < threshold < 1:
        raise ParameterError(f"threshold={threshold} was given", "It is a share between 0 and 1, such as 0.04.")
    with runner.rerun(trace).replay(progress=progress) as replay:
        top = replay.depth - 1 if layer is None else layer
        if not 0 <= top < replay.depth:
            raise ParameterError(f"layer={layer} was given", f"Layers count from 0 to {replay.depth - 1}.")
        missing, notes = missing_layers(replay, parts=True)
        heads = max((len(each.values()) for each in replay.layers), default=0)
        walk = _Walk(threshold, threshold if renormalise else 0.0, heads, Node("output", top, begin))
        for number in range(top, -1, -1):
            walk.layer(replay, number)
            if progress is not None:
                progress((top + 1 - number) / (top + 1), f"layer {number}")
    notes = ("Post hoc: shares of the 1-norm, part by part; what is not reached was not computed.", *notes)
    parameters = {"row": begin, "layer": top, "threshold": threshold, "renormalise": renormalise, "source": _SOURCE}
    return ContributionGraph(
        nodes=tuple(walk.nodes),
        edges=np.arange(len(walk.edges)),
        start=np.array([start for start, _, _, _ in walk.edges], np.int64),
        end=np.array([end for _, end, _, _ in walk.edges], np.int64),
        weight=np.array([weight for _, _, weight, _ in walk.edges], np.float32),
        by_head=np.array([shares for _, _, _, shares in walk.edges], np.float32).reshape(-1, heads),
        heads=np.arange(heads),
        threshold=threshold,
        renormalised=renormalise,
        missing=tuple(number for number in missing if number <= top),
        **about(trace, "contribution_graph", notes, **parameters),
    )


class _Walk:
    """What was reached so far."""

    def __init__(self, threshold: float, cut: float, heads: int, begin: Node) -> None:
        self.threshold, self.cut, self.heads = threshold, cut, heads
        self.nodes: dict[Node, int] = {begin: 0}
        self.edges: list[tuple[int, int, float, NDArray[np.float32]]] = []

    def layer(self, replay: ReplayLike, number: int) -> None:
        """Walk from the outputs of a layer that were reached to those of the layer below."""
        rows = sorted(node.position for node in self.nodes if (node.kind, node.layer) == ("output", number))
        found = next((each for each in replay.layers if each.number == number and not each.problem), None)
        if found is None:
            for row in rows:
                self._edge(_below(number, row), Node("output", number, row), 1.0)
            return
        behind = behind_shares(replay, found, rows, self.cut).tolist()
        for row, (middle, mlp, inserted) in zip(rows, behind, strict=True):
            output, stream = Node("output", number, row), Node("attention", number, row)
            self._edge(stream, output, middle)
            if self._edge(Node("mlp", number, row), output, mlp):
                # An MLP reads nothing but the stream behind attention.
                self._edge(stream, Node("mlp", number, row), mlp)
            self._edge(Node("inserted", number, row), output, inserted)
        self._attention(replay, found)

    def _attention(self, replay: ReplayLike, layer: LayerReplayLike) -> None:
        number = layer.number
        rows = sorted(node.position for node in self.nodes if (node.kind, node.layer) == ("attention", number))
        if not rows:
            return
        stream = replay.state(number)
        for row, (parts, residual) in zip(rows, attention_shares(layer, stream, rows, self.cut), strict=True):
            weights = parts.sum(0)
            weights[row] += residual
            for source in np.flatnonzero(weights > self.threshold).tolist():
                shares = np.full(self.heads, np.nan, np.float32)
                shares[: len(parts)] = parts[:, source]
                self._edge(_below(number, source), Node("attention", number, row), float(weights[source]), shares)

    def _edge(self, start: Node, end: Node, weight: float, shares: NDArray[np.float32] | None = None) -> bool:
        """Whether the edge is strong enough to be followed."""
        if weight <= self.threshold:
            return False
        first = self.nodes.setdefault(start, len(self.nodes))
        heads = np.full(self.heads, np.nan, np.float32) if shares is None else shares
        self.edges.append((first, self.nodes[end], weight, heads))
        return True


def _below(number: int, position: int) -> Node:
    return Node("output", number - 1, position) if number else Node("input", -1, position)
