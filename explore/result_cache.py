"""Results worth keeping: looked up by what they were computed from, the longest unused dropped first."""

from __future__ import annotations

import hashlib
import json
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

from explore.errors import ParameterError

Key = str | Mapping[str, Any]


def fingerprint_key(fingerprint: Key) -> str:
    """The same short key for the same fingerprint, whatever the order of its fields.

    Parameters
    ----------
    fingerprint : str or mapping
        A mapping is written as canonical JSON and hashed (SHA-256, hexadecimal); a string is its own key.

    Raises
    ------
    ParameterError
        A value in the mapping is not plain data, so that two equal runs might not get equal keys.
    """
    if isinstance(fingerprint, str):
        return fingerprint
    try:
        text = json.dumps(fingerprint, sort_keys=True, separators=(",", ":"))
    except TypeError as error:
        raise ParameterError(
            f"The fingerprint {dict(fingerprint)!r} holds something that is not plain data: {error}.",
            "Strings, numbers, booleans, None, and lists and dictionaries of them are allowed",
            "Put a hash or a name in its place.",
        ) from error
    return hashlib.sha256(text.encode()).hexdigest()


def size_of(value: object) -> int:
    """Bytes a result takes: its ``nbytes`` where it has one, else of the arrays and strings inside it."""
    nbytes = getattr(value, "nbytes", None)
    if nbytes is not None:
        return int(nbytes)
    if isinstance(value, Mapping):
        return sum(size_of(key) + size_of(item) for key, item in value.items())
    if isinstance(value, (list, tuple, set, frozenset)):
        return sum(map(size_of, value))
    return len(value) if isinstance(value, (str, bytes, bytearray)) else 8


class ResultCache:
    """A mapping from fingerprints to results that never takes more than its budget; safe to use from any thread.

    Parameters
    ----------
    budget_bytes : int
        Bytes all results together may take. A result larger than that is not kept at all.
    size : callable
        Bytes of one result.

    Attributes
    ----------
    hits, misses : int
        How often a key was found and not found.
    """

    def __init__(self, budget_bytes: int, size: Callable[[object], int] = size_of) -> None:
        if budget_bytes < 0:
            raise ParameterError(f"A cache budget of {budget_bytes} bytes was given", "It must be 0 (off) or more")
        self.budget_bytes = budget_bytes
        self.hits = 0
        self.misses = 0
        self._size = size
        self._bytes = 0
        self._entries: OrderedDict[str, tuple[Any, int]] = OrderedDict()
        self._lock = threading.RLock()

    @property
    def bytes(self) -> int:
        """Bytes the kept results take."""
        return self._bytes

    def get(self, key: Key, default: Any = None) -> Any:
        """The result kept under a fingerprint, which thereby becomes the last to be dropped."""
        with self._lock:
            name = fingerprint_key(key)
            if name not in self._entries:
                self.misses += 1
                return default
            self.hits += 1
            self._entries.move_to_end(name)
            return self._entries[name][0]

    def __getitem__(self, key: Key) -> Any:
        missing = object()
        value = self.get(key, missing)
        if value is missing:
            raise KeyError(fingerprint_key(key))
        return value

    def __setitem__(self, key: Key, value: Any) -> None:
        name, size = fingerprint_key(key), self._size(value)
        with self._lock:
            self._drop(name)
            if size > self.budget_bytes:
                return
            self._entries[name] = (value, size)
            self._bytes += size
            while self._bytes > self.budget_bytes:
                self._drop(next(iter(self._entries)))

    def __delitem__(self, key: Key) -> None:
        name = fingerprint_key(key)
        with self._lock:
            if name not in self._entries:
                raise KeyError(name)
            self._drop(name)

    def __contains__(self, key: Key) -> bool:
        return fingerprint_key(key) in self._entries

    def __len__(self) -> int:
        return len(self._entries)

    def clear(self) -> int:
        """Drop everything; returns the bytes that were taken."""
        with self._lock:
            freed, self._bytes = self._bytes, 0
            self._entries.clear()
            return freed

    def _drop(self, name: str) -> None:
        entry = self._entries.pop(name, None)
        if entry is not None:
            self._bytes -= entry[1]
