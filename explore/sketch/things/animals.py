"""Animals. Each function draws one kind in the box from -1 to 1; ``vary`` gives it its own proportions."""

from __future__ import annotations

from typing import Any


def dog(pen: Any, vary: Any) -> None:
    leg = vary(0.06, 0.14)
    for x in (-0.5, -0.25, 0.3, 0.52):
        pen.box(x - leg, 0.2, x + leg, 0.95, "dark")
    pen.oval(0, 0.2, 0.68, vary(0.26, 0.36))
    pen.line([(-0.62, 0.1), (-0.85, -0.1), (-0.92, -0.4)], 0.14)
    pen.oval(0.62, -0.35, 0.34, 0.32)
    pen.oval(0.85, -0.24, 0.2, 0.14, "light")
    pen.oval(0.42, -0.3, 0.12, vary(0.26, 0.38), "dark")
    pen.oval(0.68, -0.45, 0.06, fill="black")
    pen.oval(0.98, -0.27, 0.06, fill="black")


def cat(pen: Any, vary: Any) -> None:
    pen.line([(0.45, 0.75), (0.85, 0.6), (0.9, vary(-0.1, 0.2))], 0.13, "dark")
    pen.oval(0, 0.52, 0.5, 0.46)
    ear = vary(-1.0, -0.85)
    pen.poly([(-0.52, -0.35), (-0.5, ear), (-0.1, -0.6)], "dark")
    pen.poly([(0.52, -0.35), (0.5, ear), (0.1, -0.6)], "dark")
    pen.oval(0, -0.25, 0.55, 0.46)
    for x in (-0.22, 0.22):
        pen.oval(x, -0.32, 0.12, 0.14, "white")
        pen.oval(x, -0.32, 0.05, 0.12, "black")
        pen.line([(x * 1.2, -0.06), (x * 3.6, -0.12)], 0.03, "black")
        pen.line([(x * 1.2, -0.02), (x * 3.6, 0.08)], 0.03, "black")
    pen.poly([(-0.07, -0.13), (0.07, -0.13), (0, -0.04)], "black")
    pen.oval(-0.22, 0.92, 0.16, 0.09, "light")
    pen.oval(0.22, 0.92, 0.16, 0.09, "light")


def bird(pen: Any, vary: Any) -> None:
    pen.line([(-0.05, 0.5), (-0.05, 0.95)], 0.06, "flame")
    pen.line([(0.15, 0.5), (0.15, 0.95)], 0.06, "flame")
    pen.poly([(-0.5, 0.1), (-1.0, -0.1), (-0.9, 0.35)], "dark")
    pen.oval(0, 0.15, 0.62, 0.46)
    pen.oval(0.48, -0.42, 0.34)
    pen.poly([(0.76, -0.52), (1.0, -0.36), (0.76, -0.28)], "flame")
    pen.oval(-0.15, 0.12, 0.4, vary(0.18, 0.28), "dark", 0.4)
    pen.oval(0.56, -0.5, 0.07, fill="black")


def fish(pen: Any, vary: Any) -> None:
    fin = vary(0.35, 0.6)
    pen.poly([(-0.45, 0), (-1.0, -fin), (-0.85, 0), (-1.0, fin)], "dark")
    pen.poly([(-0.2, -0.35), (0.1, -0.75), (0.35, -0.35)], "dark")
    pen.oval(0.2, 0, 0.78, vary(0.4, 0.52))
    for x in (-0.15, 0.12):
        pen.slice(x, 0, 0.14, 0.34, -90, 90, "light")
    pen.oval(0.62, -0.12, 0.12, fill="white")
    pen.oval(0.65, -0.12, 0.06, fill="black")


def rabbit(pen: Any, vary: Any) -> None:
    ear = vary(0.36, 0.46)
    for x in (-0.2, 0.2):
        pen.oval(x, -0.6, 0.15, ear)
        pen.oval(x, -0.6, 0.07, ear * 0.7, "light")
    pen.oval(0, 0.55, 0.46, 0.44)
    pen.oval(0, -0.05, 0.4, 0.36)
    pen.oval(0, 0.62, 0.24, 0.28, "light")
    for x in (-0.15, 0.15):
        pen.oval(x, -0.1, 0.06, 0.08, "black")
        pen.oval(x * 2, 0.95, 0.2, 0.08, "dark")
    pen.oval(0, 0.08, 0.06, 0.05, "white")


