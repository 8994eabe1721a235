"""Captions scored from pieces of text, one map for each, and a picture of labels: what the reference of TAM reads."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from explore.bench.metrics.caption_scores import CaptionScores, Resize, WordMaps, score_words
from explore.bench.metrics.function_words import Tagger, tag_closed_class
from explore.bench.metrics.names import NameMatcher
from explore.bench.metrics.plurals import same_noun
from explore.bench.metrics.reference_captions import Match, score_reference
from explore.errors import ParameterError

_WORD = re.compile(r"&|[^\W_]+(?:['’][^\W_]+)*")


def score_caption(
    pieces: Sequence[str],
    maps: NDArray[Any],
    labels: NDArray[np.integer[Any]],
    categories: Mapping[str, int],
    *,
    tag: Tagger | None = None,
    match: Match = same_noun,
    special: Collection[int] = (),
    resize: Resize | None = None,
    mode: Literal["correct", "reference"] = "correct",
) -> CaptionScores:
    """Obj-IoU and Func-IoU of one caption.

    In correct mode a name is scored with all its words together, the longest name that fits is meant, and end tokens
    belong to no word. Reference mode keeps what the published code does instead, for comparisons with published
    numbers; `explore.bench.metrics.reference_captions` lists it.

    Source: TAM, arXiv 2506.23270; eval.py of xmed-lab/TAM 7c7df1d.

    Parameters
    ----------
    pieces
        The caption's tokens as text, with their leading spaces (or "▁"), (pieces,).
    maps
        One map for each, (pieces, rows, cols), uint8 or floats.
    labels
        Category of every pixel, integers (height, width); other values are background.
    categories
        Name -> label.
    tag
        Kind of a word by itself. By default closed classes of words are function words, and nouns are the words that
        name a category; with `nltk_tagger()` all nouns have a part in the threshold of function words.
    match
        Whether a word and one word of a category's name are the same noun; for reference mode.
    special
        Indices of pieces that are no text, such as the end token. Reference mode takes them for text.
    resize
        How maps reach the size of the labels. By default exact bilinear interpolation, and in reference mode that of
        the reference's library.
    mode
        "correct" or "reference".

    Raises
    ------
    ParameterError
        There is not one map for each piece (the reference drops such captions without a word), or the shapes or the
        mode are wrong.
    """
    if mode not in ("correct", "reference"):
        raise ParameterError(f"There is no mode {mode!r}", "Modes are 'correct' and 'reference'.")
    if maps.ndim != 3 or len(maps) != len(pieces) or labels.ndim != 2:
        raise ParameterError(
            f"There are {len(pieces)} pieces, maps of shape {maps.shape} and labels of shape {labels.shape}",
            "Maps are (pieces, rows, cols), one for each piece, and labels (height, width).",
        )
    texts = ["" if number in special else piece.replace("▁", " ") for number, piece in enumerate(pieces)]
    if mode == "reference":
        spoken = [piece.replace("▁", " ") for piece in pieces]
        return score_reference(spoken, maps, labels, categories, tag or _tagger_of(categories, match), match, resize)
    enlarge, (rows, cols) = resize or _bilinear, maps.shape[1:]
    words = _words(texts, maps.reshape(len(maps), -1), labels, categories, tag or tag_closed_class)
    return score_words(words, lambda flat: enlarge(flat.reshape(rows, cols), (labels.shape[0], labels.shape[1])))


def _words(
    pieces: Sequence[str], maps: NDArray[Any], labels: NDArray[Any], categories: Mapping[str, int], tag: Tagger
) -> list[WordMaps]:
    """Names of categories, whole, and between them the other words, each with the maps of its pieces."""
    text, ends = "".join(pieces), np.cumsum([len(piece) for piece in pieces])
    starts = ends - [len(piece) for piece in pieces]

    def word(start: int, end: int, **known: Any) -> WordMaps:
        return WordMaps(text[start:end], maps[(starts < end) & (ends > start)], **known)

    names = NameMatcher(categories).find(text)
    found = [word(name.start, name.end, kind="noun", mask=labels == categories[name.name]) for name in names]
    named = {place for name in names for place in range(name.start, name.end)}
    others = [match for match in _WORD.finditer(text) if named.isdisjoint(range(*match.span()))]
    return found + [word(*match.span(), kind=tag(match.group())) for match in others]


def _tagger_of(categories: Mapping[str, int], match: Match) -> Tagger:
    """Words of category names are nouns, words of closed classes function words."""
    parts = {part for name in categories for part in name.split()}
    return lambda word: "noun" if any(match(word, part) for part in parts) else tag_closed_class(word)


def _bilinear(picture: NDArray[Any], size: tuple[int, int]) -> NDArray[Any]:
    """Exact interpolation between the centres of cells, edges extended, (height, width) float64."""
    from skimage.transform import resize

    enlarged: NDArray[Any] = resize(picture.astype(np.float64), size, order=1, mode="edge", anti_aliasing=False)
    return enlarged
