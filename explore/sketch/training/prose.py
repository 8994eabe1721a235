"""Scenes put into sentences, finely enough that every question about them can be answered from the words."""

from __future__ import annotations

import numpy as np

from explore.sketch.cells import order_ranks, order_words, place_words, thing_cell
from explore.sketch.language import GROUNDS, Contents, article, contents_of


def describe(contents: Contents, rng: np.random.Generator) -> str:
    """Sentences on what every thing is, its colour, size, place and order among the others, and on the ground."""
    things, background = contents_of(contents)
    sentences = [f"Everything is {GROUNDS[background]}."]
    for thing, ranks in zip(things, order_ranks(things), strict=True):
        size = f"{thing.size} " if thing.size != "medium" else ""
        written = f" that says {thing.text}" if thing.text else ""
        phrase = article(f"{size}{thing.colour} {thing.kind}{written}")
        where = f"{' '.join(place_words(*thing_cell(thing)))}, {' '.join(order_words(*map(int, ranks)))}"
        pattern = ("There is {p} at {w}.", "At {w}, there is {p}.", "I see {p} at {w}.")[int(rng.integers(3))]
        sentences.append(pattern.format(p=phrase, w=where))
    return " ".join(str(sentence) for sentence in rng.permutation(sentences))
