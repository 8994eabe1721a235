"""Captions scored as the published code of TAM scores them, its mistakes included, to compare with its numbers.

What differs from `score_words`:

- maps become whole grey levels by cutting off, and are resized in fixed point;
- words end before a space or a punctuation mark, so an end token is part of the last word;
- a noun means the last category that has this word in its name: "dog" is a hot dog, "bear" a teddy bear;
- each word of a name is scored by itself, and two scores are merged where two words in a row mean the same category,
  even if neither of the scores is theirs because that category is not in the picture;
- the precision of a map without bright pixels is NaN.
"""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from explore.bench.metrics.caption_scores import CaptionScores, Resize, WordMaps, best_overlap, dark_shares
from explore.bench.metrics.fixed_point import fixed_point_resize
from explore.bench.metrics.function_words import Tagger
from explore.bench.metrics.otsu import otsu_threshold

Match = Callable[[str, str], bool]
"""Whether a word of the caption and one word of a category's name are the same."""

_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")


def score_reference(
    pieces: Sequence[str],
    maps: NDArray[Any],
    labels: NDArray[np.integer[Any]],
    categories: Mapping[str, int],
    tag: Tagger,
    match: Match,
    resize: Resize | None = None,
) -> CaptionScores:
    """Scores of one caption in reference mode; parameters as in `score_caption`, every one given."""
    grey = maps if maps.dtype == np.uint8 else (maps * 255).astype(np.uint8)
    enlarge, size = resize or fixed_point_resize, (labels.shape[0], labels.shape[1])
    runs = _runs(pieces)
    words = []
    for run in runs:
        text = "".join(pieces[number] for number in run).strip()
        words.append(WordMaps(text, grey[run].reshape(len(run), -1), tag(text)))
    meant = [_last_category(word, categories, match) for word in words]
    present = set(np.unique(labels).tolist())

    scores: list[tuple[float, float, float]] = []
    thresholds = []
    for place, (word, run) in enumerate(zip(words, runs, strict=True)):
        if word.kind != "noun":
            continue
        pictures = [enlarge(grey[number], size) for number in run]
        cuts = [_threshold(picture) for picture in pictures]
        thresholds.append(max(cuts))
        label = meant[place]
        if label in present:
            scores.append(best_overlap(pictures, cuts, labels == label))
        # The word before the first one is the last, as negative indices have it.
        if label is not None and label == meant[place - 1] and len(scores) > 1:
            latest = scores.pop()
            scores[-1] = max(scores[-1], latest, key=lambda score: score[0])
    threshold = float(np.mean(thresholds)) if thresholds else float("nan")
    objects, precision, recall = np.array(scores, np.float64).reshape(-1, 3).T
    return CaptionScores(objects, precision, recall, dark_shares(words, threshold), threshold)


def _runs(pieces: Sequence[str]) -> list[list[int]]:
    """Indices of the pieces of each word."""
    runs: list[list[int]] = []
    for number, piece in enumerate(pieces):
        mark = bool(piece) and all(character in string.punctuation for character in piece)
        if not runs or mark or piece.startswith(" ") or _CJK.search(piece):
            runs.append([])
        runs[-1].append(number)
    return runs


def _last_category(word: WordMaps, categories: Mapping[str, int], match: Match) -> int | None:
    """Label of the last category that has this noun as one of its words."""
    if word.kind != "noun":
        return None
    fitting = [label for name, label in categories.items() if any(match(word.text, part) for part in name.split())]
    return fitting[-1] if fitting else None


def _threshold(picture: NDArray[Any]) -> float:
    """Otsu's threshold as the reference's library has it: 0 for a picture of one value."""
    return otsu_threshold(picture) if picture.min() < picture.max() else 0.0
