"""What every position of a sequence is, and where its pixels are.

A `TokenLayout` gives each sequence position one role and, where the position is a visual token, the image, frame,
tile, row and column it belongs to and the box it covers in the picture as a person sees it (upright, in pixels).
Every map to and from pixels goes through it. Positions are keys; token text never is.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any

import numpy as np

from explore.errors import ParameterError


class Role(StrEnum):
    """What a sequence position is for; "history" is what user and model said in earlier turns."""

    SYSTEM = "system"
    HISTORY = "history"
    IMAGE = "image"
    QUESTION = "question"
    TEMPLATE = "template"
    ANSWER = "answer"


@dataclass(frozen=True, eq=False)
class ImageGrid:
    """The visual tokens of one image, frame or tile, as a grid.

    Parameters
    ----------
    image, frame, tile
        Which image of the prompt, which frame of a film (the first one, where several share their tokens), which tile
        of an image cut into tiles; all count from 0.
    positions
        Sequence position of every cell, (rows, cols) int64.
    boxes
        x0, y0, x1, y1 of every cell in pixels of the upright original picture, (rows, cols, 4) float32. They are not
        clipped: a cell that looks at padding lies outside the picture, and one that straddles the border sticks out.
    size
        (width, height) of the upright original picture in pixels.
    frames
        How many frames of a film every cell looks at, `frame` and those after it; 1 for pictures.
    """

    image: int
    frame: int
    tile: int
    positions: np.ndarray
    boxes: np.ndarray
    size: tuple[int, int]
    frames: int = 1

    def __post_init__(self) -> None:
        positions = np.asarray(self.positions, dtype=np.int64)
        boxes = np.asarray(self.boxes, dtype=np.float32)
        if positions.ndim != 2 or boxes.shape != (*positions.shape, 4):
            raise ParameterError(
                f"An image grid got positions of shape {positions.shape} and boxes of shape {boxes.shape}",
                "Positions are (rows, cols) and boxes (rows, cols, 4).",
            )
        object.__setattr__(self, "positions", positions)
        object.__setattr__(self, "boxes", boxes)
        object.__setattr__(self, "size", (int(self.size[0]), int(self.size[1])))

    @property
    def rows(self) -> int:
        return int(self.positions.shape[0])

    @property
    def cols(self) -> int:
        return int(self.positions.shape[1])

    @property
    def picture(self) -> int:
        """The first of a run's pictures that the cells look at."""
        return self.image + self.frame  # a run has several pictures or one film, so one of the two numbers is 0

    def pictures(self, kept: int) -> range:
        """Which of a run's `kept` pictures the cells look at: its image, or the frames of its film.

        Raises
        ------
        ParameterError
            They are not among those that were kept.
        """
        if self.picture >= kept:
            raise ParameterError(
                f"The picture of image {self.image}, frame {self.frame} is not here",
                f"{kept} pictures were kept.",
                "Use a trace that keeps its pictures.",
            )
        return range(self.picture, min(self.picture + self.frames, kept))


@dataclass(frozen=True, eq=False)
class ImageQueries:
    """The visual tokens of one image, frame or tile that lie in no grid: every one may look at all of it.

    Learned queries have no place, but what they read has: the patches of the vision tower lie in a grid on the picture.

    Parameters
    ----------
    image, frame, tile
        As in `ImageGrid`; tile 0 is the whole picture.
    positions
        Their sequence positions, (queries,) int64.
    size
        (width, height) of the upright original picture in pixels.
    boxes
        x0, y0, x1, y1 of every patch that the queries look at, in pixels of the upright original picture and not
        clipped, (rows, cols, 4) float32; None where that is not known.
    """

    image: int
    frame: int
    positions: np.ndarray
    size: tuple[int, int]
    boxes: np.ndarray | None = None
    tile: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "positions", np.asarray(self.positions, dtype=np.int64).ravel())
        object.__setattr__(self, "size", (int(self.size[0]), int(self.size[1])))
        if self.boxes is None:
            return
        boxes = np.asarray(self.boxes, dtype=np.float32)
        if boxes.ndim != 3 or boxes.shape[-1] != 4:
            raise ParameterError(f"Queries got boxes of shape {boxes.shape}", "Boxes of patches are (rows, cols, 4).")
        object.__setattr__(self, "boxes", boxes)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the patches they look at, (0, 0) where these are not known."""
        return (0, 0) if self.boxes is None else (int(self.boxes.shape[0]), int(self.boxes.shape[1]))

    @property
    def picture(self) -> int:
        """Which of a run's pictures they look at."""
        return self.image + self.frame  # one of the two is 0: see `ImageGrid.picture`


