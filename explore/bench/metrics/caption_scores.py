"""Words of a caption scored one by one: nouns by the place of their map, function words by its darkness."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from explore.bench.metrics.function_words import WordKind
from explore.bench.metrics.otsu import otsu_threshold
from explore.errors import ParameterError

Render = Callable[[NDArray[Any]], NDArray[Any]]
"""One map over the visual tokens, (visual,), to its picture, (height, width); `Truth.pixels` is one."""

Resize = Callable[[NDArray[Any], tuple[int, int]], NDArray[Any]]
"""A map (rows, cols) and a size (height, width) to the map at that size."""


@dataclass(frozen=True, eq=False)
class WordMaps:
    """A word or phrase with the maps of its pieces.

    Parameters
    ----------
    text
        As it stands in the caption.
    maps
        One map for each piece, (pieces, visual), uint8 or floats.
    kind
        "noun", "function" or "other"; others are not scored.
    mask
        Pixels of what a noun names, bool (height, width); None or empty where that is not in the picture.
    """

    text: str
    maps: NDArray[Any]
    kind: WordKind
    mask: NDArray[np.bool_] | None = None

    def __post_init__(self) -> None:
        if self.maps.ndim != 2 or 0 in self.maps.shape or not np.isfinite(self.maps).all():
            raise ParameterError(
                f"The word {self.text!r} has maps of shape {self.maps.shape}",
                "Maps are (pieces, visual), at least one of each, and finite.",
            )


@dataclass(frozen=True, eq=False)
class CaptionScores:
    """What the words of one caption scored; each array has one entry per word.

    Parameters
    ----------
    objects, precision, recall
        Of the nouns whose thing is in the picture: IoU of its mask with the bright part of the word's best map, and
        precision and recall of that map.
    functions
        Of the function words: share of the cells below `threshold`. Empty where the caption has no noun.
    threshold
        Mean over the nouns of the caption of their highest Otsu threshold; NaN without nouns.
    """

    objects: NDArray[np.float64]
    precision: NDArray[np.float64]
    recall: NDArray[np.float64]
    functions: NDArray[np.float64]
    threshold: float


def score_words(words: Sequence[WordMaps], render: Render) -> CaptionScores:
    """Score the words of a caption.

    A noun's maps are drawn at the size of the picture, cut by Otsu's threshold and compared with the mask; the best of
    its pieces counts. Function words should be dark everywhere: their cells are compared with the mean threshold of all
    nouns of the caption, those of things that are not in the picture included.

    Source: TAM, arXiv 2506.23270, Obj-IoU and Func-IoU (Eq. 8-9).

    Parameters
    ----------
    words
        All words of the caption; a name of several words is one.
    render
        Draws one map. Pixels that are NaN are never bright.

    Raises
    ------
    ParameterError
        A mask has not the size of the drawn maps.
    """
    best, thresholds = [], []
    for word in words:
        if word.kind == "noun":
            pictures = [render(each) for each in word.maps]
            cuts = [otsu_threshold(picture) for picture in pictures]
            thresholds.append(max(cuts))
            if word.mask is not None and word.mask.any():
                best.append(best_overlap(pictures, cuts, word.mask))
    threshold = float(np.mean(thresholds)) if thresholds else float("nan")
    objects, precision, recall = np.array(best, np.float64).reshape(-1, 3).T
    return CaptionScores(objects, np.nan_to_num(precision), recall, dark_shares(words, threshold), threshold)


def best_overlap(
    pictures: Sequence[NDArray[Any]], thresholds: Sequence[float], mask: NDArray[np.bool_]
) -> tuple[float, float, float]:
    """IoU, precision and recall of the drawn map with the highest IoU; precision is NaN where nothing is bright."""
    overlaps = []
    for picture, threshold in zip(pictures, thresholds, strict=True):
        if picture.shape != mask.shape:
            raise ParameterError(
                f"A mask of shape {mask.shape} meets a map drawn as {picture.shape}", "They must agree."
            )
        bright = picture > threshold
        both, size = int((bright & mask).sum()), int(bright.sum())
        overlaps.append((both / (bright | mask).sum(), both / size if size else float("nan"), both / mask.sum()))
    return max(overlaps, key=lambda overlap: overlap[0])


def dark_shares(words: Sequence[WordMaps], threshold: float) -> NDArray[np.float64]:
    """Share of cells strictly below the threshold for each function word, mean over its pieces; none without one."""
    if np.isnan(threshold):
        return np.empty(0)
    return np.array([(word.maps < threshold).mean() for word in words if word.kind == "function"], np.float64)
