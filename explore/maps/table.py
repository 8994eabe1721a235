"""Every map method by name. A new one is its own file and one line here; the contract tests pick it up."""

from __future__ import annotations

from explore.maps.ablation import FeatureAblation
from explore.maps.attention import AttentionMap
from explore.maps.centre import CentrePrior
from explore.maps.chance import RandomMap
from explore.maps.grad_cam import GradCam
from explore.maps.integrated_gradients import IntegratedGradients
from explore.maps.knockout import Knockout
from explore.maps.logit import LogitMap
from explore.maps.method import MapMethod
from explore.maps.occlusion import Occlusion
from explore.maps.relevance import Relevance
from explore.maps.rollout import Rollout
from explore.maps.similarity import Similarity
from explore.maps.tam import TokenActivation
from explore.maps.value_norm import ValueNorm

METHODS: dict[str, type[MapMethod]] = {
    "tam": TokenActivation,
    "logit": LogitMap,
    "attention": AttentionMap,
    "rollout": Rollout,
    "value_norm": ValueNorm,
    "relevance": Relevance,
    "grad_cam": GradCam,
    "integrated_gradients": IntegratedGradients,
    "occlusion": Occlusion,
    "ablation": FeatureAblation,
    "similarity": Similarity,
    "knockout": Knockout,
    "random": RandomMap,
    "centre": CentrePrior,
}
