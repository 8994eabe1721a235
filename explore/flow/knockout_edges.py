"""Which edges a knockout cuts: groups by name, single positions, or the patches of an object against the rest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from explore.edits import CutEdges, Where, places_of
from explore.edits.places import checked_where
from explore.errors import ParameterError
from explore.layout import Role
from explore.trace import Trace

Edges = Mapping[str, tuple[Any, Any]]
"""Name to (source, target), each a name of positions, a position, or several; see `explore.edits.places_of`."""


@dataclass(frozen=True, eq=False)
class Edge:
    """One group of edges with its positions.

    Parameters
    ----------
    name
        As it is shown.
    source, target
        Positions that are looked at, and that look, int64 ascending; none behind the one that predicts.
    """

    name: str
    source: np.ndarray
    target: np.ndarray

    def cut(self, layers: tuple[int, ...], **how: Any) -> CutEdges:
        """The edit that cuts them; one position's edge to itself goes too where it is all there is."""
        own = len(self.target) == 1 and np.array_equal(self.source, self.target)
        return CutEdges(self.source, self.target, layers=layers, own=own, **how)

    def opposite(self, end: int) -> Edge:
        """All other edges into the same targets."""
        return Edge(self.name, np.setdiff1d(np.arange(end), self.source), self.target)


def default_edges(trace: Trace, end: int) -> dict[str, tuple[Any, Any]]:
    """The edges of Zhang et al., and the template behind the picture, through which it may go as well."""
    behind = trace.layout.positions(Role.TEMPLATE)
    visual = trace.layout.visual
    behind = behind[(behind > visual.max(initial=-1)) & (behind < trace.prompt_length - 1) & (behind < end)]
    found: dict[str, tuple[Any, Any]] = {"image->question": ("image", "question")}
    if len(behind):
        found["image->template"] = ("image", behind)
    return {**found, "image->last": ("image", "last"), "question->last": ("question", "last")}


def placed_edges(edges: Edges, trace: Trace, end: int) -> tuple[Edge, ...]:
    """Every group of edges with its positions.

    Parameters
    ----------
    edges
        Name to (source, target).
    trace
        The run.
    end
        Positions up to the one that predicts, which is the last of them.

    Raises
    ------
    ParameterError
        There is none, a group is empty, or every source stands behind every target.
    """
    if not edges:
        raise ParameterError("No edges were given to knock out", 'Such as {"image->last": ("image", "last")}.')
    found = []
    for name, pair in edges.items():
        if isinstance(pair, str) or len(pair) != 2:
            raise ParameterError(f"The edges {name!r} were given as {pair!r:.60}", "They are (source, target).")
        source, target = (_positions(each, trace, end) for each in pair)
        if not len(source) or not len(target) or source[0] > target[-1]:
            raise ParameterError(
                f"The edges {name!r} go from {len(source)} positions to {len(target)} that come before",
                f"A source stands before its target, and nothing behind position {end - 1}, which predicts, is run.",
            )
        found.append(Edge(name, source, target))
    return tuple(found)


def edges_by_position(trace: Trace, source: Where, target: Where = "last") -> dict[str, tuple[int, Where]]:
    """One group of edges for each source position, for a map over positions and layers.

    Parameters
    ----------
    trace
        The run.
    source
        Positions to cut one at a time.
    target
        Who may not look at them.
    """
    return {str(place): (int(place), target) for place in _positions(source, trace, trace.positions_fed)}


def object_edges(
    trace: Trace, mask: np.ndarray, target: Where = "question", *, image: int = 0
) -> dict[str, tuple[np.ndarray, Where]]:
    """Edges from an object's patches, and from all other patches, to a target.

    A patch belongs to the object if any pixel of the mask in its box does.

    Source: Zhang et al., CVPR 2025, arXiv 2411.18620 (central object against all other patches).

    Parameters
    ----------
    trace
        The run.
    mask
        The object in the upright picture, (height, width) bool.
    target
        Who may not look at them.
    image
        Which picture it is on.

    Raises
    ------
    ParameterError
        The mask has not the picture's size, or no patch or every patch is the object's.
    """
    shown = [grid for grid in trace.layout.grids if grid.image == image]
    size = shown[0].size if shown else (0, 0)
    if mask.shape != (size[1], size[0]) or mask.dtype != bool:
        raise ParameterError(
            f"A mask of the shape {mask.shape} and type {mask.dtype} was given",
            f"It is bool, as high and wide as the picture: {(size[1], size[0])}.",
        )
    # Sums over rectangles: pixels of the mask above and to the left.
    summed = np.pad(mask.astype(np.int64).cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    inside, outside = list[np.ndarray](), list[np.ndarray]()
    for grid in shown:
        x0, y0 = (np.clip(np.floor(grid.boxes[..., at]), 0, size[at]).astype(int) for at in (0, 1))
        x1, y1 = (np.clip(np.ceil(grid.boxes[..., at + 2]), 0, size[at]).astype(int) for at in (0, 1))
        painted = summed[y1, x1] - summed[y0, x1] - summed[y1, x0] + summed[y0, x0] > 0
        inside.append(grid.positions[painted])
        outside.append(grid.positions[~painted])
    own, other = np.sort(np.concatenate(inside)), np.sort(np.concatenate(outside))
    if not len(own) or not len(other):
        raise ParameterError(
            f"The mask covers {len(own)} patches and leaves {len(other)}", "Both the object and the rest need some."
        )
    name = target if isinstance(target, str) else "target"
    return {f"object->{name}": (own, target), f"background->{name}": (other, target)}


def _positions(where: Any, trace: Trace, end: int) -> np.ndarray:
    """Positions before `end` that a set means, (count,) int64 ascending."""
    if isinstance(where, Iterable) and not isinstance(where, (str, np.ndarray)):
        where = tuple(where)
    places = places_of(checked_where(where), trace.layout, trace.prompt_length)
    return np.flatnonzero(places.mask(np.arange(end))).astype(np.int64)
