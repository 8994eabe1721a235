"""Grids of visual tokens before they have places in the sequence."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from explore.layout import ImageGrid, ImageQueries


@dataclass(frozen=True)
class GridPlan:
    """A grid that has no sequence positions yet: shape and boxes as in `explore.layout.ImageGrid`.

    `skip` visual tokens before the grid belong to no cell (a class token kept in the sequence), `after_row` follow each
    row and `after` follow the grid (newlines, separators).
    """

    image: int
    boxes: np.ndarray
    size: tuple[int, int]
    frame: int = 0
    tile: int = 0
    skip: int = 0
    after_row: int = 0
    after: int = 0
    frames: int = 1

    @property
    def length(self) -> int:
        """Visual tokens the grid takes, cells and others."""
        rows, cols = self.boxes.shape[:2]
        return self.skip + rows * (cols + self.after_row) + self.after

    def placed(self, positions: np.ndarray) -> ImageGrid:
        """The grid on these sequence positions, (length,) int64."""
        rows, cols = self.boxes.shape[:2]
        body = positions[self.skip : self.skip + rows * (cols + self.after_row)]
        cells = body.reshape(rows, cols + self.after_row)[:, :cols]
        return ImageGrid(self.image, self.frame, self.tile, cells, self.boxes, self.size, self.frames)


@dataclass(frozen=True)
class QueryPlan:
    """Visual tokens of one image that lie in no grid, queries of a compressor.

    `length` visual tokens, of which the last `after` are no queries (a separator); `boxes` as in
    `explore.layout.ImageQueries`.
    """

    image: int
    length: int
    size: tuple[int, int]
    frame: int = 0
    boxes: np.ndarray | None = None
    tile: int = 0
    after: int = 0

    def placed(self, positions: np.ndarray) -> ImageQueries:
        """The queries on these sequence positions, (length,) int64."""
        queries = positions[: len(positions) - self.after]
        return ImageQueries(self.image, self.frame, queries, self.size, self.boxes, self.tile)


Plan = GridPlan | QueryPlan
