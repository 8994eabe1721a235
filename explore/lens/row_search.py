"""Exact search: every row of the wanted layers is compared with every query, in one pass over the rows.

Rows are converted to float32 a chunk at a time, multiplied, and only what can still be among the best is looked at
again, pair by pair (`explore.lens.pair_scores`). Memory is that of a few chunks, whatever the number of rows.
Source: `specs/latent-lens.md` §1.5 and §3.3.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import torch
from torch import Tensor

from explore.errors import ExploreError
from explore.lens.centring import SMALLEST, means_by_layer, seen_from
from explore.lens.neighbours import Neighbours
from explore.lens.pair_scores import offer_pairs
from explore.lens.query_vectors import require_k, unit_vectors, wanted_layers
from explore.lens.row_store import RowStore
from explore.lens.running_best import RunningBest
from explore.lens.shortlists import Shortlist
from explore.runs import Report

CHUNK_BYTES = 8 * 2**20
"""What a processor's cache holds together with the similarities: larger chunks are slower."""

DEVICE_CHUNK_BYTES = 512 * 2**20

_PAIRS = 2**20
"""Pairs kept in question before they are settled; more than a few per query only where rows are alike."""


def search(
    store: RowStore,
    queries: Tensor | np.ndarray,
    k: int = 5,
    *,
    layers: Iterable[int] | None = None,
    centred: bool = False,
    means: Tensor | np.ndarray | None = None,
    device: torch.device | str | None = None,
    chunk_bytes: int | None = None,
    progress: Report | None = None,
) -> Neighbours:
    """The `k` most similar rows of every query over all wanted layers at once.

    Parameters
    ----------
    store
        Rows of every layer; layers may have fewer than `k`.
    queries
        (queries, width), any number type and any length but zero. Hand over all there are: a pass over the rows costs
        the same for one query as for many.
    k
        Neighbours per query, over all layers together. Fewer are returned where there are fewer rows.
    layers
        Search only these; None means all.
    centred
        Compare as seen from every layer's mean instead of from the origin.
    means
        Mean row of every stored layer, (layers, width); None computes them, which is one more pass.
    device
        Where to compute; None is where the queries are.
    chunk_bytes
        Memory for one chunk of converted rows, and again for its similarities. It changes no result.
    progress
        Called with the fraction of rows done.

    Raises
    ------
    ParameterError
        Queries of another width, zero or not finite; a layer that is not stored; k below 1.
    """
    require_k(k)
    place = torch.device(device) if device is not None else torch.as_tensor(queries).device
    units = unit_vectors(queries, store.width, device=place, what="query")
    wanted = wanted_layers(store, layers)
    chosen = means_by_layer(store, wanted, means, place) if centred else {}
    total = sum(len(part) for layer in wanted for part in store.parts(layer))
    best, home = RunningBest(len(units), min(k, total)), units.cpu()
    likely = Shortlist(len(units), best.k, _slack(), place)
    size, done = chunk_bytes or (CHUNK_BYTES if place.type == "cpu" else DEVICE_CHUNK_BYTES), 0

    def settle() -> None:
        for layer, query, row in likely.drain():
            mean = chosen.get(layer)
            offer_pairs(best, store, layer, home, query, row, None if mean is None else mean.cpu())

    for layer in wanted:
        mean = chosen.get(layer)
        asked = units if mean is None else seen_from(mean, units)
        for start, rows, factors in _chunks(store, layer, mean, size, place):
            _compare(likely, asked, rows, factors, layer, start, size)
            if likely.length > _PAIRS + 4 * best.values.numel():
                likely.shorten()
                if likely.length > _PAIRS:  # many ties: they cannot all be kept until the end
                    settle()
            done += len(rows)
            if progress is not None:
                progress(done / total, f"layer {layer}")
    settle()
    method = "every row compared" + (", seen from the layer's mean" if centred else "")
    return Neighbours(best.values.numpy(), best.layers.numpy(), best.rows.numpy(), method=method)


def _chunks(
    store: RowStore, layer: int, mean: Tensor | None, size: int, device: torch.device
) -> Iterator[tuple[int, Tensor, Tensor | None]]:
    """Number of the first row, rows (rows, width) float32, and what to multiply their products with, (rows,)."""
    count = max(1, size // (4 * store.width))
    buffer = torch.empty(0, device=device)
    for part in store.parts(layer):
        for first in range(0, len(part), count):
            last = min(first + count, len(part))
            stored = part.rows[first:last].to(device)
            if stored.dtype != torch.float32:
                # One buffer for all: fresh memory for every chunk costs as much as the conversion.
                buffer = buffer if len(buffer) else torch.empty(count, store.width, device=device)
                stored = buffer[: last - first].copy_(stored)
            scales = None if part.scales is None else part.scales[first:last].to(device)
            yield part.start + first, *(_seen(stored, scales, mean) if mean is not None else (stored, scales))


def _seen(rows: Tensor, scales: Tensor | None, mean: Tensor) -> tuple[Tensor, Tensor]:
    """Rows less the mean, and what makes them unit again."""
    moved = (rows if scales is None else rows * scales[:, None]) - mean
    lengths = torch.linalg.vector_norm(moved, dim=1)
    return moved, torch.where(lengths > SMALLEST, 1 / lengths.clamp_min(SMALLEST), 0.0)


def _compare(
    likely: Shortlist, asked: Tensor, rows: Tensor, factors: Tensor | None, layer: int, start: int, size: int
) -> None:
    """Multiply a chunk of rows with all queries, a block at a time, so that a whole experiment's fit."""
    count = max(1, size // (4 * len(rows)))
    for first in range(0, len(asked), count):
        values = asked[first : first + count] @ rows.T
        if factors is not None:
            values *= factors
        if not likely.take(first, values, layer, start):
            raise ExploreError(
                f"A row of layer {layer}, at or after number {start}, holds infinite or undefined numbers",
                "Rows are finite unit vectors.",
                "The rows are damaged: build them again.",
            )


def _slack() -> float:
    """How far a product of unit vectors may be from their cosine: rounding of float32, or of what stands in for it."""
    try:
        return 1e-5 if torch.get_float32_matmul_precision() == "highest" else 2e-2
    except RuntimeError:  # somebody set it through both of torch's ways, and torch no longer says
        return 2e-2
