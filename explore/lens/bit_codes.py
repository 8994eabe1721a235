"""One bit per number: packing signs into 64-bit words, and counting in how many two codes differ.

Codes lie word by word, all rows' first words first, so that counting runs along rows, at the full width of the
processor.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch

BITS = 64
_WORDS_AT_ONCE = 2**17  # one megabyte: with its differences it stays in a core's cache


def packed_signs(vectors: np.ndarray) -> np.ndarray:
    """Which numbers of some vectors (vectors, width) are positive, as bits: (words, vectors) uint64."""
    count, width = vectors.shape
    words = -(-width // BITS)
    found = np.zeros((count, words * 8), np.uint8)
    found[:, : -(-width // 8)] = np.packbits(vectors > 0, axis=1)
    return np.ascontiguousarray(found.view(np.uint64).T)


def differing_bits(queries: np.ndarray, codes: np.ndarray, threads: ThreadPoolExecutor) -> np.ndarray:
    """In how many bits every query differs from every code, (queries, codes) int16.

    Parameters
    ----------
    queries, codes
        (words, queries) and (words, codes) uint64.
    threads
        Who share the queries; numpy lets go of the interpreter while it counts.
    """
    words, count = codes.shape
    found = np.empty((queries.shape[1], count), np.int16)
    step = max(1, _WORDS_AT_ONCE // words)

    def work(share: np.ndarray) -> None:
        for first in range(0, count, step):
            _count(queries, share, codes[:, first : first + step], found[:, first : first + step])

    list(threads.map(work, np.array_split(np.arange(queries.shape[1]), torch.get_num_threads())))
    return found


def _count(queries: np.ndarray, share: np.ndarray, codes: np.ndarray, out: np.ndarray) -> None:
    different = np.empty_like(codes, order="C")
    counts = np.empty(codes.shape, np.uint8)
    half = len(codes) // 2
    pairs = np.empty((half, codes.shape[1]), np.uint8)
    for query in share:
        np.bitwise_xor(codes, queries[:, query, None], out=different)
        np.bitwise_count(different, out=counts)
        # Two counts fit a byte (2 × 64), and adding bytes is what costs least; only half remains to be added wider.
        np.add(counts[:half], counts[half : 2 * half], out=pairs)
        np.sum(pairs, axis=0, dtype=np.int16, out=out[query])
        if len(codes) % 2:
            out[query] += counts[-1]
