"""Household things. Each function draws one kind in the box from -1 to 1; ``vary`` gives it its own proportions."""

from __future__ import annotations

import math
from typing import Any


def chair(pen: Any, vary: Any) -> None:
    for x in (-0.5, 0.5):
        pen.line([(x, 0.15), (x, 0.92)], 0.14, "dark")
    pen.box(-0.62, -0.95, -0.4, 0.2)
    pen.box(-0.62, -0.95, -0.25, vary(-0.35, -0.1), "light")
    pen.box(-0.62, 0.05, 0.62, 0.27)


def table(pen: Any, vary: Any) -> None:
    top = vary(-0.4, -0.2)
    for x in (-0.72, 0.72):
        pen.box(x - 0.09, top, x + 0.09, 0.8, "dark")
    pen.box(-0.98, top - 0.14, 0.98, top + 0.1)
    pen.box(-0.66, top + 0.1, 0.66, top + 0.26, "light")


def lamp(pen: Any, vary: Any) -> None:
    pen.line([(0, 0), (0, 0.85)], 0.1, "metal")
    pen.oval(0, 0.88, 0.42, 0.1, "dark")
    pen.oval(0, 0.0, 0.16, fill="flame")
    top = vary(0.25, 0.4)
    pen.poly([(-top, -0.9), (top, -0.9), (0.75, 0.0), (-0.75, 0.0)])
    pen.poly([(-0.7, -0.1), (0.7, -0.1), (0.75, 0.02), (-0.75, 0.02)], "light")


def cup(pen: Any, vary: Any) -> None:
    pen.ring(0.6, 0.05, 0.28, 0.13, "dark")
    bottom = vary(0.4, 0.52)
    pen.poly([(-0.68, -0.55), (0.6, -0.55), (bottom, 0.75), (-bottom - 0.08, 0.75)])
    pen.oval(-0.04, -0.55, 0.64, 0.17, "light")
    pen.oval(-0.04, -0.53, 0.52, 0.11, "wood")


def clock(pen: Any, vary: Any) -> None:
    pen.oval(0, 0, 0.95)
    pen.oval(0, 0, 0.74, fill="white")
    for i in range(12):
        angle = i * math.pi / 6
        pen.oval(0.62 * math.cos(angle), 0.62 * math.sin(angle), 0.05, fill="black")
    hour = vary(0, 2 * math.pi)
    pen.line([(0, 0), (0.34 * math.cos(hour), 0.34 * math.sin(hour))], 0.11, "black")
    minute = vary(0, 2 * math.pi)
    pen.line([(0, 0), (0.55 * math.cos(minute), 0.55 * math.sin(minute))], 0.07, "black")


def umbrella(pen: Any, vary: Any) -> None:
    pen.line([(0, -0.1), (0, 0.8), (0.14, 0.94), (0.3, 0.82)], 0.09, "wood")
    pen.slice(0, 0.05, 0.98, vary(0.85, 1.0), 180, 360)
    pen.slice(0, 0.05, 0.4, 0.92, 180, 360, "light")
    for x in (-0.68, 0.0, 0.68):
        pen.oval(x, 0.06, 0.28, 0.1, "dark")


def key(pen: Any, vary: Any) -> None:
    pen.ring(-0.58, 0, vary(0.26, 0.32), 0.17)
    pen.line([(-0.25, 0), (0.92, 0)], 0.17)
    pen.box(0.5, 0.0, 0.64, vary(0.3, 0.42))
    pen.box(0.78, 0.0, 0.95, 0.32)


def book(pen: Any, vary: Any) -> None:
    dip = vary(0.1, 0.2)
    pen.poly([(-0.98, -0.5), (0, -0.5 + dip), (0.98, -0.5), (0.98, 0.6), (0, 0.6 + dip), (-0.98, 0.6)])
    pen.poly([(-0.74, -0.36), (-0.06, -0.32 + dip), (-0.06, 0.4 + dip), (-0.74, 0.36)], "white")
    pen.poly([(0.74, -0.36), (0.06, -0.32 + dip), (0.06, 0.4 + dip), (0.74, 0.36)], "cream")
    for y in (-0.16, 0.04, 0.22):
        pen.line([(-0.62, y), (-0.18, y + dip * 0.8)], 0.05, "metal")
        pen.line([(0.62, y), (0.18, y + dip * 0.8)], 0.05, "metal")


def bottle(pen: Any, vary: Any) -> None:
    width = vary(0.3, 0.4)
    pen.box(-0.14, -0.98, 0.14, -0.82, "wood")
    pen.box(-0.12, -0.84, 0.12, -0.4)
    pen.poly([(-0.12, -0.5), (0.12, -0.5), (width, -0.1), (width, 0.95), (-width, 0.95), (-width, -0.1)])
    pen.box(-width, 0.15, width, 0.62, "white")
    pen.line([(-width * 0.6, 0.32), (width * 0.6, 0.32)], 0.06, "dark")
    pen.line([(-width * 0.6, 0.46), (width * 0.6, 0.46)], 0.06, "dark")


DRAWINGS = {
    "chair": chair,
    "table": table,
    "lamp": lamp,
    "cup": cup,
    "clock": clock,
    "umbrella": umbrella,
    "key": key,
    "book": book,
    "bottle": bottle,
}