def turtle(pen: Any, vary: Any) -> None:
    for x in (-0.5, 0.4):
        pen.oval(x, 0.5, 0.18, 0.26, "leaf")
    pen.oval(0.78, 0.05, 0.22, 0.2, "leaf")
    pen.poly([(-0.6, 0.3), (-0.98, 0.45), (-0.6, 0.5)], "leaf")
    pen.slice(0, 0.42, 0.76, vary(0.75, 1.0), 180, 360)
    pen.box(-0.76, 0.34, 0.76, 0.5, "dark")
    for x in (-0.38, 0, 0.38):
        pen.oval(x, 0.02 + abs(x) * 0.3, 0.14, 0.16, "dark")
    pen.oval(0.85, 0, 0.05, fill="black")


def butterfly(pen: Any, vary: Any) -> None:
    low = vary(0.26, 0.38)
    for side in (-1, 1):
        pen.oval(side * 0.52, -0.35, 0.46, 0.5, "main", side * 0.4)
        pen.oval(side * 0.42, 0.5, low, 0.4, "dark", -side * 0.3)
        pen.oval(side * 0.56, -0.38, 0.18, fill="light")
        pen.line([(0, -0.6), (side * 0.25, -0.98)], 0.05, "black")
    pen.oval(0, 0, 0.11, 0.72, "black")


def snail(pen: Any, vary: Any) -> None:
    pen.poly([(-0.95, 0.85), (0.5, 0.85), (0.95, 0.3), (0.75, 0.0), (0.55, 0.1), (0.35, 0.55), (-0.6, 0.6)], "cream")
    pen.line([(0.75, 0.1), (0.7, -0.35)], 0.06, "cream")
    pen.line([(0.85, 0.1), (0.95, -0.3)], 0.06, "cream")
    size = vary(0.55, 0.68)
    pen.oval(-0.15, 0.05, size)
    pen.oval(-0.12, 0.08, size * 0.72, fill="dark")
    pen.oval(-0.15, 0.06, size * 0.5)
    pen.oval(-0.12, 0.08, size * 0.24, fill="dark")


def elephant(pen: Any, vary: Any) -> None:
    for x in (-0.6, -0.3, 0.1, 0.35):
        pen.box(x - 0.12, 0.2, x + 0.12, 0.92, "dark")
    pen.oval(-0.15, 0.0, 0.66, vary(0.46, 0.56))
    pen.oval(0.5, -0.2, 0.36, 0.38)
    pen.line([(0.75, -0.1), (0.9, 0.25), (0.88, 0.75)], 0.18)
    pen.oval(0.32, -0.2, vary(0.2, 0.28), 0.36, "light")
    pen.poly([(0.72, 0.1), (0.98, 0.12), (0.74, 0.24)], "white")
    pen.oval(0.64, -0.3, 0.05, fill="black")


def owl(pen: Any, vary: Any) -> None:
    pen.poly([(-0.5, -0.5), (-0.55, -1.0), (-0.15, -0.75)], "dark")
    pen.poly([(0.5, -0.5), (0.55, -1.0), (0.15, -0.75)], "dark")
    pen.oval(0, 0.12, vary(0.52, 0.62), 0.84)
    pen.oval(0, 0.4, 0.36, 0.46, "light")
    for x in (-0.25, 0.25):
        pen.oval(x, -0.35, 0.24, fill="white")
        pen.oval(x, -0.35, 0.11, fill="black")
        pen.oval(x * 2.1, 0.25, 0.16, 0.5, "dark")
        pen.oval(x, 0.95, 0.14, 0.06, "flame")
    pen.poly([(-0.08, -0.22), (0.08, -0.22), (0, -0.02)], "flame")


DRAWINGS = {
    "dog": dog,
    "cat": cat,
    "bird": bird,
    "fish": fish,
    "rabbit": rabbit,
    "turtle": turtle,
    "butterfly": butterfly,
    "snail": snail,
    "elephant": elephant,
    "owl": owl,
}
