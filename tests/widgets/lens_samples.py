"""Readings with a known answer: what every patch of the sample scene says under two lenses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from explore.lens.drift import Drift
from explore.lens.reading import NOTHING, Entry, LensReading
from explore.lens.word_maps import WordMap
from explore.trace import Trace
from tests.widgets.samples import sample_scene

LAYERS = (0, 2, 4)
PHRASE = "\U0001f409 a red cat sits on the grass, far away from the blue house with a door and two windows."
"""Begins with a character that is two units long in a browser."""


def vocabulary(trace: Trace) -> LensReading:
    """A lens over a vocabulary: from layer 2 on, patches of the cat say "cat", the house's "house", others "grass"."""
    entries = {5: Entry(" cat"), 7: Entry(" house"), 9: Entry(" grass"), 11: Entry("<b>&amp;")}
    ids = np.full((len(LAYERS), len(trace.layout.visual), 3), 9)
    ids[1:, :, 0] = np.select([_covered(trace, 0), _covered(trace, 1)], [5, 7], 9)
    ids[..., 1], ids[..., 2] = 11, NOTHING
    scores = np.zeros(ids.shape, np.float32) + np.array([4, 2, 0], np.float32)
    scores[..., 0] += np.linspace(0, 1, ids.shape[1], dtype=np.float32)
    return _reading(trace, "logit", "logit", ids, scores, entries, probabilities=(scores / 10).astype(np.float32))


def phrases(trace: Trace, notes: Sequence[str] = ()) -> LensReading:
    """A lens over a bank: the cat's patches are nearest to one place of a sentence, found in two layers."""
    at = PHRASE.index("cat")
    entries = {
        3: Entry("cat", PHRASE, (at - 1, at + 3)),
        8: Entry("house", PHRASE, (PHRASE.index("house"), PHRASE.index("house") + 5)),
        12: Entry("mist", "in the mist", None),
    }
    ids = np.empty((len(LAYERS), len(trace.layout.visual), 3), np.int64)
    ids[:] = np.where(_covered(trace, 0)[:, None], [3, 3, 12], [8, 12, 3])
    scores = np.zeros(ids.shape, np.float32) + np.array([0.9, 0.5, 0.25], np.float32)
    banks = np.zeros(ids.shape, np.int64) + np.array([4, 2, 1])
    return _reading(trace, "latent", "cosine", ids, scores, entries, bank_layers=banks, notes=tuple(notes))


def drift(trace: Trace) -> Drift:
    """States that grow tenfold with every layer and turn away."""
    positions = np.arange(len(trace.layout) - 1)
    powers = 10.0 ** np.arange(3)[:, None] * np.ones(len(positions))
    return Drift(np.array(LAYERS), positions, powers.astype(np.float32), (1 / powers).astype(np.float32), trace.layout)


def exact(trace: Trace, word: str = "boat") -> WordMap:
    """The map of a word that is no label: higher from left to right."""
    values = np.tile(trace.layout.grid().boxes[..., 0].ravel() / 192, (len(LAYERS), 1)).astype(np.float32)
    return WordMap(word, "latent", "share", np.array(LAYERS), trace.layout.visual, values, trace.layout)


def _covered(trace: Trace, thing: int) -> np.ndarray:
    """Which visual tokens have their middle on a thing."""
    mask, boxes = sample_scene().mask(thing), trace.layout.grid().boxes.reshape(-1, 4)
    middle = ((boxes[:, :2] + boxes[:, 2:]) / 2).astype(int)
    covered: np.ndarray = mask[middle[:, 1], middle[:, 0]]
    return np.tile(covered, len(trace.layout.visual) // len(covered))


@dataclass
class _Told:
    source: ClassVar[str] = "Somebody, 2026"


def _reading(trace: Trace, method: str, unit: str, ids: Any, scores: Any, entries: Any, **more: Any) -> LensReading:
    places: Any = trace.layout.visual
    told: Any = _Told()
    given = {"layout": trace.layout, "lens": told, "fingerprint": trace.fingerprint, **more}
    return LensReading(method, {"k": 3}, unit, np.array(LAYERS), places, scores, ids, entries, **given)
