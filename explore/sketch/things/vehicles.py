"""Vehicles. Each function draws one kind in the box from -1 to 1; ``vary`` gives it its own proportions."""

from __future__ import annotations

from typing import Any


def _wheel(pen: Any, x: float, y: float, radius: float) -> None:
    pen.oval(x, y, radius, fill="black")
    pen.oval(x, y, radius * 0.5, fill="metal")


def car(pen: Any, vary: Any) -> None:
    roof = vary(-0.62, -0.42)
    pen.poly([(-0.55, 0.0), (-0.35, roof), (0.3, roof), (0.6, 0.0)], "main")
    pen.poly([(-0.42, -0.02), (-0.28, roof + 0.12), (-0.04, roof + 0.12), (-0.04, -0.02)], "glass")
    pen.poly([(0.06, -0.02), (0.06, roof + 0.12), (0.24, roof + 0.12), (0.45, -0.02)], "glass")
    pen.box(-0.98, 0.0, 0.98, 0.42)
    pen.box(-0.98, 0.3, 0.98, 0.42, "dark")
    pen.oval(0.9, 0.12, 0.08, fill="flame")
    for x in (-0.55, 0.55):
        _wheel(pen, x, 0.45, vary(0.22, 0.28))


def bus(pen: Any, vary: Any) -> None:
    top = vary(-0.72, -0.55)
    pen.box(-0.98, top, 0.98, 0.55)
    pen.box(-0.98, 0.3, 0.98, 0.55, "dark")
    for x in (-0.85, -0.42, 0.01, 0.44):
        pen.box(x, top + 0.18, x + 0.34, 0.05, "glass")
    for x in (-0.58, 0.58):
        _wheel(pen, x, 0.58, 0.22)


def truck(pen: Any, vary: Any) -> None:
    split = vary(0.2, 0.38)
    pen.box(-0.98, -0.7, split, 0.4)
    for x in (-0.7, -0.4, -0.1):
        pen.box(x, -0.6, x + 0.06, 0.3, "dark")
    pen.poly([(split + 0.06, 0.4), (split + 0.06, -0.35), (0.75, -0.35), (0.98, 0.05), (0.98, 0.4)], "light")
    pen.poly([(split + 0.14, 0.0), (split + 0.14, -0.25), (0.7, -0.25), (0.85, 0.0)], "glass")
    pen.box(-0.98, 0.38, 0.98, 0.5, "black")
    for x in (-0.65, -0.2, 0.68):
        _wheel(pen, x, 0.55, 0.21)


def bicycle(pen: Any, vary: Any) -> None:
    wheel = vary(0.36, 0.42)
    for x in (-0.55, 0.55):
        pen.ring(x, 0.4, wheel, 0.09, "black")
    pen.line([(-0.55, 0.4), (-0.2, -0.25), (0.4, -0.25), (0.05, 0.4), (-0.55, 0.4)], 0.12)
    pen.line([(-0.27, -0.4), (0.05, 0.4)], 0.12)
    pen.line([(0.55, 0.4), (0.35, -0.55), (0.6, -0.62)], 0.12)
    pen.line([(-0.45, -0.44), (-0.1, -0.44)], 0.14, "black")


def boat(pen: Any, vary: Any) -> None:
    mast = vary(-1.0, -0.85)
    pen.line([(0.0, 0.4), (0.0, mast)], 0.08, "wood")
    pen.poly([(0.08, mast + 0.05), (0.08, 0.25), (0.78, 0.25)], "white")
    pen.poly([(-0.08, mast + 0.25), (-0.08, 0.25), (-0.6, 0.25)], "light")
    pen.poly([(-0.98, 0.38), (0.98, 0.38), (0.65, 0.9), (-0.65, 0.9)])
    pen.poly([(-0.98, 0.38), (0.98, 0.38), (0.9, 0.52), (-0.9, 0.52)], "dark")


def airplane(pen: Any, vary: Any) -> None:
    pen.poly([(-0.75, -0.05), (-0.98, -0.62), (-0.72, -0.62), (-0.4, -0.05)], "dark")
    pen.oval(0, 0.02, 0.96, vary(0.2, 0.27))
    pen.poly([(0.2, 0.02), (-0.35, 0.78), (-0.08, 0.78), (0.5, 0.08)], "dark")
    pen.poly([(0.2, -0.12), (-0.2, -0.6), (0.0, -0.6), (0.45, -0.12)], "dark")
    for x in (-0.35, -0.1, 0.15, 0.4):
        pen.oval(x, -0.06, 0.07, fill="glass")
    pen.slice(0.72, -0.02, 0.2, 0.16, -100, 30, "glass")


def train(pen: Any, vary: Any) -> None:
    chimney = vary(-0.8, -0.6)
    pen.box(0.35, chimney, 0.6, -0.2, "dark")
    pen.box(0.28, chimney - 0.08, 0.67, chimney + 0.08, "black")
    pen.box(-0.2, -0.25, 0.85, 0.35)
    pen.oval(0.85, 0.05, 0.13, 0.3, "light")
    pen.box(-0.92, -0.75, -0.15, 0.35)
    pen.box(-0.98, -0.86, -0.08, -0.7, "dark")
    pen.box(-0.75, -0.55, -0.32, -0.12, "glass")
    pen.poly([(0.75, 0.35), (1.0, 0.68), (0.6, 0.68)], "metal")
    for x, radius in ((-0.62, 0.28), (-0.05, 0.2), (0.42, 0.2)):
        _wheel(pen, x, 0.9 - radius, radius)


def rocket(pen: Any, vary: Any) -> None:
    pen.poly([(-0.2, 0.6), (0, vary(0.9, 1.0)), (0.2, 0.6)], "flame")
    for side in (-1, 1):
        pen.poly([(side * 0.25, 0.1), (side * 0.65, 0.72), (side * 0.25, 0.6)], "dark")
    pen.poly([(-0.32, 0.6), (-0.36, -0.2), (0, -1.0), (0.36, -0.2), (0.32, 0.6)])
    pen.poly([(-0.25, -0.45), (0, -1.0), (0.25, -0.45)], "dark")
    pen.oval(0, -0.12, 0.18, fill="white")
    pen.oval(0, -0.12, 0.12, fill="glass")


def balloon(pen: Any, vary: Any) -> None:
    width = vary(0.58, 0.72)
    for side in (-1, 1):
        pen.line([(side * width * 0.7, 0.05), (side * 0.17, 0.68)], 0.05, "black")
    pen.oval(0, -0.32, width, 0.66)
    pen.oval(0, -0.32, width * 0.62, 0.66, "light")
    pen.oval(0, -0.32, width * 0.26, 0.66)
    pen.box(-0.2, 0.65, 0.2, 0.98, "wood")


DRAWINGS = {
    "car": car,
    "bus": bus,
    "truck": truck,
    "bicycle": bicycle,
    "boat": boat,
    "airplane": airplane,
    "train": train,
    "rocket": rocket,
    "balloon": balloon,
}
