"""The cosine of one query with one row, the same to the last bit however rows are cut into parts and chunks.

Matrix products sum in an order that depends on the shape of the matrices, so that equal rows can differ in the last
bit. What is reported and ranked is therefore computed pair by pair, in double precision; products only say which pairs
are worth it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from explore.lens.centring import SMALLEST, seen_from
from explore.lens.row_store import RowStore, StoredPart
from explore.lens.running_best import RunningBest

_BYTES = 2 * 2**20
"""Rows of pairs looked at together: what a processor's cache holds."""


def pair_similarities(rows: Tensor, queries: Tensor, scales: Tensor | None, mean: Tensor | None) -> Tensor:
    """Cosine of each row with the query beside it, (pairs,) float32.

    Parameters
    ----------
    rows
        As they are stored but float32, (pairs, width).
    queries
        Unit vectors, seen from `mean` where that is given, (pairs, width) float32.
    scales
        Factors of the rows, (pairs,).
    mean
        What rows are seen from, (width,); None is the origin.
    """
    if mean is not None:
        moved = (rows if scales is None else rows * scales[:, None]) - mean
        lengths = torch.linalg.vector_norm(moved, dim=1, dtype=torch.float64)
        found = (moved * queries).sum(dim=1, dtype=torch.float64) / lengths.clamp_min(SMALLEST)
        return torch.where(lengths > SMALLEST, found, 0.0).float()
    found = (rows * queries).sum(dim=1, dtype=torch.float64)
    return (found if scales is None else found * scales.double()).float()


def rescored(
    store: RowStore, units: Tensor, k: int, layers: Tensor, rows: Tensor, means: dict[int, Tensor] | None = None
) -> RunningBest:
    """The `k` best of some candidates by their true cosines.

    Parameters
    ----------
    store
        Where the rows of the candidates lie; only they are read.
    units
        Unit queries, (queries, width) float32.
    layers, rows
        Candidates of every query, (queries, candidates) int64; layer -1 marks none.
    means
        Layer to its mean, where similarity is to be seen from there.
    """
    best = RunningBest(len(units), k)
    for layer in (each for each in torch.unique(layers).tolist() if each >= 0):
        query, place = (layers == layer).nonzero(as_tuple=True)
        mean = None if means is None else means[layer]
        offer_pairs(best, store, layer, units, query, rows[query, place], mean)
    return best


def offer_pairs(
    best: RunningBest, store: RowStore, layer: int, units: Tensor, queries: Tensor, rows: Tensor, mean: Tensor | None
) -> None:
    """Offer some rows of one layer by their true cosines; pairs of layers below it have to be offered before.

    Parameters
    ----------
    units
        Unit queries, (queries, width) float32.
    queries, rows
        Query and row of each pair, (pairs,) int64, in any order.
    mean
        As in `pair_similarities`.
    """
    order = rows.argsort(stable=True)
    order = order[queries[order].argsort(stable=True)]
    queries, rows = queries[order], rows[order]
    asked = units if mean is None else seen_from(mean, units)
    best.offer(queries, _values(store.parts(layer), rows, asked, queries, mean), layer, rows)


def _values(parts: Sequence[StoredPart], rows: Tensor, asked: Tensor, queries: Tensor, mean: Tensor | None) -> Tensor:
    """Cosine of each of some rows of a layer with the query beside it, (pairs,) float32."""
    found = torch.empty(len(rows))
    for place, part, inside in _by_part(parts, rows):
        step = max(1, _BYTES // (4 * part.rows.shape[1]))
        for some, where in zip(place.split(step), inside.split(step), strict=True):
            scales = None if part.scales is None else part.scales[where]
            found[some] = pair_similarities(part.rows[where].float(), asked[queries[some]], scales, mean)
    return found


def _by_part(parts: Sequence[StoredPart], rows: Tensor) -> Iterator[tuple[Tensor, StoredPart, Tensor]]:
    """Places among `rows` that lie in one part, the part, and their numbers inside it, ascending."""
    home = torch.searchsorted(torch.tensor([part.start for part in parts]), rows, right=True) - 1
    for at in torch.unique(home).tolist():
        place = (home == at).nonzero()[:, 0]
        inside = rows[place] - parts[at].start
        # In the order in which they lie on a disk.
        order = inside.argsort()
        yield place[order], parts[at], inside[order]
