"""Scenes cut into the visual grid: which thing each patch shows, and the words that name what is in it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from explore.sketch.scenes import SIZE, Scene, Thing

GRID = 12
"""Rows and columns of visual tokens."""
PATCH = SIZE // GRID
"""Side of a patch, pixels."""
LEAST_COVER = 0.2
"""Share of a patch that a thing must cover to be what the patch shows."""
COLUMN_NAMES = "ABCDEFGHIJKL"


def cell_labels(labels: np.ndarray, things: int) -> np.ndarray:
    """Which thing each patch shows, uint8 (rows, columns): 0 for the ground, ``i + 1`` for thing ``i``.

    Parameters
    ----------
    labels
        Pixel labels of a scene, (height, width).
    things
        How many things the scene has.
    """
    patches = labels.reshape(GRID, PATCH, GRID, PATCH)
    cover = np.stack([(patches == value).mean((1, 3)) for value in range(1, things + 1)])
    winner = cover.argmax(0)
    return np.where(cover.max(0) >= LEAST_COVER, winner + 1, 0).astype(np.uint8)


def scene_cells(scene: Scene) -> np.ndarray:
    """``cell_labels`` of a whole scene."""
    return cell_labels(scene.labels, len(scene.things))


def place_name(row: int, column: int) -> str:
    """The name of a patch as on a map: "C7" is column C, row 7 counted from the top."""
    return f"{COLUMN_NAMES[column]}{row + 1}"


def thing_cell(thing: Thing) -> tuple[int, int]:
    """(row, column) of the patch under a thing's centre."""
    x, y = thing.at
    return min(int(y * GRID), GRID - 1), min(int(x * GRID), GRID - 1)


def centre_cells(things: Sequence[Thing], cells: np.ndarray) -> np.ndarray:
    """The patch of each thing that is nearest to its centre, int64 (things,) into the flat grid; -1 where it has none.

    Parameters
    ----------
    cells
        Which thing each patch shows, (rows, columns), as `cell_labels` makes it.
    """
    rows, columns = np.indices(cells.shape).reshape(2, -1)
    found = np.full(len(things), -1, np.int64)
    for index, thing in enumerate(things):
        mine = np.flatnonzero(cells == index + 1)
        if len(mine):
            away = np.hypot((columns[mine] + 0.5) / GRID - thing.at[0], (rows[mine] + 0.5) / GRID - thing.at[1])
            found[index] = mine[away.argmin()]
    return found


def cell_words(
    things: Sequence[Thing], background: str, label: int, row: int, column: int, *, centre: bool = False
) -> list[str]:
    """The words that name one patch: what it shows and where it lies, and at a thing's centre also how large it is.

    The text stage of the training reads a scene as 12 x 12 such bags of words; the frozen stage teaches the tower to
    say the same thing with one visual token. The word "thing" stands once for every thing, so that things can be
    counted and told apart.
    """
    place = [COLUMN_NAMES[column], str(row + 1)]
    if label == 0:
        return [background, *place]
    thing = things[label - 1]
    size = ["thing", *([thing.size] if thing.size != "medium" else [])] if centre else []
    return [thing.kind, thing.colour, *size, *([thing.text] if thing.text else []), *place]
