"""Scenes cut into the visual grid: which thing each patch shows, and the words that name what is in it."""

from __future__ import annotations

from collections.abc import Sequence
from string import ascii_lowercase

import numpy as np

from explore.sketch.scenes import SIZE, Scene, Thing

GRID = 12
"""Rows and columns of visual tokens."""
PATCH = SIZE // GRID
"""Side of a patch, pixels."""
LEAST_COVER = 0.2
"""Share of a patch that a thing must cover to be what the patch shows."""


FROM_THE_LEFT = ("first", "second", "third", "fourth")
FROM_THE_TOP = ("highest", "higher", "lower", "lowest")


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


def place_words(row: int, column: int) -> list[str]:
    """The words for a patch's place: ["cc", "rg"] is the third column from the left, the seventh row from the top."""
    return [f"c{ascii_lowercase[column]}", f"r{ascii_lowercase[row]}"]


def order_ranks(things: Sequence[Thing]) -> np.ndarray:
    """Every thing's place in the order from the left and in the order from the top, from 0; int64 (things, 2)."""
    centres = np.array([thing.at for thing in things])
    return centres.argsort(0, kind="stable").argsort(0, kind="stable")


def order_words(left: int, top: int) -> list[str]:
    """The words for it: ["first", "lower"] is the leftmost thing, and the third from the top."""
    return [FROM_THE_LEFT[left], FROM_THE_TOP[top]]


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


def scene_words(things: Sequence[Thing], background: str, cells: np.ndarray) -> list[list[str]]:
    """The words that name each patch of a scene, patches in reading order.

    What it shows and where it lies; for a thing also its place in the order of things, and at its centre how large it
    is. The text stage of the training reads a scene as 12 x 12 such bags of words; the frozen stage teaches the tower
    to say the same thing with one visual token. The word "thing" stands once for every thing, so that things can be
    counted, and the order makes it plain what is left of what: a decoder of this size compares words, not distances.

    Parameters
    ----------
    cells
        Which thing each patch shows, (rows, columns), as `cell_labels` makes it.
    """
    ordered = len(things) <= len(FROM_THE_LEFT)  # a crowd has no words for its order
    ranks = [order_words(left, top) if ordered else [] for left, top in order_ranks(things).tolist()]
    centres = set(centre_cells(things, cells).tolist())
    words = []
    for index, label in enumerate(cells.flat):
        place = place_words(*divmod(index, cells.shape[1]))
        if label == 0:
            words.append([background, *place])
            continue
        thing = things[label - 1]
        size = ["thing", *([thing.size] if thing.size != "medium" else [])] if index in centres else []
        text = [thing.text] if thing.text else []
        words.append([thing.kind, thing.colour, *size, *ranks[label - 1], *text, *place])
    return words
