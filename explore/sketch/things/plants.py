"""Plants. Each function draws one kind in the box from -1 to 1; ``vary`` gives it its own proportions."""

from __future__ import annotations

import math
from typing import Any


def tree(pen: Any, vary: Any) -> None:
    trunk = vary(0.12, 0.2)
    pen.box(-trunk, 0.1, trunk, 0.98, "wood")
    for x, y, radius in ((-0.42, -0.15, 0.42), (0.42, -0.15, 0.42), (0, -0.5, 0.48)):
        pen.oval(x, y, radius)
    pen.oval(-0.15, -0.55, 0.2, fill="light")
    pen.oval(0.35, -0.1, 0.2, fill="dark")


def flower(pen: Any, vary: Any) -> None:
    pen.line([(0, 0), (0, 0.98)], 0.1, "leaf")
    pen.oval(-0.25, 0.65, 0.26, 0.11, "leaf", 0.5)
    pen.oval(0.25, 0.75, 0.26, 0.11, "leaf", -0.5)
    petal = vary(0.22, 0.3)
    for i in range(6):
        angle = i * math.pi / 3
        pen.oval(0.36 * math.cos(angle), -0.38 + 0.36 * math.sin(angle), petal)
    pen.oval(0, -0.38, 0.2, fill="cream")
    pen.oval(0, -0.38, 0.1, fill="wood")


def cactus(pen: Any, vary: Any) -> None:
    left, right = vary(-0.35, -0.1), vary(-0.6, -0.3)
    pen.line([(-0.2, 0.25), (-0.62, 0.25), (-0.62, left)], 0.24)
    pen.line([(0.2, 0.05), (0.62, 0.05), (0.62, right)], 0.24)
    pen.line([(0, 0.55), (0, -0.78)], 0.42)
    for x in (-0.1, 0.1):
        pen.line([(x, 0.5), (x, -0.75)], 0.03, "light")
    pen.poly([(-0.42, 0.5), (0.42, 0.5), (0.3, 0.98), (-0.3, 0.98)], "wood")


def mushroom(pen: Any, vary: Any) -> None:
    stem = vary(0.2, 0.3)
    pen.poly([(-stem, 0.0), (stem, 0.0), (stem + 0.12, 0.95), (-stem - 0.12, 0.95)], "cream")
    pen.slice(0, 0.12, 0.95, vary(0.85, 1.05), 180, 360)
    pen.box(-0.95, 0.08, 0.95, 0.18, "dark")
    for x, y, radius in ((-0.5, -0.2, 0.14), (0.0, -0.5, 0.16), (0.48, -0.18, 0.13)):
        pen.oval(x, y, radius, fill="white")


def palm(pen: Any, vary: Any) -> None:
    bend = vary(-0.25, 0.05)
    pen.line([(bend, 0.98), (bend + 0.05, 0.4), (0.1, -0.35)], 0.18, "wood")
    for dx, dy in ((-0.95, 0.05), (-0.8, -0.5), (-0.2, -0.6), (0.5, -0.6), (0.85, -0.3), (0.8, 0.2)):
        pen.poly(
            [
                (0.1, -0.3),
                (0.1 + dx * 0.5 - 0.12, -0.55 + dy * 0.55),
                (0.1 + dx, -0.3 + dy),
                (0.1 + dx * 0.5, -0.28 + dy * 0.35),
            ]
        )
    pen.oval(0.02, -0.2, 0.11, fill="dark")
    pen.oval(0.2, -0.2, 0.11, fill="dark")


def leaf(pen: Any, vary: Any) -> None:
    width = vary(0.5, 0.65)
    pen.line([(0, 0.6), (0.08, 1.0)], 0.1, "wood")
    pen.poly([(0, -1.0), (width * 0.8, -0.45), (width, 0.1), (width * 0.5, 0.55), (0, 0.75)])
    pen.poly([(0, -1.0), (-width * 0.8, -0.45), (-width, 0.1), (-width * 0.5, 0.55), (0, 0.75)], "dark")
    pen.line([(0, -0.85), (0, 0.7)], 0.06, "light")
    for y in (-0.45, -0.1, 0.25):
        pen.line([(0, y + 0.15), (width * 0.6, y - 0.12)], 0.04, "light")
        pen.line([(0, y + 0.15), (-width * 0.6, y - 0.12)], 0.04, "light")


DRAWINGS = {"tree": tree, "flower": flower, "cactus": cactus, "mushroom": mushroom, "palm": palm, "leaf": leaf}
