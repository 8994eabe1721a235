"""A pen that draws vector parts of one thing, in colour and in the mask, under one affine transform."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from PIL import Image, ImageDraw, ImageFont

RGB = tuple[int, int, int]
Point = tuple[float, float]

COLOURS: dict[str, RGB] = {
    "red": (214, 40, 40),
    "orange": (244, 132, 28),
    "yellow": (242, 208, 38),
    "green": (46, 150, 62),
    "blue": (38, 92, 210),
    "purple": (128, 52, 172),
    "pink": (244, 122, 182),
    "brown": (126, 76, 38),
}
ACCENTS: dict[str, RGB] = {
    "white": (250, 250, 246),
    "black": (28, 28, 32),
    "metal": (150, 156, 166),
    "wood": (150, 104, 62),
    "cream": (248, 232, 196),
    "glass": (190, 222, 238),
    "leaf": (72, 160, 84),
    "flame": (252, 176, 52),
}


def shade(colour: RGB, factor: float) -> RGB:
    """Darken (``factor`` < 1) or lighten towards white (``factor`` > 1) an RGB colour."""
    if factor <= 1:
        return tuple(round(channel * factor) for channel in colour)  # type: ignore[return-value]
    return tuple(round(channel + (255 - channel) * (factor - 1)) for channel in colour)  # type: ignore[return-value]


@lru_cache(maxsize=64)
def sign_font(size: int) -> ImageFont.FreeTypeFont:
    """The bold face that ships with matplotlib, so that signs look the same on every machine."""
    from matplotlib import get_data_path

    return ImageFont.truetype(f"{get_data_path()}/fonts/ttf/DejaVuSans-Bold.ttf", size)


@dataclass
class Pen:
    """Draws in the thing's own box, x and y from -1 to 1 with y downwards.

    Every part is painted twice: in colour on ``image`` and as ``label`` on ``labels``, so the label picture is the
    exact visible mask of everything drawn so far.

    Parameters
    ----------
    image, labels
        RGB and L pictures of the same size, in supersampled pixels.
    label
        Number painted into ``labels`` (0 is background).
    main
        The thing's own colour.
    centre, radius
        Where the box lies, in supersampled pixels.
    angle
        Rotation in radians, clockwise on screen.
    stretch
        Width over height of the box; 1 keeps proportions.
    flip
        Mirror left and right.
    """

    image: Image.Image
    labels: Image.Image
    label: int
    main: RGB
    centre: Point
    radius: float
    angle: float = 0.0
    stretch: float = 1.0
    flip: bool = False

    def __post_init__(self) -> None:
        self._draw = ImageDraw.Draw(self.image)
        self._mask = ImageDraw.Draw(self.labels)
        wide = math.sqrt(self.stretch)
        self._scale = (self.radius * wide * (-1 if self.flip else 1), self.radius / wide)
        self._turn = (math.cos(self.angle), math.sin(self.angle))

    def place(self, x: float, y: float) -> Point:
        """Box coordinates to supersampled pixels."""
        x, y = x * self._scale[0], y * self._scale[1]
        cos, sin = self._turn
        return self.centre[0] + x * cos - y * sin, self.centre[1] + x * sin + y * cos

    def colour(self, fill: str) -> RGB:
        """``main``, ``dark`` and ``light`` follow the thing's colour, the other names are fixed accents."""
        shades = {"main": 1.0, "dark": 0.62, "light": 1.45}
        return shade(self.main, shades[fill]) if fill in shades else ACCENTS[fill]

    def poly(self, points: Sequence[Point], fill: str = "main") -> None:
        """Fill a polygon."""
        placed = [self.place(x, y) for x, y in points]
        self._draw.polygon(placed, fill=self.colour(fill))
        self._mask.polygon(placed, fill=self.label)

    def oval(self, x: float, y: float, rx: float, ry: float | None = None, fill: str = "main", turn: float = 0) -> None:
        """Fill an ellipse around (x, y), turned by ``turn`` radians in its own frame."""
        self.poly(arc_points(x, y, rx, rx if ry is None else ry, 0, 2 * math.pi, turn), fill)

    def slice(self, x: float, y: float, rx: float, ry: float, start: float, end: float, fill: str = "main") -> None:
        """Fill a pie slice; angles in degrees, 0 to the right, clockwise."""
        self.poly([(x, y), *arc_points(x, y, rx, ry, math.radians(start), math.radians(end))], fill)

    def box(self, x0: float, y0: float, x1: float, y1: float, fill: str = "main") -> None:
        """Fill an upright rectangle."""
        self.poly([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], fill)

    def line(self, points: Sequence[Point], width: float = 0.1, fill: str = "main") -> None:
        """Stroke a line with round joints; ``width`` in box units."""
        for (x0, y0), (x1, y1) in pairwise(points):
            length = math.hypot(x1 - x0, y1 - y0) or 1.0
            nx, ny = (y0 - y1) / length * width / 2, (x1 - x0) / length * width / 2
            self.poly([(x0 + nx, y0 + ny), (x1 + nx, y1 + ny), (x1 - nx, y1 - ny), (x0 - nx, y0 - ny)], fill)
        for x, y in points:
            self.oval(x, y, width / 2, fill=fill)

    def ring(self, x: float, y: float, radius: float, width: float, fill: str = "main") -> None:
        """Stroke a circle."""
        steps = [i / 24 * 2 * math.pi for i in range(25)]
        self.line([(x + radius * math.cos(t), y + radius * math.sin(t)) for t in steps], width, fill)

    def write(self, text: str, x: float, y: float, width: float, height: float) -> None:
        """Write ``text`` in black, as large as the given box allows, upright even when the thing is mirrored."""
        limit_w, limit_h = abs(width * self._scale[0]), height * self._scale[1]
        size = max(6, round(limit_h))
        left, top, right, bottom = sign_font(size).getbbox(text)
        size = max(6, round(size * min(limit_w / (right - left), limit_h / (bottom - top))))
        font = sign_font(size)
        left, top, right, bottom = font.getbbox(text)
        tile = Image.new("L", (math.ceil(right - left) + 4, math.ceil(bottom - top) + 4))
        ImageDraw.Draw(tile).text((2 - left, 2 - top), text, font=font, fill=255)
        tile = tile.rotate(-math.degrees(self.angle), resample=Image.Resampling.BICUBIC, expand=True)
        px, py = self.place(x, y)
        corner = (round(px - tile.width / 2), round(py - tile.height / 2))
        self.image.paste(self.colour("black"), corner, tile)


def arc_points(
    x: float, y: float, rx: float, ry: float, start: float, end: float, turn: float = 0.0, steps: int = 32
) -> list[Point]:
    """Points along an elliptic arc, angles in radians."""
    cos, sin = math.cos(turn), math.sin(turn)
    points = []
    for i in range(steps + 1):
        t = start + (end - start) * i / steps
        dx, dy = rx * math.cos(t), ry * math.sin(t)
        points.append((x + dx * cos - dy * sin, y + dx * sin + dy * cos))
    return points
