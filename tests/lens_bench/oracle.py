"""Lenses that are not read from any state: one knows the truth of every picture, one says the same of all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from explore.bench.named_patches import NamedData, names_under
from explore.lens.method import HANDED, LensMethod, LensRun, Ranked
from explore.lens.reading import NOTHING, Entry


@dataclass(frozen=True)
class Oracle(LensMethod):
    """Says what the truth says, as its last label; `wrong` is the share of tokens whose label is taken away."""

    name: ClassVar[str] = "oracle"
    source: ClassVar[str] = "none"

    wrong: float = 0.0
    kind: str = "thing"
    truth: Mapping[bytes, int] | None = field(default=None, metadata=HANDED)
    known: NamedData | None = field(default=None, metadata=HANDED)

    def compute(self, run: LensRun) -> Ranked:
        names = self.known.sets[self.kind].names
        masks = self.known.masks(self.truth[run.trace.images[0].tobytes()])[self.kind]
        under = names_under(masks, names, run.trace.layout, run.positions)
        rng = np.random.default_rng(len(run.trace.images[0].tobytes()) + int(under.sum()))
        said = np.where(under.any(1) & (rng.random(len(under)) >= self.wrong), under.argmax(1), NOTHING)
        ids = np.full((len(run.layers), len(said), self.k), len(names))
        ids[:, :, -1] = said
        entries = {number: Entry(f" {name}") for number, name in enumerate([*names, "nothing"])}
        return Ranked(np.zeros(ids.shape, np.float32), ids, entries, bank_layers=np.full(ids.shape, 1))


def oracle(data, known, **parameters):
    return Oracle(truth={example.image.tobytes(): n for n, example in enumerate(data)}, known=known, **parameters)


@dataclass(frozen=True)
class Parrot(LensMethod):
    """Says the same words of everything."""

    name: ClassVar[str] = "parrot"
    source: ClassVar[str] = "none"

    words: tuple[str, ...] = ("dog", "cat", "bird", "fish", "rabbit")

    def compute(self, run: LensRun) -> Ranked:
        shape = (len(run.layers), len(run.positions), len(self.words))
        ids = np.broadcast_to(np.arange(len(self.words)), shape).copy()
        return Ranked(np.zeros(shape, np.float32), ids, dict(enumerate(map(Entry, self.words))))
