"""What a knockout is compared with: other edges of the same rows, as many, or carrying as much attention.

Cutting the picture takes away hundreds of keys at once, and often the first token's mass with them. So every curve has
controls: random edges, as many from the same rows; random other columns of the same attention mass; the last position's
edge to itself; and the same edges cut in all layers, below which no window can go.
Source: `specs/information-flow.md` §4.3.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from explore.edits import CutEdges
from explore.flow.knockout_edges import Edge

CONTROLS = ("random edges", "equal mass", "last->last", "all layers")


def random_edges(edge: Edge, layers: tuple[int, ...], rng: np.random.Generator, **how: object) -> list[CutEdges]:
    """As many edges of the same rows, drawn at random from all that look back."""
    found: dict[tuple[int, ...], list[int]] = {}
    for row in edge.target.tolist():
        count = int((edge.source < row).sum())
        drawn = tuple(sorted(rng.choice(row, count, replace=False).tolist())) if count else ()
        found.setdefault(drawn, []).append(row)
    return [
        CutEdges(columns, rows, layers=layers, **how)  # type: ignore[arg-type]
        for columns, rows in found.items()
        if columns
    ]


def mass_columns(
    edge: Edge, masses: np.ndarray, layers: Sequence[int], rng: np.random.Generator
) -> tuple[np.ndarray, float]:
    """Random columns outside the source that get as much attention of the target's rows as the source does.

    Parameters
    ----------
    edge
        The edges that are compared.
    masses
        Attention that the target's rows pay to every position, mean over heads and rows, (layers, positions).
    layers
        The window.
    rng
        Draws the columns' order.

    Returns
    -------
    columns : np.ndarray
        (columns,) int64 ascending; all others where even they get less.
    share : float
        Their attention over the source's.
    """
    mass = masses[list(layers)].mean(axis=0)
    wanted = float(mass[edge.source].sum())
    others = np.setdiff1d(np.arange(int(edge.target[-1]) + 1), np.concatenate([edge.source, edge.target]))
    order = rng.permutation(others)
    reached = np.cumsum(mass[order])
    count = min(int(np.searchsorted(reached, wanted)) + 1, len(order))
    if count > 1 and count <= len(order) and abs(reached[count - 2] - wanted) < abs(reached[count - 1] - wanted):
        count -= 1
    got = float(reached[count - 1]) if count else 0.0
    return np.sort(order[:count]), got / wanted if wanted > 0 else 0.0
