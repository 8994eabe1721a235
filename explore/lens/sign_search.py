"""Search by one-bit codes: bits choose some candidates of every query, their true rows decide.

The share of bits in which two codes differ is an estimate of the angle between the vectors, as seen from the layer's
mean. With :math:`v` the query and :math:`o` the row seen from the mean :math:`\\mu`,

.. math:: \\cos(q, r) = |v|\\,|o|\\cos(v, o) + q\\mu + o\\mu, \\qquad \\cos(v, o) \\approx \\cos(\\pi H / d)

so that layers with different means can be ranked together. Only the rows of candidates are read.
Source: `specs/latent-lens.md` §3.3; the estimate of an angle by random signs is Charikar's (2002).
"""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from math import pi

import numpy as np
import torch
from torch import Tensor

from explore.errors import ParameterError
from explore.lens.bit_codes import differing_bits, packed_signs
from explore.lens.neighbours import Neighbours
from explore.lens.pair_scores import rescored
from explore.lens.query_vectors import require_k, unit_vectors, wanted_layers
from explore.lens.recalls import SAMPLE
from explore.lens.row_search import search
from explore.lens.row_store import RowStore
from explore.lens.running_best import RunningBest
from explore.lens.sign_codes import LayerCodes, SignCodes
from explore.runs import Report

CANDIDATES = 200
_CHUNK_BYTES = 16 * 2**20
_MOST_ROWS = 2**16
_QUERIES = 4096


def search_codes(
    codes: SignCodes,
    store: RowStore,
    queries: Tensor | np.ndarray,
    k: int = 5,
    *,
    candidates: int = CANDIDATES,
    layers: Iterable[int] | None = None,
    centred: bool = False,
    sample: int = SAMPLE,
    progress: Report | None = None,
) -> Neighbours:
    """The `k` most similar rows of every query, nearly always: approximate, with its recall measured.

    Parameters
    ----------
    codes, store
        The codes, and the rows they were made of.
    queries
        (queries, width), any number type and any length but zero.
    candidates
        Rows per query that are compared exactly; more is surer and slower.
    layers, centred
        As in `explore.lens.row_search.search`; the means are those of the codes.
    sample
        Queries to measure recall on, by exact search: where these settings were not yet measured on as many.
    progress
        Called with the fraction of codes done.

    Raises
    ------
    ParameterError
        As in exact search; fewer candidates than `k`; codes of another width or layers.
    """
    require_k(k)
    if candidates < k:
        raise ParameterError(f"candidates={candidates} was given with k={k}", "There are at least k candidates.")
    units = unit_vectors(queries, store.width, what="query")
    wanted = wanted_layers(store, layers)
    if tuple(sorted(codes.layers)) != store.layers or len(codes.rotation.flips) != store.width:
        raise ParameterError("The codes are those of another store", "", "Build them again with build_codes(store).")
    total = sum(len(codes.layers[each].lengths) for each in wanted)
    best, done = RunningBest(len(units), min(k, total)), 0
    with ThreadPoolExecutor(torch.get_num_threads()) as threads:
        for first in range(0, len(units), _QUERIES):
            some = units[first : first + _QUERIES]
            chosen = RunningBest(len(some), min(candidates, total))
            for layer in wanted:
                _collect(codes, layer, some, centred, chosen, threads)
                done += len(some) * len(codes.layers[layer].lengths)
                if progress is not None:
                    progress(done / max(total * len(units), 1), f"codes of layer {layer}")
            means = {layer: torch.from_numpy(codes.layers[layer].mean) for layer in wanted} if centred else None
            best.replace(first, rescored(store, some, best.k, chosen.layers, chosen.rows, means))
    return codes.recalls.attached(
        best,
        units,
        (k, candidates, wanted, centred),
        lambda some: search(store, some, k, layers=wanted, centred=centred, means=codes.means if centred else None),
        sample,
        f"sign codes, the best {candidates} re-scored" + (", seen from the layer's mean" if centred else ""),
    )


def _collect(
    codes: SignCodes, layer: int, units: Tensor, centred: bool, best: RunningBest, threads: ThreadPoolExecutor
) -> None:
    """Offer every row of a layer with its estimated similarity."""
    kept, mean = codes.layers[layer], torch.from_numpy(codes.layers[layer].mean)
    moved = units - mean
    asked = packed_signs(codes.rotation(moved).numpy())
    lengths, along = torch.linalg.vector_norm(moved, dim=1), units @ mean
    step = max(1, min(_MOST_ROWS, _CHUNK_BYTES // (4 * max(1, len(units)))))
    for first in range(0, len(kept.lengths), step):
        here = slice(first, first + step)
        values = torch.from_numpy(differing_bits(asked, kept.words[:, here], threads)).float()
        values.mul_(pi / len(mean)).cos_()
        if not centred:
            _uncentre(values, kept, here, lengths, along)
        query, place = best.worth_a_look(0, values)
        best.offer(query, values[query, place], layer, place + first)


def _uncentre(values: Tensor, kept: LayerCodes, here: slice, lengths: Tensor, along: Tensor) -> None:
    """Cosines as seen from the mean, (queries, rows), become those as seen from the origin."""
    values.mul_(torch.from_numpy(kept.lengths[here])).mul_(lengths[:, None])
    values.add_(torch.from_numpy(kept.offsets[here])).add_(along[:, None])
