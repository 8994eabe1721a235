"""Toys and clothes. Each function draws one kind in the box from -1 to 1; ``vary`` gives it its own proportions."""

from __future__ import annotations

import math
from typing import Any


def star(pen: Any, vary: Any) -> None:
    inner = vary(0.36, 0.46)
    radii = [1.0 if i % 2 == 0 else inner for i in range(10)]
    points = [(r * math.sin(i * math.pi / 5), -r * math.cos(i * math.pi / 5)) for i, r in enumerate(radii)]
    pen.poly(points)
    pen.poly([(x * 0.5, y * 0.5) for x, y in points], "light")


def ball(pen: Any, vary: Any) -> None:
    pen.oval(0, 0, 0.95)
    tilt = vary(0, math.pi)
    pen.oval(0, 0, 0.32, 0.95, "white", tilt)
    pen.oval(-0.35, -0.42, 0.14, fill="light")


def kite(pen: Any, vary: Any) -> None:
    waist = vary(-0.4, -0.25)
    pen.line([(0, 0.35), (-0.15, 0.6), (0.12, 0.78), (-0.05, 1.0)], 0.05, "black")
    pen.poly([(0, -1.0), (0.65, waist), (0, 0.4), (-0.65, waist)])
    pen.poly([(0, -1.0), (0.65, waist), (0, waist)], "dark")
    pen.poly([(0, 0.4), (-0.65, waist), (0, waist)], "light")
    pen.poly([(-0.15, 0.6), (-0.35, 0.5), (-0.3, 0.72)])
    pen.poly([(0.12, 0.78), (0.34, 0.7), (0.3, 0.92)])


def hat(pen: Any, vary: Any) -> None:
    crown = vary(0.4, 0.52)
    pen.oval(0, 0.55, 0.98, 0.2, "dark")
    pen.poly([(-crown, 0.5), (-crown * 0.9, -0.65), (crown * 0.9, -0.65), (crown, 0.5)])
    pen.oval(0, -0.65, crown * 0.9, 0.14, "light")
    pen.box(-crown, 0.22, crown, 0.46, "black")


def robot(pen: Any, vary: Any) -> None:
    pen.line([(0, -0.75), (0, -0.95)], 0.06, "metal")
    pen.oval(0, -0.95, 0.08, fill="flame")
    pen.box(-0.36, -0.78, 0.36, -0.22)
    pen.box(-0.48, -0.14, 0.48, 0.52, "dark")
    for x in (-0.62, 0.62):
        pen.line([(x, -0.1), (x * 1.2, vary(0.2, 0.45))], 0.16)
    for x in (-0.24, 0.24):
        pen.box(x - 0.13, 0.52, x + 0.13, 0.95)
        pen.oval(x * 0.7, -0.55, 0.1, fill="white")
    pen.box(-0.2, -0.38, 0.2, -0.3, "black")
    pen.box(-0.25, 0.0, 0.25, 0.3, "light")


DRAWINGS = {"star": star, "ball": ball, "kite": kite, "hat": hat, "robot": robot}
