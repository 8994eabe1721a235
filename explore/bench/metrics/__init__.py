"""How good is a map? Metrics against the truth of a picture, and against the model itself.

>>> truth = Truth(mask, trace.layout)
>>> METRICS["auroc"]().measure(maps.flat(token), truth)
>>> METRICS["deletion"]().measure(score, maps.flat(token))      # score: kept tokens -> probabilities
>>> METRICS["obj_iou"]().tally([score_words(words, truth.pixels)])
"""

from explore.bench.metrics.bootstrap import Interval, bootstrap_difference, bootstrap_interval
from explore.bench.metrics.caption_metrics import CaptionMetric
from explore.bench.metrics.caption_scores import CaptionScores, WordMaps, score_words
from explore.bench.metrics.captions import score_caption
from explore.bench.metrics.cells import mask_areas, mask_coverage, seen_areas
from explore.bench.metrics.closed_classes import CLOSED_CLASSES
from explore.bench.metrics.faithfulness import FaithfulnessMetric, Score
from explore.bench.metrics.function_words import Tagger, function_word_spans, tag_closed_class
from explore.bench.metrics.metric import LocationMetric, Metric, mean_of
from explore.bench.metrics.names import NameMatcher, NameSpan
from explore.bench.metrics.ordering import random_relevance, rank_tokens
from explore.bench.metrics.penn_tags import nltk_tagger
from explore.bench.metrics.pixels import pixel_map
from explore.bench.metrics.table import METRICS
from explore.bench.metrics.truth import Truth

__all__ = [
    "CLOSED_CLASSES",
    "METRICS",
    "CaptionMetric",
    "CaptionScores",
    "FaithfulnessMetric",
    "Interval",
    "LocationMetric",
    "Metric",
    "NameMatcher",
    "NameSpan",
    "Score",
    "Tagger",
    "Truth",
    "WordMaps",
    "bootstrap_difference",
    "bootstrap_interval",
    "function_word_spans",
    "mask_areas",
    "mask_coverage",
    "mean_of",
    "nltk_tagger",
    "pixel_map",
    "random_relevance",
    "rank_tokens",
    "score_caption",
    "score_words",
    "seen_areas",
    "tag_closed_class",
]
