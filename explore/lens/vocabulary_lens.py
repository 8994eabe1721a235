"""What the lenses share that score every token of the vocabulary: which tokens may be named, and asking for a word."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from explore.lens.method import LensMethod, LensRun
from explore.lens.reading import Entry
from explore.lens.word_forms import Combine, best_form, forms_of
from explore.runs import LanguageLike


@dataclass(frozen=True)
class VocabularyLens(LensMethod):
    """A lens whose labels are tokens.

    Parameters
    ----------
    words_only
        Name only tokens that a text can have: no control tokens, no placeholders of pictures, no unused rows.
    """

    words_only: bool = True

    @abstractmethod
    def token_scores(self, run: LensRun, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        """How much every state says each of some tokens, (layers, tokens, ids) float32."""

    def word_scores(self, run: LensRun, text: str, combine: Combine = "mean") -> NDArray[np.float32]:
        """How much every state says a word, (layers, tokens) float32: the way to spell it that fits best."""
        forms = forms_of(run.language, text)
        ids = np.unique(np.concatenate(forms))
        return best_form(self.token_scores(run, ids), ids, forms, combine)

    def named(self, run: LensRun) -> NDArray[np.bool_] | None:
        """The tokens that may be named, (vocabulary,) bool; None means all."""
        return run.language.words() if self.words_only else None


def spelled(language: LanguageLike, ids: NDArray[np.int64]) -> dict[int, Entry]:
    """What each token id of an array spells."""
    unique = np.unique(ids[ids >= 0])
    return {int(each): Entry(text) for each, text in zip(unique, language.token_texts(unique), strict=True)}
