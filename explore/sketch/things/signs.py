"""Signs that carry a short word, a letter or a digit. The text is written by the scene, which knows it."""

from __future__ import annotations

from typing import Any

WORDS = (
    "STOP", "OPEN", "EXIT", "CAFE", "TAXI", "BUS", "ZOO", "SALE", "PARK", "FARM", "SHOP", "BANK",
    "SLOW", "HELP", "HOME", "FREE", "NEW", "HOT", "ICE", "TEA", "GO", "UP", "ART", "BIKE",
)  # fmt: skip
LETTERS = tuple("ABCDEFGHJKLMNPQRSTUVWXYZ")  # I and O read like 1 and 0
DIGITS = tuple("123456789")
TEXTS = WORDS + LETTERS + DIGITS
FACE = (-0.84, -0.78, 0.84, 0.26)
"""The white face the text is written on, in box units."""


def sign(pen: Any, vary: Any) -> None:
    post = vary(0.07, 0.11)
    pen.box(-post, 0.3, post, 1.0, "wood")
    pen.box(-1.0, -0.94, 1.0, 0.42)
    pen.box(*FACE, "white")


DRAWINGS = {"sign": sign}
