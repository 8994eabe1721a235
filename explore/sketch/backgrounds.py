"""Textured backgrounds of a scene, drawn with seeded noise."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw

from explore.sketch.pens import RGB, shade

BASES: dict[str, RGB] = {
    "grass": (176, 208, 152),
    "sand": (236, 220, 182),
    "snow": (236, 241, 248),
    "water": (164, 206, 222),
    "wood": (206, 176, 140),
    "brick": (202, 168, 156),
    "paper": (246, 243, 234),
    "stone": (186, 188, 190),
}
Texture = Callable[[ImageDraw.ImageDraw, np.random.Generator, int, RGB], None]


def _grass(draw: ImageDraw.ImageDraw, rng: np.random.Generator, size: int, base: RGB) -> None:
    for x, y, height in rng.uniform((0, 0, 6), (size, size, 18), (220, 3)):
        draw.line([(x, y), (x + rng.uniform(-4, 4), y - height)], fill=shade(base, rng.uniform(0.82, 0.95)), width=2)


def _sand(draw: ImageDraw.ImageDraw, rng: np.random.Generator, size: int, base: RGB) -> None:
    for x, y in rng.uniform(0, size, (500, 2)):
        draw.point([(x, y), (x + 1, y)], fill=shade(base, rng.uniform(0.75, 0.95)))


def _snow(draw: ImageDraw.ImageDraw, rng: np.random.Generator, size: int, base: RGB) -> None:
    for x, y, radius in rng.uniform((0, 0, 1.5), (size, size, 5), (90, 3)):
        draw.ellipse([x - radius, y - radius, x + radius, y + radius], fill=(255, 255, 255))


def _water(draw: ImageDraw.ImageDraw, rng: np.random.Generator, size: int, base: RGB) -> None:
    for x, y, width in rng.uniform((-20, 0, 16), (size, size, 60), (90, 3)):
        draw.arc([x, y, x + width, y + width * 0.3], 200, 340, fill=shade(base, rng.uniform(1.2, 1.6)), width=2)


def _wood(draw: ImageDraw.ImageDraw, rng: np.random.Generator, size: int, base: RGB) -> None:
    step = int(rng.integers(size // 8, size // 5))
    for y in range(int(rng.integers(0, step)), size + step, step):
        draw.rectangle([0, y - step, size, y], fill=shade(base, rng.uniform(0.92, 1.1)))
        draw.line([(0, y), (size, y)], fill=shade(base, 0.75), width=2)
        for x in rng.uniform(0, size, 2):
            draw.line([(x, y - step), (x, y)], fill=shade(base, 0.8), width=2)


def _brick(draw: ImageDraw.ImageDraw, rng: np.random.Generator, size: int, base: RGB) -> None:
    high = int(rng.integers(size // 16, size // 11))
    for row, y in enumerate(range(0, size, high)):
        for x in range(-high * (row % 2), size, high * 2):
            draw.rectangle(
                [x, y, x + high * 2, y + high], fill=shade(base, rng.uniform(0.92, 1.08)), outline=(220, 212, 204)
            )


def _paper(draw: ImageDraw.ImageDraw, rng: np.random.Generator, size: int, base: RGB) -> None:
    step = int(rng.integers(size // 14, size // 9))
    for at in range(step, size, step):
        draw.line([(0, at), (size, at)], fill=shade(base, 0.93), width=1)
        draw.line([(at, 0), (at, size)], fill=shade(base, 0.93), width=1)


def _stone(draw: ImageDraw.ImageDraw, rng: np.random.Generator, size: int, base: RGB) -> None:
    for x, y, rx in rng.uniform((0, 0, 12), (size, size, 34), (70, 3)):
        ry = rx * rng.uniform(0.5, 0.9)
        draw.ellipse(
            [x - rx, y - ry, x + rx, y + ry], fill=shade(base, rng.uniform(0.9, 1.15)), outline=shade(base, 0.85)
        )


TEXTURES: dict[str, Texture] = {
    "grass": _grass,
    "sand": _sand,
    "snow": _snow,
    "water": _water,
    "wood": _wood,
    "brick": _brick,
    "paper": _paper,
    "stone": _stone,
}


def paint_background(kind: str, rng: np.random.Generator, size: int) -> Image.Image:
    """A textured square of ``size`` pixels; the tone varies a little with ``rng``."""
    base = shade(BASES[kind], rng.uniform(0.93, 1.12))
    image = Image.new("RGB", (size, size), base)
    TEXTURES[kind](ImageDraw.Draw(image), rng, size, base)
    return image
