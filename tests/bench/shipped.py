"""The model that the benchmarks of a run are measured on, and what it is asked."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

from PIL import Image

import explore
from explore.errors import CheckpointError
from explore.models.runner import Runner
from tests.bench.harness import Unavailable

QUESTION = "What is in the picture?"
_FIRST_SEED = 7_000_000


def shipped_runner() -> Runner:
    """The model that ships, as `explore.load()` gives it."""
    try:
        return explore.load()
    except CheckpointError as problem:
        raise Unavailable(str(problem)) from problem


def pictures() -> Iterator[Image.Image]:
    """Endless pictures, each another scene: no cache may answer in the model's place."""
    for seed in count(_FIRST_SEED):
        yield explore.sketch.scene(seed=seed).image
