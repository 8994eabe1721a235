"""The model that ships: its scene world, its language, its training, its exam."""

from explore.sketch.pens import COLOURS
from explore.sketch.scenes import BACKGROUNDS, Scene, Thing, examples, scene
from explore.sketch.things import KINDS

__all__ = ["BACKGROUNDS", "COLOURS", "KINDS", "Scene", "Thing", "examples", "scene"]
