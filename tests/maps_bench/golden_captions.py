"""A caption scored by the published code of TAM (eval.py of xmed-lab/TAM 7c7df1d): what went in and what came out."""

from __future__ import annotations

import numpy as np

PIECES = (
    "A", " brown", " dog", " sits", " on", " the", " be", "nch", " next", " to", " a", " traffic", " light", ".",
)  # fmt: skip
CATEGORIES = {"traffic light": 10, "bench": 15, "dog": 18, "hot dog": 58}

OBJECTS = [0.3406344, 0.0070922]
FUNCTIONS = [0.6666667, 0.75, 0.5]
PRECISION = [0.5154286, 0.0076401]
RECALL = [0.5011111, 0.09]
THRESHOLD = 84.75
DOG = 0.1628318
"""What "dog" scores as a dog; the published code takes it for a hot dog, which is not in the picture."""


def maps() -> np.ndarray:
    """A map of 4 x 6 cells for each piece, uint8."""
    rng = np.random.default_rng(0)
    return np.stack([np.trunc(255 * rng.random((4, 6)) ** 3) for _ in PIECES]).astype(np.uint8)


def labels() -> np.ndarray:
    """Category of every pixel, (40, 60)."""
    picture = np.zeros((40, 60), int)
    picture[5:25, 10:40] = 18
    picture[25:40, :] = 15
    picture[0:10, 50:60] = 10
    return picture


def tag(word: str) -> str:
    """A tagger that knows the words of this caption."""
    if word in ("A", "the", "a"):
        return "function"
    return "noun" if word in ("dog", "bench", "traffic", "light", "table") else "other"


def match(word: str, part: str) -> bool:
    """Equal but for case and a final s."""
    one, two = (each.lower().removesuffix("s") for each in (word, part))
    return one == two