@dataclass(frozen=True, eq=False)
class TokenLayout:
    """Roles of all sequence positions and the grids of the visual ones.

    Parameters
    ----------
    roles
        One `Role` per sequence position.
    grids
        The grids of all images, frames and tiles, in the order of the sequence.
    queries
        The visual tokens of images without a grid.
    """

    roles: tuple[Role, ...]
    grids: tuple[ImageGrid, ...] = ()
    queries: tuple[ImageQueries, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "roles", tuple(Role(role) for role in self.roles))
        object.__setattr__(self, "grids", tuple(self.grids))
        object.__setattr__(self, "queries", tuple(self.queries))
        placed = [grid.positions.ravel() for grid in self.grids] + [each.positions for each in self.queries]
        seen = np.concatenate(placed or [np.empty(0, np.int64)])
        if len(np.unique(seen)) != len(seen) or not set(seen.tolist()) <= set(self.visual.tolist()):
            raise ParameterError(
                "A layout got grids whose cells share a position or stand on a position that is no image token",
                "Every cell of a grid is a different position with the role 'image'.",
            )

    def __len__(self) -> int:
        return len(self.roles)

    @cached_property
    def visual(self) -> np.ndarray:
        """All image positions in sequence order, (visual_tokens,) int64."""
        return np.flatnonzero([role is Role.IMAGE for role in self.roles]).astype(np.int64)

    def positions(self, role: Role | str, image: int | None = None) -> np.ndarray:
        """Sequence positions with this role, in order; for images optionally those of one image only.

        Returns
        -------
        (count,) int64
        """
        wanted = Role(role)
        found = np.flatnonzero([each is wanted for each in self.roles]).astype(np.int64)
        return found if image is None else found[self.image[found] == image]

    def grid(self, image: int = 0, frame: int = 0, tile: int = 0) -> ImageGrid:
        """The grid of one image, frame and tile.

        Raises
        ------
        ParameterError
            There is no such grid; the message lists those there are.
        """
        for grid in self.grids:
            if (grid.image, grid.frame, grid.tile) == (image, frame, tile):
                return grid
        have = ", ".join(str((grid.image, grid.frame, grid.tile)) for grid in self.grids) or "none"
        raise ParameterError(
            f"There is no grid for image {image}, frame {frame}, tile {tile}",
            f"(image, frame, tile) there are: {have}.",
        )

    @cached_property
    def image(self) -> np.ndarray:
        """Image number of every position, (positions,) int64, -1 where not visual.

        Visual tokens outside every grid (row ends, separators) belong to the image of the grid cell before them.
        """
        numbers = self._spread("image")
        for each in self.queries:
            numbers[each.positions] = each.image
        for position in self.visual:
            if numbers[position] < 0:
                before = numbers[:position][numbers[:position] >= 0]
                numbers[position] = before[-1] if len(before) else 0
        return numbers

    @cached_property
    def frame(self) -> np.ndarray:
        """Frame number of every position, (positions,) int64, -1 outside the grids."""
        return self._spread("frame")

    @cached_property
    def tile(self) -> np.ndarray:
        """Tile number of every position, (positions,) int64, -1 outside the grids."""
        return self._spread("tile")

    @cached_property
    def row(self) -> np.ndarray:
        """Grid row of every position, (positions,) int64, -1 outside the grids."""
        rows = np.full(len(self), -1, np.int64)
        for grid in self.grids:
            rows[grid.positions] = np.arange(grid.rows)[:, None]
        return rows

    @cached_property
    def col(self) -> np.ndarray:
        """Grid column of every position, (positions,) int64, -1 outside the grids."""
        cols = np.full(len(self), -1, np.int64)
        for grid in self.grids:
            cols[grid.positions] = np.arange(grid.cols)[None, :]
        return cols

    @cached_property
    def box(self) -> np.ndarray:
        """Box of every position in pixels of its picture, (positions, 4) float32, NaN outside the grids."""
        boxes = np.full((len(self), 4), np.nan, np.float32)
        for grid in self.grids:
            boxes[grid.positions] = grid.boxes
        return boxes

    def at_pixel(self, x: float, y: float, image: int = 0) -> int | None:
        """Position of the visual token that looks at this pixel, None if none does; the finest where tiles overlap."""
        hits = []
        for grid in self.grids:
            if grid.image != image:
                continue
            x0, y0, x1, y1 = np.moveaxis(grid.boxes, -1, 0)
            inside = (x0 <= x) & (x < x1) & (y0 <= y) & (y < y1)
            areas = ((x1 - x0) * (y1 - y0))[inside]
            hits += list(zip(areas.tolist(), grid.positions[inside].tolist(), strict=True))
        return min(hits)[1] if hits else None

    def to_json(self) -> dict[str, Any]:
        """Plain lists and numbers, exact: `from_json` gives the same layout back."""
        return {
            "roles": [role.value for role in self.roles],
            "grids": [
                {
                    "image": grid.image,
                    "frame": grid.frame,
                    "tile": grid.tile,
                    "positions": grid.positions.tolist(),
                    "boxes": grid.boxes.astype(np.float64).tolist(),
                    "size": list(grid.size),
                    "frames": grid.frames,
                }
                for grid in self.grids
            ],
            "queries": [
                {
                    "image": each.image,
                    "frame": each.frame,
                    "tile": each.tile,
                    "positions": each.positions.tolist(),
                    "size": list(each.size),
                    "boxes": None if each.boxes is None else each.boxes.astype(np.float64).tolist(),
                }
                for each in self.queries
            ],
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> TokenLayout:
        """The layout that `to_json` described."""
        grids = []
        for each in data["grids"]:
            shape = np.asarray(each["positions"]).shape
            boxes = np.asarray(each["boxes"], np.float32).reshape(*shape, 4)
            place = (each["image"], each["frame"], each["tile"])
            width, height = each["size"]
            frames = each.get("frames", 1)  # traces of the first formats hold no films
            grids.append(ImageGrid(*place, each["positions"], boxes, (width, height), frames))
        queries = []
        for each in data.get("queries", ()):  # traces of the first format have none, and later ones no boxes of patches
            width, height = each["size"]
            placed = (each["image"], each["frame"], each["positions"], (width, height))
            queries.append(ImageQueries(*placed, each.get("boxes"), each.get("tile", 0)))
        return cls(tuple(Role(role) for role in data["roles"]), tuple(grids), tuple(queries))

    def _spread(self, name: str) -> np.ndarray:
        numbers = np.full(len(self), -1, np.int64)
        for grid in self.grids:
            numbers[grid.positions] = getattr(grid, name)
        return numbers
