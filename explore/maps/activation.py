"""The numbers of token activation maps, on plain arrays: from raw scores to finished maps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from explore.errors import ParameterError
from explore.maps.interference import context_mask, interference_maps, least_squares_scale
from explore.maps.rank_filter import Flat, rank_gaussian_filter


@dataclass(frozen=True, eq=False)
class RawScores:
    """What the model says, before any of it is explained away.

    Entries are the text tokens in order: `prompt` question tokens, then the answer tokens. Each has a class (the token
    id it stands for) and a position (where the model is read: question tokens at themselves, answer tokens where they
    are predicted).

    Parameters
    ----------
    visual
        A, activation of each entry's class at the visual tokens: logits with negative ones at 0, (entries, visual).
    text
        R, activation of each entry's class at each entry's position, (entries, context entries).
    pieces
        Text piece of each entry, (entries,).
    prompt
        How many entries belong to the question.
    words
        Word each entry belongs to, (entries,), -1 for none.
    classes
        Token id explained by each entry, (entries,).
    """

    visual: NDArray[np.float32]
    text: NDArray[np.float32]
    pieces: tuple[str, ...]
    prompt: int
    words: tuple[int, ...]
    classes: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Activation:
    """Every step of the computation for all entries.

    Parameters
    ----------
    maps
        Finished maps, (entries, visual) float32 in 0..1.
    raw
        A, activation before anything is taken away, (entries, visual) float32.
    interference
        I, what the context already lit up, (entries, visual) float64.
    scale
        s, how much of I was subtracted from A, (entries,) float64.
    normalised
        Maps after the joint normalisation, before the filter, (entries, visual) float32.
    text
        Normalised text scores: how strongly the class responds at each context entry's position,
        (entries, context entries) float32, NaN where an entry does not count.
    classes
        Token id explained by each entry.
    """

    maps: NDArray[np.float32]
    raw: NDArray[np.float32]
    interference: NDArray[np.float64]
    scale: NDArray[np.float64]
    normalised: NDArray[np.float32]
    text: NDArray[np.float32]
    classes: tuple[int, ...]

    def only(self, rows: NDArray[np.bool_]) -> Activation:
        """The steps of some entries, (entries,) bool; the context entries stay all."""
        if rows.all():
            return self
        return Activation(
            maps=self.maps[rows],
            raw=self.raw[rows],
            interference=self.interference[rows],
            scale=self.scale[rows],
            normalised=self.normalised[rows],
            text=self.text[rows],
            classes=tuple(each for each, kept in zip(self.classes, rows, strict=True) if kept),
        )


def activation_maps(
    scores: RawScores,
    shapes: Sequence[tuple[int, int]],
    *,
    eci: bool = True,
    rank_filter: bool = True,
    kernel: int = 3,
    flat: Flat = "keep",
    skip_own_word: bool = False,
) -> Activation:
    """Maps of all entries in one go: subtract interference, normalise with the text scores, filter by rank.

    Source: TAM, arXiv 2506.23270; order and details of the reference, tam.py of xmed-lab/TAM 7c7df1d.

    Parameters
    ----------
    scores
        Raw activations.
    shapes
        (rows, cols) of the grids that the visual axis runs through one after the other, each in raster order.
    eci
        Subtract the estimated interference of earlier tokens.
    rank_filter
        Smooth every grid with the rank Gaussian filter.
    kernel
        Side of the filter's window in cells.
    flat
        What the filter makes of constant windows, see `rank_gaussian_filter`.
    skip_own_word
        Leave earlier pieces of an entry's own word out of its context.

    Raises
    ------
    ParameterError
        The shapes do not add up to the visual tokens, or a score is not a finite number.
    """
    _check(scores, shapes)
    mask = context_mask(scores.pieces, scores.words if skip_own_word else None)
    if not eci:
        mask = np.zeros_like(mask)
    interference = interference_maps(scores.visual, scores.text, mask)
    scale = least_squares_scale(scores.visual, interference)
    cleaned = np.maximum(scores.visual - scale[:, None] * interference, 0).astype(np.float32)
    normalised, text = normalise_jointly(cleaned, scores.text, counted_text(len(cleaned), scores.prompt))
    maps = filter_grids(normalised, shapes, kernel, flat) if rank_filter else normalised
    return Activation(maps, scores.visual, interference, scale, normalised, text, scores.classes)


def counted_text(entries: int, prompt: int) -> NDArray[np.bool_]:
    """Which text scores each entry is normalised with: the whole question, and for later tokens all that came before.

    Question entries and the first answer entry see every question score, later ones included; no answer entry sees
    its own score.

    Returns
    -------
    (entries, context entries) bool
    """
    index = np.arange(entries)
    return index[None, :] < np.maximum(index, prompt)[:, None]


def normalise_jointly(
    maps: NDArray[np.float32], text: NDArray[np.float32], counted: NDArray[np.bool_]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Stretch each entry's visual and text scores together to 0..1.

    One minimum and one maximum are taken over all visual tokens (every image and frame) and the counted text scores,
    so a token that mostly answers to text gets a dark map. All scores equal gives zeros.

    Source: TAM, arXiv 2506.23270 (joint normalisation, "activation degree").

    Returns
    -------
    maps (entries, visual) float32, text (entries, context entries) float32 with NaN where not counted.
    """
    low = np.minimum(maps.min(axis=1, initial=np.inf), text.min(axis=1, initial=np.inf, where=counted))
    high = np.maximum(maps.max(axis=1, initial=-np.inf), text.max(axis=1, initial=-np.inf, where=counted))
    span = np.where(high > low, high - low, 1).astype(np.float32)[:, None]
    floor = low.astype(np.float32)[:, None]
    return (maps - floor) / span, np.where(counted, (text - floor) / span, np.float32(np.nan))


def filter_grids(
    maps: NDArray[np.float32], shapes: Sequence[tuple[int, int]], kernel: int, flat: Flat
) -> NDArray[np.float32]:
    """The rank filter on every grid by itself; grids of one shape (the frames of a video) are filtered together.

    Parameters
    ----------
    maps
        (entries, visual), grids one after the other on the visual axis.

    Returns
    -------
    (entries, visual) float32
    """
    filtered = np.empty_like(maps)
    starts = np.concatenate([[0], np.cumsum([rows * cols for rows, cols in shapes])]).astype(int)
    for shape in dict.fromkeys(shapes):
        cells = np.concatenate(
            [np.arange(a, b) for a, b, each in zip(starts[:-1], starts[1:], shapes, strict=True) if each == shape]
        )
        stack = maps[:, cells].reshape(len(maps), shapes.count(shape), *shape)
        filtered[:, cells] = rank_gaussian_filter(stack, kernel, flat=flat).reshape(len(maps), len(cells))
    return filtered


def _check(scores: RawScores, shapes: Sequence[tuple[int, int]]) -> None:
    entries, visual = scores.visual.shape
    cells = sum(rows * cols for rows, cols in shapes)
    if cells != visual or visual == 0:
        raise ParameterError(
            f"The maps have {visual} visual tokens and grids of {cells} cells", "They must agree and not be zero."
        )
    if scores.text.shape != (entries, entries) or len(scores.pieces) != entries:
        raise ParameterError(
            f"There are {entries} entries, text scores of shape {scores.text.shape} and {len(scores.pieces)} pieces",
            "Text scores are (entries, entries), and every entry has a piece.",
        )
    if not (np.isfinite(scores.visual).all() and np.isfinite(scores.text).all()):
        raise ParameterError(
            "The model's logits hold values that are not finite",
            "Maps need finite logits.",
            "Load the model in bfloat16 or float32: float16 may overflow.",
        )
