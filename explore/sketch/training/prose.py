"""Scenes put into sentences, finely enough that every question about them can be answered from the words."""

from __future__ import annotations

import numpy as np

from explore.sketch.cells import place_name, thing_cell
from explore.sketch.language import GROUNDS, Contents, article, contents_of


def describe(contents: Contents, rng: np.random.Generator) -> str:
    """Sentences that say what every thing is, its colour, its size and the map square of its centre, and the ground."""
    things, background = contents_of(contents)
    sentences = [f"Everything is {GROUNDS[background]}."]
    for thing in things:
        size = f"{thing.size} " if thing.size != "medium" else ""
        written = f" that says {thing.text}" if thing.text else ""
        phrase = article(f"{size}{thing.colour} {thing.kind}{written}")
        where = place_name(*thing_cell(thing))
        pattern = ("There is {p} at {w}.", "At {w} there is {p}.", "I see {p} at {w}.")[int(rng.integers(3))]
        sentences.append(pattern.format(p=phrase, w=where))
    return " ".join(str(sentence) for sentence in rng.permutation(sentences))
