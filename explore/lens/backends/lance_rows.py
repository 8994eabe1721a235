"""Search by LanceDB: rows in a columnar table on disk, found through one-bit codes in lists, layers by a filter.

For banks that do not fit any memory, or that several processes share. What it finds is compared again with the store's
own rows. Source: LanceDB (`IvfRq`), `specs/latent-lens.md` §3.3.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
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

CANDIDATES = 200
PROBES = 32
_NOTES, _TABLE = "lance.json", "rows"
_ROWS = 2048
_QUERIES = 64
_FEWEST_INDEXED = 10_000  # below, comparing with every row is quicker than going through lists


@dataclass(frozen=True, eq=False)
class LanceRows:
    """A table with every row of a store.

    Parameters
    ----------
    table
        Columns layer, row and vector.
    fingerprint
        Of the store it was made of.
    """

    table: Any
    fingerprint: str
    recalls: Recalls = field(default_factory=Recalls)


def build_lance(
    store: RowStore, folder: str | os.PathLike[str], *, lists: int | None = None, progress: Report | None = None
) -> LanceRows:
    """Copy all rows of a store into a table in a folder of its own, and index them where there are many.

    Parameters
    ----------
    lists
        Lists of the index; None leaves the number to LanceDB.
    """
    lancedb, kinds = _lancedb(), imported("lancedb.index", "lancedb", "lance")
    width, total = store.width, sum(len(part) for layer in store.layers for part in store.parts(layer))
    vector = pa.list_(pa.float16(), width)
    schema = pa.schema([("layer", pa.int32()), ("row", pa.int64()), ("vector", vector)])
    with published(Path(folder)) as made:
        batches = pa.RecordBatchReader.from_batches(schema, _batches(store, schema, total, progress))
        table = lancedb.connect(str(made)).create_table(_TABLE, data=batches, schema=schema)
        if total >= _FEWEST_INDEXED:
            if progress is not None:
                progress(None, "lance: index")
            table.create_index("vector", config=kinds.IvfRq(distance_type="cosine", num_partitions=lists))
        (made / _NOTES).write_text(json.dumps({"fingerprint": store_fingerprint(store)}))
    return open_lance(folder)


def open_lance(folder: str | os.PathLike[str]) -> LanceRows:
    """Open what `build_lance` wrote.

    Raises
    ------
    ParameterError
        There is no such table.
    """
    lancedb, place = _lancedb(), Path(folder)
    try:
        noted = json.loads((place / _NOTES).read_text())
        return LanceRows(lancedb.connect(str(place)).open_table(_TABLE), noted["fingerprint"])
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise ParameterError(
            f"There is no whole LanceDB index in '{folder}': {error}", "", "Build it again."
        ) from error


def search_lance(
    index: LanceRows,
    store: RowStore,
    queries: Tensor | np.ndarray,
    k: int = 5,
    *,
    layers: Iterable[int] | None = None,
    candidates: int = CANDIDATES,
    probes: int = PROBES,
    sample: int = SAMPLE,
    progress: Report | None = None,
) -> Neighbours:
    """The `k` most similar rows of every query, as far as LanceDB finds them; the recall is measured.

    Parameters
    ----------
    candidates
        Rows per query that are asked of LanceDB.
    probes
        Lists per query to look into.
    sample
        Queries to measure recall on, as in `explore.lens.sign_search.search_codes`.

    Raises
    ------
    ParameterError
        As in exact search; fewer candidates than `k`.
    """
    if candidates < require_k(k):
        raise ParameterError(f"candidates={candidates} was given with k={k}", "There are at least k candidates.")
    units = unit_vectors(queries, store.width, what="query")
    wanted = wanted_layers(store, layers)
    total = sum(len(part) for layer in wanted for part in store.parts(layer))
    where = None if wanted == store.layers else f"layer IN ({', '.join(map(str, wanted))})"
    homes = torch.full((len(units), candidates), -1)
    rows = homes.clone()
    for first in range(0, len(units), _QUERIES):
        if progress is not None:
            progress(first / len(units), "lance")
        found = _found(index.table, units[first : first + _QUERIES], candidates, probes, where)
        for number, (layer, row) in enumerate(found, first):
            homes[number, : len(layer)], rows[number, : len(row)] = layer, row
    best = rescored(store, units, min(k, total), homes, rows)
    return index.recalls.attached(
        best,
        units,
        (k, candidates, probes, wanted),
        lambda some: search(store, some, k, layers=wanted),
        sample,
        f"LanceDB, {probes} lists looked into, the best {candidates} re-scored",
    )


def _found(
    table: Any, units: Tensor, candidates: int, probes: int, where: str | None
) -> Iterator[tuple[Tensor, Tensor]]:
    """Layers and rows found for each of some queries."""
    for unit in units.numpy():
        query = table.search(unit, vector_column_name="vector").distance_type("cosine").nprobes(probes)
        # Vectors in lists are one bit per number: ask for more by those and let it sort by the true ones.
        query = query.refine_factor(2).limit(candidates).select(["layer", "row", "_distance"])
        made = (query if where is None else query.where(where, prefilter=True)).to_arrow()
        layers, rows = (torch.from_numpy(made[name].to_numpy().astype(np.int64)) for name in ("layer", "row"))
        yield layers, rows


def _batches(store: RowStore, schema: pa.Schema, total: int, progress: Report | None) -> Iterator[pa.RecordBatch]:
    done = 0
    for layer in store.layers:
        for part in store.parts(layer):
            for first in range(0, len(part), _ROWS):
                rows = part.floats(first, min(first + _ROWS, len(part))).half().numpy()
                numbers = part.start + first + np.arange(len(rows), dtype=np.int64)
                vectors = pa.FixedSizeListArray.from_arrays(pa.array(rows.reshape(-1)), store.width)
                yield pa.record_batch([np.full(len(rows), layer, np.int32), numbers, vectors], schema=schema)
                done += len(rows)
                if progress is not None:
                    progress(done / total, f"lance: layer {layer}")


def _lancedb() -> Any:
    return imported("lancedb", "lancedb", "lance")
