"""The sketch world as a data set: any number of unseen scenes with the exact pixels of every thing named."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import partial
from typing import Any, Literal

import numpy as np

from explore.bench.data.example import Example, Examples, Target
from explore.bench.data.sketch_names import Extent, find_things
from explore.bench.metrics.function_words import function_word_spans
from explore.errors import ParameterError
from explore.sketch.language import CAPTION_REQUESTS, caption, caption_request
from explore.sketch.scenes import Scene, scene

FIRST_BENCH_SEED = 2_000_000_000
"""Scenes are drawn from here on: training draws below 1 000 000 000, the exam from there on."""


@dataclass(frozen=True)
class SketchScenes(Examples):
    """Scenes with a request for a caption, drawn when they are asked for; the same again for the same parameters.

    Parameters
    ----------
    scenes
        How many.
    first_seed
        Seed of the first scene, the others count on from it. The default is a range of its own, which neither training
        nor exam has seen.
    style
        What the request asks for: "short" names the things, "scene" adds the ground, "full" adds sizes and places.
    own_words
        Leave the answer to the model; off, the true caption is the answer.
    extent
        "noun" for targets of the noun alone, "phrase" with article, size and colour.
    """

    scenes: int = 500
    first_seed: int = FIRST_BENCH_SEED
    style: Literal["full", "scene", "short"] = "full"
    own_words: bool = False
    extent: Extent = "noun"

    def __post_init__(self) -> None:
        if self.scenes < 1 or self.first_seed < 0:
            raise ParameterError(
                f"scenes={self.scenes} and first_seed={self.first_seed} were given",
                "At least one scene is needed, and seeds are not negative.",
            )
        if self.style not in CAPTION_REQUESTS or self.extent not in ("noun", "phrase"):
            raise ParameterError(
                f"style={self.style!r} and extent={self.extent!r} were given",
                f"Styles are {', '.join(CAPTION_REQUESTS)}; extents are noun, phrase.",
            )

    @property
    def fingerprint(self) -> dict[str, Any]:
        """What decides the examples."""
        return {"data": "sketch", **asdict(self)}

    def __len__(self) -> int:
        return self.scenes

    def example(self, number: int) -> Example:
        """See `Examples.example`."""
        seed = self.first_seed + number
        drawn = scene(seed=seed)
        asked = caption_request(drawn, self.style, np.random.default_rng(seed))
        return Example(
            id=f"sketch-{seed}-{self.style}",
            image=drawn.image,
            question=asked.text,
            answer=None if self.own_words else asked.answer,
            targets=() if self.own_words else self._targets(drawn),
            find=partial(find_things, drawn, extent=self.extent),
            function_words=() if self.own_words else function_word_spans(asked.answer),
        )

    def _targets(self, drawn: Scene) -> tuple[Target, ...]:
        """The things as the scene's own caption names them, which needs no guessing."""
        targets = []
        for start, end, index in caption(drawn, self.style).spans:
            kind = drawn.things[index].kind
            begin = end - len(kind) if self.extent == "noun" else start
            targets.append(Target((begin, end), kind, drawn.mask(index)))
        return tuple(targets)
