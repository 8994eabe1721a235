"""What is a map worth? Data whose truth is known, metrics, and tables of scores.

>>> from explore.bench import score_maps
>>> from explore.bench.data import SketchScenes
>>> table = score_maps(runner, ["tam", "attention"], SketchScenes(20))
"""

from explore.bench.lens_scores import score_lens
from explore.bench.lens_tables import LensScores
from explore.bench.map_scores import EVERY_METHOD, PLACE_METRICS, score_maps, summarise
from explore.bench.tables import markdown_scores, plot_scores

__all__ = [
    "EVERY_METHOD",
    "PLACE_METRICS",
    "LensScores",
    "markdown_scores",
    "plot_scores",
    "score_lens",
    "score_maps",
    "summarise",
]
