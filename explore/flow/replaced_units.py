"""Units of an input that can be replaced: text tokens, and patches of cells of the picture."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from explore.edits import ReplaceStates
from explore.errors import ParameterError
from explore.layout import TokenLayout
from explore.runs import RunnerLike
from explore.trace import Trace

SIDE = 8
"""A picture is cut into at most so many units along a side."""

Fill: TypeAlias = Literal["mean", "colour", "blur"] | Image.Image
"""What stands where a patch is replaced: the mean of all its picture's features, or the features of the same place in a
picture of the mean colour, in a blurred one, or in another picture."""


@dataclass(frozen=True, eq=False)
class Unit:
    """Something that is replaced as a whole.

    Parameters
    ----------
    name
        The token's text, or image, tile, row and column of the patch.
    positions
        Its sequence positions, (count,) int64.
    text
        Whether it is a text token.
    """

    name: str
    positions: NDArray[np.int64]
    text: bool


def units_of(trace: Trace, text: Sequence[int], *, image: bool = True, side: int = SIDE) -> tuple[Unit, ...]:
    """The text tokens at some positions, and the picture in at most `side` by `side` patches per grid."""
    found = [Unit(trace.tokens[at].text, np.array([at], np.int64), True) for at in text]
    return (*found, *(_patches(trace.layout, side) if image else ()))


def _patches(layout: TokenLayout, side: int) -> list[Unit]:
    found = []
    for grid in layout.grids:
        step = -(-max(grid.rows, grid.cols) // side)
        for row in range(0, grid.rows, step):
            for col in range(0, grid.cols, step):
                name = f"image {grid.picture} tile {grid.tile} row {row} col {col}"
                found.append(Unit(name, grid.positions[row : row + step, col : col + step].ravel(), False))
    for each in layout.queries:
        for number, part in enumerate(np.array_split(each.positions, min(side * side, len(each.positions)))):
            found.append(Unit(f"image {each.picture} queries {number}", part, False))
    return found


class Replacer:
    """Turns replaced units into edits of what the decoder is given.

    Parameters
    ----------
    runner, trace
        The model and the run.
    units
        Text tokens first.
    fill
        What stands in place of patches.
    """

    def __init__(self, runner: RunnerLike, trace: Trace, units: Sequence[Unit], fill: Fill = "mean") -> None:
        self._runner, self._units = runner, units
        self._given, self.deep = _given(runner, trace)
        self._own = trace.ids
        self._vectors: dict[int, NDArray[np.float32]] = {}
        patches = any(not unit.text for unit in units)
        self._filled = _filled(runner, trace, self._given, fill) if patches else self._given

    def edits(self, replaced: NDArray[np.bool_], ids: NDArray[np.int64]) -> list[tuple[ReplaceStates, ...]]:
        """One variant for each row of replaced (variants, units), with ids (variants, text tokens) in place of text."""
        texts = sum(unit.text for unit in self._units)
        self._learn(np.unique(ids[replaced[:, :texts]]))
        return [self._variant(row, own) for row, own in zip(replaced, ids, strict=True)]

    def _variant(self, replaced: NDArray[np.bool_], ids: NDArray[np.int64]) -> tuple[ReplaceStates, ...]:
        rows: dict[int, NDArray[np.float32]] = {}
        for number in np.flatnonzero(replaced).tolist():
            unit = self._units[number]
            for at in unit.positions.tolist():
                rows[at] = self._text(at, int(ids[number])) if unit.text else self._filled[at]
        if not rows:
            return ()
        order = sorted(rows)
        return (ReplaceStates(tuple(order), (0,), "state", np.stack([rows[at] for at in order])),)

    def _text(self, at: int, token: int) -> NDArray[np.float32]:
        """The decoder's input with another token: only the embeddings are exchanged, places stay in it."""
        return self._given[at] + self._vectors[token] - self._vectors[int(self._own[at])]

    def _learn(self, ids: NDArray[np.int64]) -> None:
        own = [int(self._own[unit.positions[0]]) for unit in self._units if unit.text]
        new = [each for each in dict.fromkeys([*own, *ids.tolist()]) if each not in self._vectors]
        if new:
            states = self._runner.language.states([[each] for each in new], [0])[0].float().cpu().numpy()
            self._vectors |= dict(zip(new, states, strict=True))


def _given(runner: RunnerLike, trace: Trace) -> tuple[NDArray[np.float32], bool]:
    """What the decoder is given, (positions, width), and whether it is given more between its layers."""
    with runner.rerun(trace).replay() as replay:
        deep = any(replay.inserted(number) is not None for number in range(replay.depth))
        found: NDArray[np.float32] = replay.state(0).cpu().numpy()
        return found, deep


def _filled(runner: RunnerLike, trace: Trace, given: NDArray[np.float32], fill: Fill) -> NDArray[np.float32]:
    """What stands at visual positions when they are replaced, (positions, width)."""
    made, visual = given.copy(), trace.layout.visual
    if isinstance(fill, str) and fill == "mean":
        for number in np.unique(trace.layout.image[visual]):
            places = visual[trace.layout.image[visual] == number]
            made[places] = given[places].mean(0)
        return made
    painted = _painter(fill)
    if trace.times is not None:
        raise ParameterError(
            "A film's cells were to be replaced by those of other pictures", "Films take fill='mean'.", ""
        )
    pictures: Any = [painted(picture) for picture in trace.images]
    options = {"system": trace.system, "history": trace.history or None}
    read: Callable[..., Trace] = runner.read
    other = read(pictures, trace.question, trace.answer_ids.tolist(), **{k: v for k, v in options.items() if v})
    if other.layout.visual.tolist() != visual.tolist():
        raise ParameterError("The other picture has other visual tokens", "Both must be cut up alike.")
    made[visual] = _given(runner, other)[0][visual]
    return made


def _painter(fill: Fill) -> Callable[[Image.Image], Image.Image]:
    if isinstance(fill, Image.Image):
        return lambda picture: fill.convert("RGB").resize(picture.size)
    if fill == "blur":
        return lambda picture: picture.filter(ImageFilter.GaussianBlur(max(picture.size) / 16))
    if fill == "colour":
        return lambda picture: picture.resize((1, 1), Image.Resampling.BOX).resize(picture.size)
    raise ParameterError(f"fill={fill!r} was given", "Allowed are 'mean', 'colour', 'blur', or a picture.")
