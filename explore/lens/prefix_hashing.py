"""A keyed hash of everything before and at every token: equal for equal beginnings, as good as random otherwise.

In a causal model the state of a token is decided by the ids up to it, so its hash names that state before any forward
pass, and its value, with the seed in the key, is a lottery ticket that no order or split of a corpus can change.
"""

from __future__ import annotations

import hashlib

import numpy as np

# The finaliser of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
_ROUNDS = ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB))
_LAST = np.uint64(31)


def prefix_hashes(ids: np.ndarray, starts: np.ndarray, key: str) -> np.ndarray:
    """Hash of the ids of a sentence up to each of its tokens.

    Parameters
    ----------
    ids
        Token ids of all sentences end to end, (tokens,).
    starts
        Where each sentence begins, and the end of the last, (sentences + 1,).
    key
        Another key gives unrelated hashes.

    Returns
    -------
    np.ndarray
        (tokens, 2) uint64: 128 bits, so that two beginnings among billions never meet by accident.
    """
    digest = np.frombuffer(hashlib.blake2b(key.encode(), digest_size=32).digest(), "<u8")
    state, factors = np.tile(digest[:2], (len(starts) - 1, 1)), digest[2:] | np.uint64(1)
    lengths = np.diff(starts)
    order = np.argsort(-lengths, kind="stable")
    begins, longer = starts[:-1][order], np.searchsorted(-lengths[order], -np.arange(lengths.max(initial=0)))
    found = np.empty((len(ids), 2), np.uint64)
    values = ids.astype(np.uint64) + np.uint64(1)
    for place, alive in enumerate(longer):  # one step for all sentences that are so long
        at = begins[:alive] + place
        state = _mixed(state[:alive] ^ (values[at, None] * factors))
        found[at] = state
    return found


def _mixed(values: np.ndarray) -> np.ndarray:
    for shift, factor in _ROUNDS:
        values = (values ^ (values >> np.uint64(shift))) * np.uint64(factor)
    return values ^ (values >> _LAST)
