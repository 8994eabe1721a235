"""Estimated causal inference: what earlier tokens already lit up, and how much of it a later token repeats."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

# Keeps the weights defined when no earlier token responds; it cancels out of the map, because the scale undoes it.
_NO_CONTEXT = 1e-8


def context_mask(pieces: Sequence[str], words: Sequence[int] | None = None) -> NDArray[np.bool_]:
    """Which earlier entries are the context of each entry.

    An earlier entry counts unless it is the same piece of text: exact comparison, upper and lower case and leading
    space included, as the method defines it. Token ids are not compared.

    Parameters
    ----------
    pieces
        The text piece of every entry, (entries,).
    words
        The word each entry belongs to, (entries,), -1 for none. Given, earlier pieces of an entry's own word do not
        count either.

    Returns
    -------
    (entries, context entries) bool
    """
    first: dict[str, int] = {}
    codes = np.array([first.setdefault(piece, len(first)) for piece in pieces], np.int64)
    counted = np.tril(codes[:, None] != codes[None, :], k=-1)
    if words is not None:
        word = np.asarray(words)
        counted &= (word[:, None] != word[None, :]) | (word[:, None] < 0)
    return counted


def interference_maps(
    visual: NDArray[np.float32], text: NDArray[np.float32], mask: NDArray[np.bool_]
) -> NDArray[np.float64]:
    r"""The weighted mean of the context's raw maps, :math:`I_j = \sum_i w_{ji} A_i`, for all entries in one product.

    The weights :math:`w_{ji} = R_{ji} / (\sum_k R_{jk} + 10^{-8})` say how strongly each context entry's position
    already responds to the class of entry j. Earlier maps enter raw, never cleaned.

    Source: TAM, arXiv 2506.23270, Eq. 2.

    Parameters
    ----------
    visual
        A, raw activation of each entry's class over the visual tokens, (entries, visual), not negative.
    text
        R, raw activation of each entry's class at every entry's position, (entries, context entries), not negative.
    mask
        Context of each entry, (entries, context entries).

    Returns
    -------
    (entries, visual) float64; zero where nothing in the context responds.
    """
    weights = np.where(mask, text, 0).astype(np.float64)
    weights /= weights.sum(axis=1, keepdims=True) + _NO_CONTEXT
    return weights @ visual.astype(np.float64)


def least_squares_scale(visual: NDArray[np.float32], interference: NDArray[np.float64]) -> NDArray[np.float64]:
    r"""How much of the interference a map contains: :math:`s = ⟨A, I⟩ / ⟨I, I⟩` per entry.

    It minimises :math:`\sum_v (A_v - s I_v)^2`; where the reference searches, this is the exact minimum. Without
    interference the scale is 0.

    Source: TAM, arXiv 2506.23270, Eq. 4-5.

    Parameters
    ----------
    visual, interference
        A and I, (entries, visual).

    Returns
    -------
    (entries,) float64, not negative
    """
    # Peaks are divided out first, so that squares of very small or very large activations stay in range.
    peak = np.abs(interference).max(axis=1, initial=0)
    unit = interference / np.where(peak > 0, peak, 1)[:, None]
    overlap = np.einsum("ev,ev->e", visual.astype(np.float64), unit)
    energy = np.einsum("ev,ev->e", unit, unit) * peak
    return np.divide(overlap, energy, out=np.zeros_like(overlap), where=energy > 0)
