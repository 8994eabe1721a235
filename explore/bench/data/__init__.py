"""Pictures whose truth is known: the sketch world with exact masks, and a user's own folder in the COCO format.

>>> data = SketchScenes(500)                        # examples with true captions, or own_words=True
>>> data = CocoFolder("~/pictures/val")
>>> data[0].targets[0].mask                         # bool (height, width)
>>> data[0].answered(trace.answer).targets          # the same of the model's own answer
"""

from explore.bench.data.coco_folder import CocoFolder
from explore.bench.data.example import Example, Examples, Span, Target
from explore.bench.data.sized import SizedTargets
from explore.bench.data.sketch_names import find_things
from explore.bench.data.sketch_scenes import FIRST_BENCH_SEED, SketchScenes

__all__ = [
    "FIRST_BENCH_SEED",
    "CocoFolder",
    "Example",
    "Examples",
    "SizedTargets",
    "SketchScenes",
    "Span",
    "Target",
    "find_things",
]
