"""Sentences of the sketch language: every kind of text that the shipped model was trained to read, for lenses."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import cached_property
from typing import Any

import numpy as np

from explore.errors import ParameterError
from explore.sketch.language import (
    CAPTION_REQUESTS,
    GROUNDS,
    Question,
    article,
    caption,
    caption_request,
    place_phrase,
    questions,
)
from explore.sketch.prompts import turn_text
from explore.sketch.scenes import Thing, draw_contents
from explore.sketch.training.prose import describe

_ASKED = 3  # questions about each scene

Contents = tuple[tuple[Thing, ...], str]
"""Things and ground of a scene."""


class SketchCorpus:
    """So many different sentences about scenes that are drawn from a seed, in the order of the scenes.

    A smaller corpus of the same seed is the beginning of a larger one.

    Parameters
    ----------
    sentences
        How many.
    seed
        Another seed draws other scenes.

    Raises
    ------
    ParameterError
        None were asked for.
    """

    def __init__(self, sentences: int = 8_000, seed: int = 0) -> None:
        if sentences < 1 or seed < 0:
            raise ParameterError(f"sentences={sentences}, seed={seed} were given", "At least one, and a seed from 0.")
        self.sentences, self.seed = sentences, seed
        self.name = f"sketch-{sentences}" if seed == 0 else f"sketch-{sentences}-seed-{seed}"

    def __len__(self) -> int:
        return self.sentences

    def __iter__(self) -> Iterator[str]:
        seen = set[str]()
        for number in range(2**31):
            rng = np.random.default_rng((self.seed, number))
            for text in scene_sentences(draw_contents(rng), rng):
                if text not in seen:
                    seen.add(text)
                    yield text
                if len(seen) == self.sentences:
                    return

    @cached_property
    def fingerprint(self) -> dict[str, Any]:
        """What identifies it: the text itself, whatever made it."""
        hashed = hashlib.sha256()
        for text in self:
            hashed.update(text.encode() + b"\n")
        return {"kind": "sketch", "sentences": self.sentences, "seed": self.seed, "sha256": hashed.hexdigest()}


def sketch_corpus(sentences: int = 8_000, seed: int = 0) -> SketchCorpus:
    """Sentences of the sketch language, for banks of text states; parameters as of `SketchCorpus`."""
    return SketchCorpus(sentences, seed)


def scene_sentences(contents: Contents, rng: np.random.Generator) -> Iterator[str]:
    """What is said about one scene: of single things, in captions, in prose, and in questions with their answers."""
    things, ground = contents
    for thing in things:
        yield from _of_thing(thing, ground, rng)
    for style in CAPTION_REQUESTS:
        yield caption(contents, style).text
    yield describe(contents, rng)
    asked = questions(contents, rng)
    chosen = rng.permutation(len(asked))[:_ASKED]
    style = list(CAPTION_REQUESTS)[int(rng.integers(len(CAPTION_REQUESTS)))]
    for question in (*(asked[int(each)] for each in chosen), caption_request(contents, style, rng)):
        yield from _turn(question, contents, rng)


def _of_thing(thing: Thing, ground: str, rng: np.random.Generator) -> Iterator[str]:
    """A few words on one thing: with its colour, its size, where it is and on which ground."""
    size = f"{thing.size} " if thing.size != "medium" else ""
    coloured = f"{size}{thing.colour} {thing.kind}"
    yield article(coloured).capitalize()
    yield f"{article(f'{thing.colour} {thing.kind}').capitalize()} {GROUNDS[ground]}."
    yield f"The {thing.kind} is {thing.colour if rng.random() < 0.5 else place_phrase(thing)}."
    if thing.text:
        yield f"The sign says {thing.text}"


def _turn(question: Question, contents: Contents, rng: np.random.Generator) -> Iterator[str]:
    """A question with its answer as the model is asked, now and then with the scene in prose before it."""
    prose = f"{describe(contents, rng)}\n" if rng.random() < 0.25 else ""
    yield f"USER: {prose}{turn_text(question)}"
