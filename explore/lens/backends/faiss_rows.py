"""Search by faiss: rows sorted into lists around centres, and only the lists nearest to a query are looked into.

One index per layer, so that searching some layers only costs nothing. Rows are kept in half precision in lists that
are memory-mapped; what faiss finds is compared again with the store's own rows.
Source: faiss (`IndexIVFScalarQuantizer`), `specs/latent-lens.md` §3.3.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from math import isqrt
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from explore.errors import ParameterError
from explore.lens.backends.optional import imported
from explore.lens.backends.whole_folders import published
from explore.lens.neighbours import Neighbours
from explore.lens.pair_scores import rescored
from explore.lens.query_vectors import require_k, unit_vectors, wanted_layers
from explore.lens.recalls import SAMPLE, Recalls
from explore.lens.row_search import search
from explore.lens.row_store import RowStore
from explore.lens.store_fingerprints import store_fingerprint
from explore.runs import Report

CANDIDATES = 50
_NOTES = "faiss.json"
_ROWS = 4096
_PER_LIST = 39  # faiss warns of centres trained on fewer points each


@dataclass(frozen=True, eq=False)
class FaissRows:
    """A faiss index for every layer of a store.

    Parameters
    ----------
    indexes
        Layer to its index.
    fingerprint
        Of the store it was made of.
    """

    indexes: dict[int, Any]
    fingerprint: str
    recalls: Recalls = field(default_factory=Recalls)

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Write it to a folder of its own, in place of what was there."""
        faiss = _faiss()
        with published(Path(folder)) as made:
            for layer, index in self.indexes.items():
                faiss.write_index(index, str(made / f"layer-{layer:02d}.faiss"))
            (made / _NOTES).write_text(json.dumps({"fingerprint": self.fingerprint, "layers": list(self.indexes)}))


def build_faiss(store: RowStore, *, lists: int | None = None, progress: Report | None = None) -> FaissRows:
    """Index all rows of a store: two passes over them.

    Parameters
    ----------
    lists
        Lists per layer; None is the square root of its rows.
    """
    faiss, indexes = _faiss(), dict[int, Any]()
    for layer in store.layers:
        if progress is not None:
            progress(len(indexes) / len(store.layers), f"faiss: layer {layer}")
        count = sum(map(len, store.parts(layer)))
        wanted = max(1, min(lists or isqrt(count), count // _PER_LIST))
        index = faiss.index_factory(store.width, f"IVF{wanted},SQfp16", faiss.METRIC_INNER_PRODUCT)
        if count:
            index.train(_every(store, layer, max(1, count // (64 * wanted))))
        for part in store.parts(layer):
            for first in range(0, len(part), _ROWS):
                index.add(part.floats(first, min(first + _ROWS, len(part))).numpy())
        indexes[layer] = index
    return FaissRows(indexes, store_fingerprint(store))


def open_faiss(folder: str | os.PathLike[str]) -> FaissRows:
    """Open what `FaissRows.save` wrote; the lists stay on disk.

    Raises
    ------
    ParameterError
        A file is missing or damaged.
    """
    faiss, place = _faiss(), Path(folder)
    try:
        noted = json.loads((place / _NOTES).read_text())
        names = {layer: str(place / f"layer-{layer:02d}.faiss") for layer in noted["layers"]}
        indexes = {layer: faiss.read_index(name, faiss.IO_FLAG_MMAP_IFC) for layer, name in names.items()}
        return FaissRows(indexes, noted["fingerprint"])
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise ParameterError(f"There is no whole faiss index in '{folder}': {error}", "", "Build it again.") from error


def search_faiss(
    index: FaissRows,
    store: RowStore,
    queries: Tensor | np.ndarray,
    k: int = 5,
    *,
    layers: Iterable[int] | None = None,
    candidates: int = CANDIDATES,
    probes: int | None = None,
    sample: int = SAMPLE,
    progress: Report | None = None,
) -> Neighbours:
    """The `k` most similar rows of every query, as far as faiss finds them; the recall is measured.

    Parameters
    ----------
    candidates
        Rows per query and layer that are asked of faiss.
    probes
        Lists per query and layer to look into; None is an eighth of them, 16 at least.
    sample
        Queries to measure recall on, as in `explore.lens.sign_search.search_codes`.

    Raises
    ------
    ParameterError
        As in exact search; fewer candidates than `k`.
    """
    faiss = _faiss()
    if candidates < require_k(k):
        raise ParameterError(f"candidates={candidates} was given with k={k}", "There are at least k candidates.")
    units = unit_vectors(queries, store.width, what="query")
    wanted, total, found = wanted_layers(store, layers), 0, []
    for number, layer in enumerate(wanted):
        if progress is not None:
            progress(number / len(wanted), f"faiss: layer {layer}")
        each = index.indexes[layer]
        total += each.ntotal
        looked = min(probes or max(16, each.nlist // 8), each.nlist)
        found.append(each.search(units.numpy(), candidates, params=faiss.SearchParametersIVF(nprobe=looked))[1])
    rows = torch.from_numpy(np.concatenate(found, axis=1))
    homes = torch.tensor(wanted).repeat_interleave(candidates).expand_as(rows).where(rows >= 0, -1)
    best = rescored(store, units, min(k, total), homes, rows)
    return index.recalls.attached(
        best,
        units,
        (k, candidates, probes, wanted),
        lambda some: search(store, some, k, layers=wanted),
        sample,
        f"faiss IVF, {probes or 'an eighth of all'} lists looked into, found rows re-scored",
    )


def _every(store: RowStore, layer: int, step: int) -> np.ndarray:
    """Every so manieth row of each part, (rows, width) float32."""
    picked = []
    for part in store.parts(layer):
        scales = None if part.scales is None else part.scales[::step, None]
        rows = part.rows[::step].float()
        picked.append((rows if scales is None else rows * scales).numpy())
    return np.concatenate(picked)


def _faiss() -> Any:
    return imported("faiss", "faiss-cpu", "faiss")
