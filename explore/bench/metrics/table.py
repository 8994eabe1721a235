"""Every metric by name. A new one is its own file and one line here; the contract tests pick it up."""

from __future__ import annotations

from explore.bench.metrics.auroc import Auroc
from explore.bench.metrics.caption_metrics import F1IoU, FunctionIoU, ObjectIoU
from explore.bench.metrics.insertion_deletion import Deletion, Insertion
from explore.bench.metrics.metric import Metric
from explore.bench.metrics.pointing import CellPointing, PointingGame
from explore.bench.metrics.rationale import Comprehensiveness, Sufficiency
from explore.bench.metrics.relevance_mass import RelevanceMass
from explore.bench.metrics.relevance_rank import RelevanceRank

METRICS: dict[str, type[Metric]] = {
    "obj_iou": ObjectIoU,
    "func_iou": FunctionIoU,
    "f1_iou": F1IoU,
    "pointing": PointingGame,
    "pointing_cells": CellPointing,
    "relevance_mass": RelevanceMass,
    "relevance_rank": RelevanceRank,
    "auroc": Auroc,
    "insertion": Insertion,
    "deletion": Deletion,
    "comprehensiveness": Comprehensiveness,
    "sufficiency": Sufficiency,
}
