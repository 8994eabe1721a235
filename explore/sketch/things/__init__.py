"""What can stand in a scene: one table of kinds, filled from one file per group."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from explore.sketch.pens import Pen
from explore.sketch.things import animals, buildings, food, household, plants, signs, toys, vehicles

Vary = Callable[[float, float], float]
"""``vary(lo, hi)`` draws one random proportion of the thing."""


@dataclass(frozen=True)
class Kind:
    """One kind of thing: its noun, its plural, its group and how to draw it."""

    name: str
    plural: str
    group: str
    draw: Callable[[Pen, Vary], None]


_PLURALS = {
    "fish": "fish",
    "butterfly": "butterflies",
    "cherry": "cherries",
    "church": "churches",
    "bus": "buses",
    "cactus": "cacti",
    "leaf": "leaves",
    "mouse": "mice",
}
_GROUPS = {
    "animal": animals.DRAWINGS,
    "vehicle": vehicles.DRAWINGS,
    "plant": plants.DRAWINGS,
    "food": food.DRAWINGS,
    "building": buildings.DRAWINGS,
    "household": household.DRAWINGS,
    "toy": toys.DRAWINGS,
    "sign": signs.DRAWINGS,
}

KINDS: dict[str, Kind] = {
    name: Kind(name, _PLURALS.get(name, name + "s"), group, draw)
    for group, drawings in _GROUPS.items()
    for name, draw in drawings.items()
}
