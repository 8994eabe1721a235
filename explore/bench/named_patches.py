"""What is under every visual token, by name: things, and where they are known colours and what is written."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from explore.bench.data.coco_folder import CocoFolder
from explore.bench.data.example import Example
from explore.bench.data.sized import SizedTargets
from explore.bench.data.sketch_scenes import SketchScenes
from explore.bench.metrics.cells import mask_coverage, picture_size
from explore.bench.metrics.names import NameMatcher
from explore.errors import ParameterError
from explore.layout import TokenLayout
from explore.maps.result import grid_positions
from explore.runs import LanguageLike
from explore.sketch.pens import COLOURS
from explore.sketch.scenes import SIGN_TEXTS, scene
from explore.sketch.things import KINDS

THINGS, COLOUR, WRITTEN, ONE_TOKEN = "thing", "colour", "text of a sign", "thing of one token"
Case = Literal["any", "lower", "exact"]
"""How a name may be written: in any way, in any but all in capitals, or only as it is."""

Masks = dict[str, dict[str, NDArray[np.bool_]]]
"""By set of names and name: pixels of what is called that, bool (height, width)."""


@dataclass(frozen=True)
class NameSet:
    """Names of one kind, of which a visual token may show one or several.

    Parameters
    ----------
    matcher
        Finds them in texts, in singular and plural and by their synonyms.
    case
        How names may be written. Of the sketch world's things no name is all in capitals: that is what a sign says.
    only
        Those of the matcher's names that count; None means all.
    """

    matcher: NameMatcher
    case: Case = "any"
    only: frozenset[str] | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """All of them."""
        return tuple(name for name in self.matcher.names if self.only is None or name in self.only)

    def find(self, text: str, span: tuple[int, int] | None = None) -> frozenset[str]:
        """The names in a text; with a span of characters, those of which the span holds a part."""
        first, last = span or (0, len(text))
        spans = [found for found in self.matcher.find(text) if found.start < last and first < found.end]
        said = {each.name for each in spans if self._fits(text[each.start : each.end], each.name)}
        return frozenset(said if self.only is None else said & self.only)

    def _fits(self, written: str, name: str) -> bool:
        return {"any": True, "lower": not written.isupper(), "exact": written == name}[self.case]


@dataclass(frozen=True)
class NamedData:
    """A data set seen as patches with names.

    Parameters
    ----------
    data
        The examples.
    sets
        What names there are, by kind.
    masks
        The pixels of all that has a name in an example, by its number.
    """

    data: Sequence[Example]
    sets: Mapping[str, NameSet]
    masks: Callable[[int], Masks]


def named_data(data: Sequence[Example], names: Sequence[str] | None = None) -> NamedData:
    """The names that a data set knows: kinds, colours and texts of the sketch world, or categories of a COCO folder.

    Parameters
    ----------
    names
        Names of things to look for; needed where a data set is of another kind.

    Raises
    ------
    ParameterError
        The names are not known.
    """
    if isinstance(data, SketchScenes) and names is None:
        return NamedData(data, _sketch_sets(), lambda number: _sketch_masks(data, number))
    if names is None:
        inner = data.data if isinstance(data, SizedTargets) else data
        if not isinstance(inner, CocoFolder | SketchScenes):
            raise ParameterError(
                f"The names of a data set of type {type(inner).__name__} are not known",
                "SketchScenes and CocoFolder know theirs.",
                "Give them, such as names=['dog', 'cat'].",
            )
        matcher = inner.matcher if isinstance(inner, CocoFolder) else _sketch_sets()[THINGS].matcher
    else:
        matcher = NameMatcher(names)
    return NamedData(data, {THINGS: NameSet(matcher)}, lambda number: {THINGS: _found(data[number], matcher.names)})


def with_one_token_names(known: NamedData, language: LanguageLike) -> NamedData:
    """The same with one more set: things whose name is one token, behind a space or not.

    A lens whose labels are tokens cannot say the others as a whole, so on these alone all lenses can be compared. Left
    out where it would hold all names, or none.
    """
    things = known.sets[THINGS]
    short = set[str]()
    for space in (" ", ""):
        made = language.tokenize([f"{space}{name}" for name in things.names], special=False)
        short |= {name for name, each in zip(things.names, made, strict=True) if (~each.special).sum() == 1}
    if not 0 < len(short) < len(things.names):
        return known

    def masks(number: int) -> Masks:
        found = known.masks(number)
        return found | {ONE_TOKEN: found[THINGS]}

    return replace(known, sets={**known.sets, ONE_TOKEN: replace(things, only=frozenset(short))}, masks=masks)


def names_under(
    masks: Mapping[str, NDArray[np.bool_]],
    names: Sequence[str],
    layout: TokenLayout,
    positions: NDArray[np.int64],
    cover: float = 0.5,
) -> NDArray[np.bool_]:
    """Which names what lies under each token has, bool (tokens, names).

    Parameters
    ----------
    masks
        Pixels by name; made for a picture of another size, they are stretched to this one.
    positions
        Sequence positions of the tokens; those outside the grids show nothing.
    cover
        Least share of what a token sees that has to be covered.
    """
    place = {position: number for number, position in enumerate(positions.tolist())}
    cells = [(place[at], cell) for cell, at in enumerate(grid_positions(layout).tolist()) if at in place]
    tokens, seen = (np.array(each, np.int64) for each in (zip(*cells, strict=True) if cells else ((), ())))
    under = np.zeros((len(positions), len(names)), bool)
    for column, name in enumerate(names):
        if name in masks and masks[name].any():
            stretched = _stretched(masks[name], picture_size(layout))
            under[tokens, column] = mask_coverage(stretched, layout)[seen] >= cover
    return under


def _stretched(mask: NDArray[np.bool_], size: tuple[int, int]) -> NDArray[np.bool_]:
    if mask.shape == size[::-1]:
        return mask
    return np.asarray(Image.fromarray(mask).resize(size, Image.Resampling.NEAREST))


def _found(example: Example, names: Sequence[str]) -> dict[str, NDArray[np.bool_]]:
    """Pixels of everything of each name: an answer that names all there is has all of it as its targets."""
    return {target.label: target.mask for target in example.find(", ".join(names)) if target.present}


def _sketch_sets() -> dict[str, NameSet]:
    plurals = {kind.plural: kind.name for kind in KINDS.values() if kind.plural != kind.name}
    return {
        THINGS: NameSet(NameMatcher(KINDS, plurals), "lower"),
        COLOUR: NameSet(NameMatcher(COLOURS)),
        WRITTEN: NameSet(NameMatcher(SIGN_TEXTS), "exact"),
    }


def _sketch_masks(data: SketchScenes, number: int) -> Masks:
    drawn = scene(seed=data.first_seed + number)
    found: Masks = {THINGS: {}, COLOUR: {}, WRITTEN: {}}
    for index, thing in enumerate(drawn.things):
        for kind, name in ((THINGS, thing.kind), (COLOUR, thing.colour), (WRITTEN, thing.text)):
            if name:
                found[kind][name] = found[kind].get(name, False) | drawn.mask(index)
    return found
