"""Buildings. Each function draws one kind in the box from -1 to 1; ``vary`` gives it its own proportions."""

from __future__ import annotations

import math
from typing import Any


def house(pen: Any, vary: Any) -> None:
    eaves = vary(-0.25, -0.05)
    pen.box(0.4, -0.85, 0.62, -0.2, "dark")
    pen.box(-0.75, eaves, 0.75, 0.95)
    pen.poly([(-0.98, eaves), (0, -0.98), (0.98, eaves)], "dark")
    pen.box(-0.15, 0.4, 0.2, 0.95, "wood")
    pen.box(-0.58, 0.15, -0.28, 0.48, "glass")
    pen.box(0.34, 0.15, 0.62, 0.48, "glass")


def skyscraper(pen: Any, vary: Any) -> None:
    width = vary(0.36, 0.5)
    pen.line([(0, -0.8), (0, -1.0)], 0.06, "metal")
    pen.box(-width * 0.6, -0.9, width * 0.6, -0.6, "dark")
    pen.box(-width, -0.7, width, 0.98)
    for row in range(5):
        for column in (-0.55, 0.0, 0.55):
            x, y = column * width, -0.55 + row * 0.28
            pen.box(x - 0.08, y, x + 0.08, y + 0.16, "glass")
    pen.box(-0.12, 0.82, 0.12, 0.98, "black")


def church(pen: Any, vary: Any) -> None:
    spire = vary(-0.78, -0.62)
    pen.line([(-0.5, spire + 0.1), (-0.5, spire - 0.22)], 0.06, "metal")
    pen.line([(-0.6, spire - 0.12), (-0.4, spire - 0.12)], 0.06, "metal")
    pen.box(-0.78, -0.2, -0.22, 0.95)
    pen.poly([(-0.85, -0.2), (-0.5, spire), (-0.15, -0.2)], "dark")
    pen.box(-0.22, 0.25, 0.9, 0.95, "light")
    pen.poly([(-0.22, 0.25), (-0.1, -0.15), (0.8, -0.15), (0.98, 0.25)], "dark")
    pen.oval(-0.5, 0.1, 0.14, 0.2, "glass")
    pen.box(-0.62, 0.55, -0.38, 0.95, "wood")
    for x in (0.15, 0.55):
        pen.box(x - 0.09, 0.42, x + 0.09, 0.75, "glass")


def windmill(pen: Any, vary: Any) -> None:
    pen.poly([(-0.3, -0.25), (0.3, -0.25), (0.48, 0.98), (-0.48, 0.98)])
    pen.slice(0, -0.22, 0.34, 0.34, 180, 360, "dark")
    pen.box(-0.12, 0.6, 0.14, 0.98, "wood")
    pen.oval(0, 0.2, 0.1, fill="glass")
    start = vary(0.2, 1.2)
    for i in range(4):
        angle = start + i * math.pi / 2
        tip = (0.72 * math.cos(angle), -0.28 + 0.72 * math.sin(angle))
        pen.line([(0, -0.28), tip], 0.2, "white")
        pen.line([(0, -0.28), tip], 0.05, "black")
    pen.oval(0, -0.28, 0.1, fill="black")


def lighthouse(pen: Any, vary: Any) -> None:
    top, bottom = vary(0.2, 0.26), vary(0.36, 0.46)
    for i, fill in enumerate(("main", "white", "main", "white", "main")):
        y0, y1 = -0.5 + i * 0.29, -0.5 + (i + 1) * 0.29
        w0, w1 = (top + (bottom - top) * (y + 0.5) / 1.45 for y in (y0, y1))
        pen.poly([(-w0, y0), (w0, y0), (w1, y1), (-w1, y1)], fill)
    pen.box(-0.34, -0.56, 0.34, -0.46, "black")
    pen.box(-0.18, -0.8, 0.18, -0.56, "flame")
    pen.poly([(-0.28, -0.78), (0, -1.0), (0.28, -0.78)], "dark")


def castle(pen: Any, vary: Any) -> None:
    keep = vary(-0.2, 0.0)
    pen.box(-0.6, keep, 0.6, 0.95)
    for x in (-0.35, 0.0, 0.35):
        pen.box(x - 0.1, keep - 0.15, x + 0.1, keep)
    for x in (-0.72, 0.72):
        pen.box(x - 0.24, -0.55, x + 0.24, 0.95, "dark")
        for dx in (-0.18, 0.02, 0.18):
            pen.box(x + dx - 0.06, -0.72, x + dx + 0.06, -0.5, "dark")
        pen.box(x - 0.06, -0.25, x + 0.06, 0.05, "black")
    pen.oval(0, 0.5, 0.2, fill="black")
    pen.box(-0.2, 0.5, 0.2, 0.95, "black")


def tent(pen: Any, vary: Any) -> None:
    peak = vary(-0.75, -0.55)
    pen.line([(0, peak + 0.2), (0, peak - 0.2)], 0.07, "wood")
    pen.poly([(-0.98, 0.8), (0, peak), (0.98, 0.8)])
    pen.poly([(-0.5, 0.8), (0, peak), (-0.98, 0.8)], "dark")
    pen.poly([(-0.28, 0.8), (0, peak + 0.5), (0.28, 0.8)], "black")


def bridge(pen: Any, vary: Any) -> None:
    rise = vary(-0.7, -0.5)
    for x in (-0.6, 0.6):
        pen.box(x - 0.09, rise, x + 0.09, 0.75, "dark")
    for x0, x1 in ((-1.0, -0.6), (-0.6, 0.6), (0.6, 1.0)):
        ends = {-1.0: 0.05, 1.0: 0.05}
        y0, y1 = ends.get(x0, rise + 0.1), ends.get(x1, rise + 0.1)
        middle = ((x0 + x1) / 2, max(y0, y1) * 0.4 + 0.0)
        pen.line([(x0, y0), middle, (x1, y1)], 0.07)
    for x in (-0.3, 0.0, 0.3):
        pen.line([(x, 0.2), (x, -0.15)], 0.05)
    pen.box(-1.0, 0.12, 1.0, 0.32)


DRAWINGS = {
    "house": house,
    "skyscraper": skyscraper,
    "church": church,
    "windmill": windmill,
    "lighthouse": lighthouse,
    "castle": castle,
    "tent": tent,
    "bridge": bridge,
}
