"""Whether an index still belongs to its rows."""

from __future__ import annotations

import hashlib

import torch

from explore.errors import ParameterError
from explore.lens.row_store import RowStore

_SAMPLED = 16


def store_fingerprint(store: RowStore) -> str:
    """A digest of the numbers of rows and of some rows of every layer; reads a few rows only."""
    digest = hashlib.sha256(f"{store.width}".encode())
    for layer in store.layers:
        parts = [part for part in store.parts(layer) if len(part)]
        digest.update(f"{layer}: {sum(map(len, parts))}".encode())
        for part in parts[:: max(1, len(parts) // _SAMPLED)]:
            places = torch.linspace(0, len(part) - 1, _SAMPLED).long().unique()
            for place in places.tolist():
                digest.update(part.floats(place, place + 1).numpy().tobytes())
    return digest.hexdigest()


def require_same(kept: str, store: RowStore, what: str) -> None:
    """Refuse an index of other rows.

    Raises
    ------
    ParameterError
        `kept` is not the fingerprint of `store`.
    """
    if kept != store_fingerprint(store):
        raise ParameterError(
            f"The {what} were made of other rows than these",
            "An index finds rows only of the store it was built from.",
            "Build it again.",
        )
