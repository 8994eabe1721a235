"""A word's map through learned queries, and how maps over patches are drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from explore.errors import ParameterError
from explore.layout import ImageGrid, ImageQueries
from explore.maps.overlay import draw_heat
from explore.maps.query_use import Use

PROXY = "A two-step proxy: how much the word used each query, times where that query looks."


@dataclass(frozen=True, eq=False)
class ThroughMap:
    """Where a token looked through the queries: a two-step proxy, not what the model computed.

    Parameters
    ----------
    pieces
        One map (rows, cols) float32 for each view; all of them together sum to at most 1.
    use
        How much each query counted, and what that was read off.
    views
        Queries and patches of every picture, frame or tile.
    images
        The run's pictures.
    """

    pieces: tuple[NDArray[np.float32], ...]
    use: Use
    views: tuple[ImageQueries, ...]
    images: tuple[Image.Image, ...] = ()

    @property
    def map(self) -> Any:
        """The map as it lies in the pictures: (rows, cols), or a list of them where there are several views."""
        return self.pieces[0] if len(self.pieces) == 1 else list(self.pieces)

    @property
    def note(self) -> str:
        """What it is, to stand beside it."""
        return f"{PROXY} Use of the queries: {self.use.how}."

    def overlay(self, *, image: int = 0, frame: int = 0, **look: Any) -> Image.Image:
        """A picture with the map over it, its own maximum in the brightest colour.

        Parameters
        ----------
        image, frame
            Which picture of the prompt, which frame of a film.
        **look
            opacity, colormap, size, smooth: see `explore.maps.overlay.draw_heat`.
        """
        there = [number for number, view in enumerate(self.views) if (view.image, view.frame) == (image, frame)]
        if not there:
            have = sorted({(view.image, view.frame) for view in self.views})
            raise ParameterError(f"There is no image {image} with frame {frame}", f"(image, frame) there are: {have}.")
        highest = max(float(piece.max()) for piece in self.pieces) or 1.0
        grids = [grid_of(self.views[number]) for number in there]
        maps = [self.pieces[number] / highest for number in there]
        return draw_heat(picture_of(self.views[there[0]], self.images), grids, maps, **look)


def grid_of(queries: ImageQueries) -> ImageGrid:
    """The patches that queries look at as a grid; its positions count patches, because patches have none."""
    assert queries.boxes is not None
    rows, cols = queries.shape
    cells = np.arange(rows * cols).reshape(rows, cols)
    return ImageGrid(queries.image, queries.frame, queries.tile, cells, queries.boxes, queries.size)


def picture_of(queries: ImageQueries, images: Sequence[Image.Image]) -> Image.Image:
    """The picture that queries look at.

    Raises
    ------
    ParameterError
        The run kept no pictures.
    """
    if queries.picture >= len(images):
        raise ParameterError(
            f"The picture of image {queries.image}, frame {queries.frame} is not here",
            f"{len(images)} pictures were kept.",
            "Use a trace that keeps its pictures.",
        )
    return images[queries.picture]
