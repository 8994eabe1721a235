"""Food. Each function draws one kind in the box from -1 to 1; ``vary`` gives it its own proportions."""

from __future__ import annotations

from typing import Any


def apple(pen: Any, vary: Any) -> None:
    side = vary(0.46, 0.54)
    pen.line([(0, -0.5), (0.1, -0.95)], 0.1, "wood")
    pen.oval(-0.3, 0.15, side, 0.68)
    pen.oval(0.3, 0.15, side, 0.68)
    pen.oval(0.35, -0.75, 0.3, 0.13, "leaf", -0.5)
    pen.oval(-0.42, -0.1, 0.12, 0.2, "light", 0.4)


def banana(pen: Any, vary: Any) -> None:
    bend = vary(0.1, 0.3)
    pen.poly([
        (-0.95, -0.45), (-0.8, -0.5), (-0.45, bend), (0.1, bend + 0.2), (0.65, bend - 0.05), (0.9, -0.25),
        (0.98, -0.15), (0.75, 0.4), (0.15, 0.75), (-0.5, 0.55), (-0.85, 0.05),
    ])  # fmt: skip
    pen.line([(-0.75, 0.05), (-0.35, 0.45), (0.15, 0.58), (0.65, 0.32)], 0.05, "dark")
    pen.oval(-0.88, -0.5, 0.11, fill="wood")
    pen.oval(0.94, -0.2, 0.07, fill="wood")


def pear(pen: Any, vary: Any) -> None:
    pen.line([(0, -0.6), (0.08, -0.98)], 0.09, "wood")
    pen.oval(0, -0.3, vary(0.28, 0.36), 0.46)
    pen.oval(0, 0.35, 0.62, 0.58)
    pen.oval(-0.26, 0.25, 0.12, 0.24, "light", 0.3)
    pen.oval(0.28, -0.78, 0.24, 0.1, "leaf", -0.4)


def carrot(pen: Any, vary: Any) -> None:
    for x in (-0.3, 0, 0.3):
        pen.line([(0, -0.4), (x, vary(-1.0, -0.88))], 0.14, "leaf")
    pen.poly([(-0.38, -0.35), (-0.2, -0.5), (0.2, -0.5), (0.38, -0.35), (0.06, 0.98), (-0.06, 0.98)])
    for y, x in ((-0.2, -0.3), (0.1, 0.05), (0.35, -0.15)):
        pen.line([(x, y), (x + 0.2, y + 0.02)], 0.05, "dark")


def cake(pen: Any, vary: Any) -> None:
    top = vary(-0.25, -0.1)
    pen.box(-0.95, 0.78, 0.95, 0.9, "metal")
    pen.box(-0.78, top, 0.78, 0.78, "cream")
    pen.box(-0.78, 0.28, 0.78, 0.44)
    pen.box(-0.82, top - 0.1, 0.82, top + 0.14)
    for x in (-0.6, -0.2, 0.2, 0.6):
        pen.oval(x, top + 0.16, 0.16)
    for x in (-0.4, 0, 0.4):
        pen.line([(x, top - 0.1), (x, top - 0.45)], 0.1, "white")
        pen.oval(x, top - 0.58, 0.08, 0.12, "flame")


def pizza(pen: Any, vary: Any) -> None:
    pen.poly([(-0.85, -0.55), (0.85, -0.55), (0, 0.98)], "flame")
    pen.poly([(-0.95, -0.5), (-0.8, -0.85), (0.8, -0.85), (0.95, -0.5)], "wood")
    for x, y in ((-0.38, -0.25), (0.32, -0.2), (0.0, 0.3)):
        pen.oval(x, y, vary(0.18, 0.22))
        pen.oval(x - 0.05, y - 0.05, 0.07, fill="dark")


def ice_cream(pen: Any, vary: Any) -> None:
    pen.poly([(-0.42, 0.0), (0.42, 0.0), (0, 1.0)], "wood")
    pen.line([(-0.2, 0.1), (0.15, 0.6)], 0.04, "cream")
    pen.line([(0.2, 0.1), (-0.15, 0.6)], 0.04, "cream")
    pen.oval(-0.25, -0.2, 0.34)
    pen.oval(0.25, -0.2, 0.34, fill="dark")
    pen.oval(0, -0.6, vary(0.32, 0.38), fill="light")


def cherry(pen: Any, vary: Any) -> None:
    pen.line([(-0.4, 0.45), (-0.1, -0.3), (0.15, -0.85)], 0.08, "leaf")
    pen.line([(0.48, 0.45), (0.35, -0.2), (0.15, -0.85)], 0.08, "leaf")
    pen.oval(0.5, -0.72, 0.38, 0.16, "leaf", 0.3)
    size = vary(0.38, 0.46)
    for x in (-0.45, 0.48):
        pen.oval(x, 0.5, size)
        pen.oval(x - 0.14, 0.38, 0.1, fill="light")


DRAWINGS = {
    "apple": apple,
    "banana": banana,
    "pear": pear,
    "carrot": carrot,
    "cake": cake,
    "pizza": pizza,
    "ice cream": ice_cream,
    "cherry": cherry,
}
