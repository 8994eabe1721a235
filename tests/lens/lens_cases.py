"""What the tests of lenses share: every lens with all it needs, and a bank without files."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from explore.lens.memory_rows import MemoryRows
from explore.lens.method import LensMethod
from explore.lens.table import METHODS
from explore.lens.translators import Translators
from explore.models.runner import Runner
from explore.trace import Trace
from tests.tiny import tiny_runner

SENTENCES = ("the red house is on the left", "a dog is in the picture", "what is the colour of the cat?")


class MemoryBank(MemoryRows):
    """A bank of a few sentences in memory, with the interface of `explore.lens.banks.Bank` that lenses use."""

    def __init__(self, runner: Runner, sentences: Sequence[str] = SENTENCES, layers: Sequence[int] = (0, 1)) -> None:
        tokens = [
            (sentence, place, made)
            for sentence, made in zip(sentences, runner.language.tokenize(sentences), strict=True)
            for place in np.flatnonzero(~made.special)
        ]
        ids = [made.ids for made in runner.language.tokenize(sentences)]
        rows = [np.flatnonzero(~made.special) for made in runner.language.tokenize(sentences)]
        super().__init__(runner.language.states(ids, list(layers), rows))
        self._sentences = [sentence for sentence, _, _ in tokens]
        self._spans = [tuple(int(each) for each in made.offsets[place]) for _, place, made in tokens]
        self.token_texts = runner.language.token_texts([made.ids[place] for _, place, made in tokens])
        self.manifest: dict[str, Any] = {"model": runner.fingerprint, "corpus": {"name": "test"}}

    def sentence(self, row: int) -> str:
        return self._sentences[row]

    def span(self, row: int) -> tuple[int, int] | None:
        first, last = self._spans[row]
        return (first, last)


@functools.cache
def tiny_bank() -> MemoryBank:
    return MemoryBank(tiny_runner())


@functools.cache
def tiny_trace() -> Trace:
    """A run of the tiny model over a picture of 4 x 4 visual tokens."""
    picture = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    return tiny_runner().ask(picture, "what is this?", max_new_tokens=3)


def made(name: str, **options: Any) -> LensMethod:
    """A lens of the table for the tiny model, with all it needs."""
    runner = tiny_runner()
    given = {
        "bank": tiny_bank,
        "fitted": lambda: Translators.zero((0, 1), runner.info.width, runner.fingerprint),
    }
    needs = {each: given[each]() for each in METHODS[name].needs if each in given}
    return METHODS[name](**needs, **options)
