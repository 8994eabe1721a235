"""Columns of a map over positions in words: which token each is, and where groups of one role begin and end."""

from __future__ import annotations

from collections.abc import Sequence

from explore.trace import Trace


def position_names(trace: Trace) -> list[str]:
    """Every sequence position in words: a patch by row and column, anything else by its text."""
    names = [f"{token.position} “{token.text.strip() or repr(token.text)}”" for token in trace.tokens]
    several = len(trace.layout.grids) > 1
    for number, grid in enumerate(trace.layout.grids):
        where = f"picture {number}, " if several else ""
        for row, line in enumerate(grid.positions.tolist()):
            for column, position in enumerate(line):
                if position >= 0:
                    names[position] = f"{position}, {where}row {row}, column {column}"
    return names


def patch_names(trace: Trace) -> dict[int, str]:
    """Short names of patches for narrow places: row and column."""
    return {
        position: f"{row},{column}"
        for grid in trace.layout.grids
        for row, line in enumerate(grid.positions.tolist())
        for column, position in enumerate(line)
        if position >= 0
    }


def column_names(columns: Sequence[str], positions: Sequence[Sequence[int]], trace: Trace) -> list[str]:
    """Every column in words; a group keeps its name."""
    names = position_names(trace)
    return [
        names[own[0]] if len(own) == 1 and column == str(own[0]) else f"{column} ({len(own)} positions)"
        for column, own in zip(columns, positions, strict=True)
    ]


def column_bands(positions: Sequence[Sequence[int]], trace: Trace) -> list[tuple[int, int, str]]:
    """Runs of columns of one role: first and last column, and the role."""
    found = list[tuple[int, int, str]]()
    for column, own in enumerate(positions):
        role = str(trace.layout.roles[own[0]])
        if found and found[-1][2] == role:
            found[-1] = (found[-1][0], column, role)
        else:
            found.append((column, column, role))
    return found
