"""All variants of one knockout, made before any of them runs, so that they can be run together in large batches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from explore.edits import CutEdges
from explore.flow.controls import mass_columns, random_edges
from explore.flow.depth_windows import LayerWindows
from explore.flow.effects import MEASURES, Effects
from explore.flow.knockout_edges import Edge


@dataclass(eq=False)
class KnockoutPlan:
    """The variants of one knockout.

    Parameters
    ----------
    edges, windows
        What is cut, and where.
    how
        Heads and kind of the cuts, as `CutEdges` takes them.
    shapes
        Array of effects to its shape.
    variants
        The edits of each variant.
    places
        The array it belongs to, and where in it.
    mass_share
        See `KnockoutCurves`.
    """

    edges: Sequence[Edge]
    windows: LayerWindows
    how: dict[str, Any]
    shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)
    variants: list[list[CutEdges]] = field(default_factory=list)
    places: list[tuple[str, tuple[int, ...]]] = field(default_factory=list)
    mass_share: np.ndarray = field(default_factory=lambda: np.empty((0, 0, 0)))

    def plan_edges(self) -> None:
        """The edges themselves, around every centre."""
        self.shapes["edges"] = (len(self.edges), len(self.windows.layers))
        for at, layers in enumerate(self.windows.layers):
            for number, edge in enumerate(self.edges):
                self._add("edges", (number, at), [edge.cut(layers, **self.how)])

    def plan_random_edges(self, draws: int, rng: np.random.Generator) -> None:
        """As many random edges of the same rows."""
        self.shapes["random edges"] = (draws, *self.shapes["edges"])
        for place in np.ndindex(self.shapes["random edges"]):
            edge, layers = self.edges[place[1]], self.windows.layers[place[2]]
            self._add("random edges", place, random_edges(edge, layers, rng, **self.how))

    def plan_equal_mass(self, draws: int, rng: np.random.Generator, masses: Sequence[np.ndarray]) -> None:
        """Random other columns of the same attention mass; `masses` has one array (layers, positions) for each edge."""
        self.shapes["equal mass"] = (draws, *self.shapes["edges"])
        self.mass_share = np.full(self.shapes["equal mass"], np.nan)
        for place in np.ndindex(self.shapes["equal mass"]):
            edge, layers = self.edges[place[1]], self.windows.layers[place[2]]
            columns, self.mass_share[place] = mass_columns(edge, masses[place[1]], layers, rng)
            self._add("equal mass", place, [CutEdges(columns, edge.target, layers=layers, **self.how)])

    def plan_last(self, last: int) -> None:
        """The predicting position's edge to itself."""
        self.shapes["last->last"] = (1, 1, len(self.windows.layers))
        edge = Edge("last->last", np.array([last]), np.array([last]))
        for at, layers in enumerate(self.windows.layers):
            self._add("last->last", (0, 0, at), [edge.cut(layers, **self.how)])

    def plan_all_layers(self) -> None:
        """The edges cut in all layers of all windows at once."""
        self.shapes["all layers"] = (len(self.edges),)
        everywhere = tuple(sorted({layer for layers in self.windows.layers for layer in layers}))
        for number, edge in enumerate(self.edges):
            self._add("all layers", (number,), [edge.cut(everywhere, **self.how)])

    def filled(self, values: np.ndarray) -> dict[str, Effects]:
        """Arrays of effects from the measures of all variants, (variants, measures)."""
        arrays = {name: np.full((len(MEASURES), *shape), np.nan) for name, shape in self.shapes.items()}
        for (name, place), measured in zip(self.places, values, strict=True):
            at: tuple[Any, ...] = (slice(None), *place)
            arrays[name][at] = measured
        return {name: Effects(*array) for name, array in arrays.items()}

    def _add(self, name: str, place: tuple[int, ...], edits: list[CutEdges]) -> None:
        self.variants.append(edits)
        self.places.append((name, place))
