"""What every map method returns: one map per token, and the ways to read them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from numbers import Integral
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from explore.errors import ParameterError
from explore.layout import ImageGrid, Role, TokenLayout
from explore.maps.overlay import draw_heat
from explore.maps.words import Word, find_words, group_words
from explore.trace import Token

Key = int | Token | Word | Sequence[int | Token]
"""What picks a map: a sequence position, a token, a word, or several positions or tokens."""

How = Literal["max", "mean"]


@dataclass(frozen=True, eq=False)
class TokenMaps:
    """Maps of all question and answer tokens over the visual tokens.

    `maps[token]` is (rows, cols) for one picture, (frames, rows, cols) for a video, and a list of such arrays where
    pictures or tiles have grids of their own. Keys are tokens, sequence positions, words, or several positions; the
    text of a token is no key, because words repeat: `maps.find("house")` gives every place where it stands.

    Parameters
    ----------
    tokens
        The tokens that have a map, question first.
    array
        Maps in 0..1, (tokens, visual) float32; the visual axis runs through the layout's grids one after the other,
        each in raster order, and `positions` names the sequence position of each.
    layout
        Where each visual token lies in the picture.
    images
        The pictures the layout refers to.
    parts
        What the method computed on the way, None where it has no parts.
    fingerprint
        The run's fingerprint with the method and its parameters.
    """

    tokens: tuple[Token, ...]
    array: NDArray[np.float32]
    layout: TokenLayout
    images: tuple[Image.Image, ...] = ()
    parts: Any = None
    fingerprint: dict[str, Any] = field(default_factory=dict)

    def __getitem__(self, key: Key) -> NDArray[np.float32] | list[NDArray[np.float32]]:
        return self.unfold(self.flat(key))

    def __len__(self) -> int:
        return len(self.tokens)

    @cached_property
    def positions(self) -> NDArray[np.int64]:
        """Sequence position of every visual token of `array`, (visual,)."""
        return grid_positions(self.layout)

    @cached_property
    def words(self) -> tuple[Word, ...]:
        """Words of the question and of the answer; each is a key and has its pieces in `tokens`."""
        return group_words(self.tokens)

    def find(self, text: str, role: Role | str | None = None) -> tuple[Word, ...]:
        """Every place where a word or phrase stands, in question and answer or in one of them; empty if nowhere."""
        wanted = Role(role) if role is not None else None
        return find_words([word for word in self.words if wanted in (None, word.role)], text)

    def flat(self, key: Key, how: How = "max") -> NDArray[np.float32]:
        """The map of a key over all visual tokens, (visual,); pieces of a word are combined by maximum or mean."""
        rows = self.array[self._rows(key)]
        if how not in ("max", "mean"):
            raise ParameterError(f"Maps cannot be combined by {how!r}", "Allowed are 'max' and 'mean'.")
        combined: NDArray[np.float32] = rows.max(axis=0) if how == "max" else rows.mean(axis=0, dtype=np.float32)
        return combined

    def combine(self, key: Key, how: How = "max") -> NDArray[np.float32] | list[NDArray[np.float32]]:
        """The map of a word, a phrase or any tokens together, by maximum or mean over their maps."""
        return self.unfold(self.flat(key, how))

    def split(self, values: NDArray[Any]) -> tuple[NDArray[Any], ...]:
        """Values over the visual axis (..., visual) cut into one (..., rows, cols) for each grid of the layout."""
        ends = np.cumsum([grid.positions.size for grid in self.layout.grids])[:-1]
        pieces = np.split(values, ends, axis=-1)
        return tuple(
            piece.reshape(*values.shape[:-1], grid.rows, grid.cols)
            for piece, grid in zip(pieces, self.layout.grids, strict=True)
        )

    def unfold(self, values: NDArray[Any]) -> Any:
        """Values (visual,) as they lie in the pictures: (rows, cols), (frames, rows, cols), or a list."""
        pieces = self.split(values)
        if len(pieces) == 1:
            return pieces[0]
        one_video = len({(grid.image, grid.tile, grid.rows, grid.cols) for grid in self.layout.grids}) == 1
        return np.stack(pieces) if one_video else list(pieces)

    def uint8(self) -> NDArray[np.uint8]:
        """All maps as grey levels, (tokens, visual): 255 times the value, cut off and not rounded, as in TAM."""
        return (self.array * np.float32(255)).astype(np.uint8)

    def overlay(
        self,
        key: Key,
        *,
        image: int = 0,
        frame: int = 0,
        how: How = "max",
        stretch: bool = False,
        opacity: float = 0.5,
        colormap: str = "viridis",
        size: int = 480,
        smooth: bool = True,
    ) -> Image.Image:
        """The picture with a map over it.

        Parameters
        ----------
        key
            Token, position, word, or several.
        image, frame
            Which picture of the prompt, which frame of a video.
        how
            How the maps of several tokens are combined.
        stretch
            Draw the map's own maximum in the brightest colour. Off, brightness is comparable between tokens.
        opacity, colormap, size, smooth
            See `explore.maps.overlay.draw_heat`.
        """
        values = self.flat(key, how)
        if stretch and values.max() > 0:
            values = values / values.max()
        pairs = [
            (grid, piece)
            for grid, piece in zip(self.layout.grids, self.split(values), strict=True)
            if (grid.image, grid.frame) == (image, frame)
        ]
        if not pairs:
            have = sorted({(grid.image, grid.frame) for grid in self.layout.grids})
            raise ParameterError(f"There is no image {image} with frame {frame}", f"(image, frame) there are: {have}.")
        grids, pieces = zip(*pairs, strict=True)
        return draw_heat(
            self._picture(grids[0]), grids, pieces, opacity=opacity, colormap=colormap, size=size, smooth=smooth
        )

    def _picture(self, grid: ImageGrid) -> Image.Image:
        """The picture of a grid: one per image, or one per frame where the frames of a video were kept."""
        return self.images[grid.pictures(len(self.images))[0]]

    def _rows(self, key: Key) -> list[int]:
        if isinstance(key, str):
            raise ParameterError(
                f"Maps were asked for the text {key!r}",
                "Keys are tokens, sequence positions and words, because a text can stand in several places.",
                f"Use maps.find({key!r}), which gives all of them.",
            )
        if isinstance(key, Word):
            return [self._row(token) for token in key.tokens]
        if isinstance(key, Token | int | Integral):
            return [self._row(key)]
        rows = [self._row(each) for each in key]
        if not rows:
            raise ParameterError("Maps were asked for no token at all", "Give at least one token or position.")
        return rows

    def _row(self, key: Token | Integral | int) -> int:
        position = key.position if isinstance(key, Token) else int(key)
        row = self._row_of.get(position)
        if row is None or (isinstance(key, Token) and self.tokens[row] != key):
            have = f"{self.tokens[0].position} to {self.tokens[-1].position}" if self.tokens else "none"
            raise ParameterError(
                f"There is no map for {key}",
                f"Tokens of the question and the answer have maps; their positions here: {have}.",
            )
        return row

    @cached_property
    def _row_of(self) -> dict[int, int]:
        return {token.position: row for row, token in enumerate(self.tokens)}


def grid_positions(layout: TokenLayout) -> NDArray[np.int64]:
    """Sequence positions of all grid cells, grids one after the other in raster order, (visual,).

    Visual tokens outside every grid, such as the row ends some families insert, have no place in the picture and so
    no place in a map.
    """
    return np.concatenate([grid.positions.ravel() for grid in layout.grids] or [np.empty(0, np.int64)])
