"""One front door to all ways of searching a bank.

>>> search_bank(bank, states, k=5)                       # every row compared
>>> search_bank(bank, states, k=5, backend="signs")      # one-bit codes in memory, candidates from disk
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from inspect import signature
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from torch import Tensor

from explore.errors import ParameterError
from explore.lens.backends import faiss_rows, lance_rows
from explore.lens.neighbours import Neighbours
from explore.lens.row_search import search
from explore.lens.row_store import RowStore
from explore.lens.sign_codes import build_codes, open_codes
from explore.lens.sign_search import search_codes
from explore.lens.store_fingerprints import require_same, store_fingerprint
from explore.runs import Report

Vectors = Tensor | np.ndarray

_OPENED: WeakKeyDictionary[RowStore, dict[str, Any]] = WeakKeyDictionary()
"""Indexes of stores that are in use: a click must not read one again, nor measure its recall again."""


def search_bank(
    bank: RowStore,
    queries: Vectors,
    k: int = 5,
    *,
    backend: str = "exact",
    layers: Iterable[int] | None = None,
    centred: bool = False,
    progress: Report | None = None,
    **options: Any,
) -> Neighbours:
    """The `k` most similar rows of every query.

    Parameters
    ----------
    bank
        A bank, or any store of rows.
    queries
        (queries, width), any number type and any length but zero.
    backend
        "exact" compares every row. "signs", "faiss" and "lance" use an index, which is built when first needed and kept
        in the bank's folder; their results are approximate and carry their measured recall.
    layers
        Search only these layers of the bank; None means all.
    centred
        Compare as seen from the mean of every layer; "exact" and "signs" only.
    options
        What the backend takes besides: see `explore.lens.row_search.search`, `explore.lens.sign_search.search_codes`,
        `explore.lens.backends.faiss_rows.search_faiss` and `explore.lens.backends.lance_rows.search_lance`. `index`
        hands over an index made elsewhere.

    Raises
    ------
    ParameterError
        An unknown backend or option, or what the backend refuses.
    """
    if backend not in BACKENDS:
        raise ParameterError(f"backend={backend!r} was given", f"Allowed are {', '.join(map(repr, BACKENDS))}.")
    wanted = {"layers": layers, "progress": progress, **options}
    if centred or backend in ("exact", "signs"):
        wanted["centred"] = centred
    return BACKENDS[backend](bank, queries, k, **wanted)


def _exact(bank: RowStore, queries: Vectors, k: int, *, centred: bool, **options: Any) -> Neighbours:
    means = options.pop("means", getattr(bank, "means", None)) if centred else None
    return _call("exact", search, bank, queries, k, centred=centred, means=means, **options)


def _signs(bank: RowStore, queries: Vectors, k: int, *, index: Any = None, **options: Any) -> Neighbours:
    def build(target: Path | None) -> Any:
        made = build_codes(bank, means=getattr(bank, "means", None), progress=options.get("progress"))
        if target is not None:
            made.save(target)
        return made

    codes = _index(bank, index, "signs", "signs.safetensors", open_codes, build)
    return _call("signs", search_codes, codes, bank, queries, k, **options)


def _faiss(bank: RowStore, queries: Vectors, k: int, *, index: Any = None, **options: Any) -> Neighbours:
    def build(target: Path | None) -> Any:
        made = faiss_rows.build_faiss(bank, progress=options.get("progress"))
        if target is None:
            return made
        made.save(target)
        return faiss_rows.open_faiss(target)

    found = _index(bank, index, "faiss", "faiss", faiss_rows.open_faiss, build)
    return _call("faiss", faiss_rows.search_faiss, found, bank, queries, k, **options)


def _lance(bank: RowStore, queries: Vectors, k: int, *, index: Any = None, **options: Any) -> Neighbours:
    def build(target: Path | None) -> Any:
        if target is None:
            raise ParameterError(
                "backend='lance' was given with rows in memory",
                "LanceDB keeps its index in a folder.",
                "Hand one over: index=explore.lens.backends.lance_rows.build_lance(rows, folder).",
            )
        return lance_rows.build_lance(bank, target, progress=options.get("progress"))

    found = _index(bank, index, "lance", "lance", lance_rows.open_lance, build)
    return _call("lance", lance_rows.search_lance, found, bank, queries, k, **options)


BACKENDS: dict[str, Callable[..., Neighbours]] = {"exact": _exact, "signs": _signs, "faiss": _faiss, "lance": _lance}
"""Name of a way to search -> what does it."""


def _index(
    bank: RowStore,
    given: Any,
    backend: str,
    name: str,
    open_index: Callable[[Path], Any],
    build: Callable[[Path | None], Any],
) -> Any:
    """The index to use: the one given or in use, the one in the bank's folder if it is of these rows, or a new one."""
    opened = _OPENED.setdefault(bank, {})
    if given is not None and opened.get(backend) is not given:
        require_same(given.fingerprint, bank, "codes" if backend == "signs" else "rows of the index")
        opened[backend] = given
    if backend not in opened:
        folder = getattr(bank, "folder", None)
        target = None if folder is None else Path(folder) / name
        opened[backend] = _stored(bank, target, open_index) or build(target)
    return opened[backend]


def _stored(bank: RowStore, target: Path | None, open_index: Callable[[Path], Any]) -> Any:
    """The index in the bank's folder; None where there is none, or none of use: it is made again then."""
    if target is None or not target.exists():
        return None
    try:
        found = open_index(target)
    except ParameterError:
        return None
    return found if found.fingerprint == store_fingerprint(bank) else None


def _call(backend: str, function: Callable[..., Neighbours], *arguments: Any, **options: Any) -> Neighbours:
    allowed = [name for name, each in signature(function).parameters.items() if each.kind is each.KEYWORD_ONLY]
    unknown = sorted(set(options) - set(allowed))
    if unknown:
        raise ParameterError(
            f"{unknown[0]}={options[unknown[0]]!r} was given with backend={backend!r}",
            f"This backend takes {', '.join(allowed)}.",
        )
    return function(*arguments, **options)
