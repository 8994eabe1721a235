"""A picture, a question, a runner of its own: what the tests of runs have in common."""

from __future__ import annotations

from typing import Any

import numpy as np
from PIL import Image

from explore.models.plans import RecordingPlan
from explore.models.runner import Runner
from tests.tiny import tiny_llava

EVERYTHING = RecordingPlan(attention="all", vision=("cls_attention", "keys", "features"))
QUESTION = "what is the red thing?"


def noise(width: int = 50, height: int = 40, seed: int = 0) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8))


def fresh(**options: Any) -> tuple[Any, Runner]:
    """A model of its own, and its runner."""
    model, processor = tiny_llava(**options)
    return model, Runner(model, processor, checkpoint="tiny")
