"""How far vectors have turned and moved, and what results of a prompt have in common."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from explore.prompt_states import PromptStates


def turned(states: np.ndarray, others: np.ndarray) -> NDArray[np.float64]:
    """1 - cos of every row with the row beside it, (rows,) float64; 0 exactly where both are the same."""
    left, right = states.astype(np.float64), others.astype(np.float64)
    norms = np.linalg.norm(left, axis=-1) * np.linalg.norm(right, axis=-1)
    found = 1 - (left * right).sum(axis=-1) / np.maximum(norms, np.finfo(np.float64).tiny)
    same: NDArray[np.float64] = np.where((left == right).all(axis=-1), 0.0, np.maximum(found, 0.0))
    return same


def moved(states: np.ndarray, others: np.ndarray) -> NDArray[np.float64]:
    """Distance of every row from the row beside it over that one's norm, (rows,) float64."""
    far = np.linalg.norm(states.astype(np.float64) - others, axis=-1)
    found: NDArray[np.float64] = far / np.maximum(np.linalg.norm(others.astype(np.float64), axis=-1), 1e-30)
    return found


def cosine(states: np.ndarray, vector: np.ndarray) -> NDArray[np.float64]:
    """cos of every row with one vector, (rows,) float64."""
    return 1 - turned(states, np.broadcast_to(vector, states.shape))


def random_positions(among: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray | None:
    """As many positions drawn without putting back, ascending, (count,); None where there are not so many."""
    return np.sort(rng.choice(among, count, replace=False)) if 0 < count <= len(among) else None


def of_prompt(whole: PromptStates, method: str, notes: Sequence[str] = (), **parameters: Any) -> dict[str, Any]:
    """The fields of `NamedArrays` that tell of a prompt: layout, texts, notes and fingerprint."""
    return {
        "layout": whole.tokens.layout,
        "texts": whole.tokens.texts,
        "notes": tuple(notes),
        "fingerprint": {**whole.fingerprint, "flow": {"method": method, **parameters}},
    }
