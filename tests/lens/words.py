"""A language of numbered words without a model: its states are decided by the ids up to a token, as a causal one is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch

from explore.runs import TextTokens

START, UNKNOWN, FIRST_WORD = 1, 2, 3
GOLDEN = [" ".join(f"w{(7 * i + j * j + 3 * i * j) % 40:02d}" for j in range(5 + i % 6)) for i in range(64)]
"""The corpus of golden G3 in specs/latent-lens.md."""


class WordLanguage:
    """Words w00, w01 … are tokens 3, 4 …; <s> is a control token."""

    def __init__(self, width: int = 8, change: Callable[[int, torch.Tensor], torch.Tensor] | None = None) -> None:
        self.width, self.change = width, change or (lambda layer, states: states)
        self.ran: list[list[int]] = []

    def tokenize(self, texts: Sequence[str], *, special: bool = True) -> list[TextTokens]:
        found = []
        for text in texts:
            words, at, places = text.split(), 0, []
            for word in words:
                at = text.index(word, at)
                places.append((at, at + len(word)))
                at += len(word)
            ids = np.array([_id(word) for word in words], np.int64)
            found.append(TextTokens(ids, np.array(places, np.int64).reshape(-1, 2), ids < FIRST_WORD))
        return found

    def token_texts(self, ids: Any) -> list[str]:
        return [f"w{each - FIRST_WORD:02d}" if each >= FIRST_WORD else "<s>" for each in np.asarray(ids).tolist()]

    def states(
        self, sentences: Any, layers: Sequence[int], rows: Any = None, *, padding_side: str = "right"
    ) -> dict[int, torch.Tensor]:
        wanted = [range(len(each)) for each in sentences] if rows is None else rows
        self.ran += [np.asarray(each).tolist() for each in sentences]
        # What stands in a batch together changes rounding in a real model, and here a little more than that.
        trace = 1e-3 * len(sentences)
        return {
            layer: self.change(
                layer,
                torch.from_numpy(
                    np.array(
                        [
                            trace + state_of(sentence[: place + 1], layer, self.width)
                            for sentence, places in zip(sentences, wanted, strict=True)
                            for place in np.asarray(places).tolist()
                        ]
                    )
                ).float(),
            )
            for layer in layers
        }


def state_of(prefix: Any, layer: int, width: int) -> np.ndarray:
    """The state of the last of some ids."""
    return 10 * np.random.default_rng([layer, *np.asarray(prefix).tolist()]).standard_normal(width)


def word_runner(language: WordLanguage | None = None, **named: Any) -> Any:
    """What a bank asks of a runner."""
    language = language or WordLanguage()
    fingerprint = {
        "checkpoint": "words",
        "revision": "1",
        "family": "words",
        "dtype": "float32",
        "device": "cpu",
        "versions": {"torch": "1"},
        **named,
    }
    info = SimpleNamespace(layers=6, width=language.width, vocab=100, context_length=64, dtype="float32")
    return SimpleNamespace(language=language, info=info, fingerprint=fingerprint)


def _id(word: str) -> int:
    if word[:1] == "w" and word[1:].isdecimal():
        return int(word[1:]) + FIRST_WORD
    return START if word == "<s>" else UNKNOWN
