"""In which order visual tokens are taken away or put back."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from explore.errors import ParameterError


def rank_tokens(relevance: ArrayLike, eligible: ArrayLike | None = None) -> NDArray[np.int64]:
    """Tokens from the most to the least relevant; of equals, the first in the sequence comes first.

    Parameters
    ----------
    relevance
        (visual,), finite at eligible tokens.
    eligible
        Tokens that take part, bool (visual,); None for all. Tokens that carry no content of their own (separators,
        known sinks, padding) should not: they would win the ranking, and the model breaks without them.

    Returns
    -------
    (eligible tokens,) places on the visual axis

    Raises
    ------
    ParameterError
        The shapes differ, a relevance is not finite, or no token is eligible.
    """
    values = np.asarray(relevance, np.float64)
    chosen = np.ones(values.shape, bool) if eligible is None else np.asarray(eligible)
    if values.ndim != 1 or chosen.shape != values.shape or chosen.dtype != np.bool_:
        raise ParameterError(
            f"Relevance has the shape {values.shape} and eligible is {chosen.dtype} of shape {chosen.shape}",
            "Relevance is (visual,) and eligible a bool of the same shape.",
        )
    if not chosen.any():
        raise ParameterError("No visual token is eligible", "At least one must be, or there is nothing to remove.")
    if not np.isfinite(values[chosen]).all():
        raise ParameterError("The relevance holds NaN or infinite values", "Only finite numbers have an order.")
    places = np.flatnonzero(chosen)
    return places[np.argsort(-values[places], kind="stable")]


def random_relevance(visual: int, draws: int = 1, seed: int = 0) -> NDArray[np.float64]:
    """The control: relevance that knows nothing, (draws, visual) in 0..1, the same again for the same seed."""
    return np.random.default_rng(seed).random((draws, visual))
