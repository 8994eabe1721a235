"""How did it get there? Which positions carried what to the answer, and through which layers.

>>> curves = explore.flow.knockout(runner, trace, edges={"image->question": ("image", "question")})
>>> curves.effects.relative_change       # (edges, centres), in percent
>>> cells = explore.flow.activation_patching(runner, trace, other_picture)
>>> parts = explore.flow.logit_attribution(runner, trace)      # parts.by_head (layers, heads); sums to the logit
>>> explore.flow.contribution_graph(runner, trace, threshold=0.05).to_frame()
>>> explore.flow.leakage_matrix(encoder, encoder.encode(prompt), ["pool", "table"]).change   # (targets, sources)
"""

from explore.flow import text_encoder
from explore.flow.adatoken import SpatialFlows, spatial_flows
from explore.flow.contribution_paths import ContributionGraph, contribution_graph
from explore.flow.controls import CONTROLS
from explore.flow.depth_windows import LayerWindows, layer_windows
from explore.flow.direct_logits import DirectLogits, logit_attribution
from explore.flow.effects import Effects
from explore.flow.group_mixing import GroupShares, group_alti
from explore.flow.grouping import PositionGroups, position_groups
from explore.flow.keep_ratios import keep_curve
from explore.flow.knocking_out import knockout
from explore.flow.knockout_curves import KnockoutCurves
from explore.flow.knockout_edges import edges_by_position, object_edges
from explore.flow.knockout_sets import KnockoutSet, knockout_over
from explore.flow.max_flow import GroupFlow, group_flow
from explore.flow.mixed_logits import MixedLogits, alti_logit
from explore.flow.mixed_sources import MixedSources
from explore.flow.output_signatures import OutputSignatures, Signatures, answer_signatures, signatures
from explore.flow.patch_grid import PatchGrid
from explore.flow.patching import activation_patching, causal_tracing
from explore.flow.reagent import InputImportance, reagent_importance
from explore.flow.recursive_importance import Recursion
from explore.flow.rolling import rollout
from explore.flow.slopes import SlopeGrid, attribution_patching
from explore.flow.text_encoder import (
    ContextShift,
    EncoderKnockout,
    JudgedSets,
    LeakageMatrix,
    TokenProxies,
    context_shift,
    encoder_knockout,
    leakage_matrix,
    token_proxies,
)
from explore.flow.token_mixing import alti
from explore.flow.token_samplers import any_token, own_guesses, same_shape
from explore.flow.without_image import ImageDependence, image_dependence
from explore.flow.written_norms import WrittenNorms, value_norm

__all__ = [
    "CONTROLS",
    "ContextShift",
    "ContributionGraph",
    "DirectLogits",
    "Effects",
    "EncoderKnockout",
    "GroupFlow",
    "GroupShares",
    "ImageDependence",
    "InputImportance",
    "JudgedSets",
    "KnockoutCurves",
    "KnockoutSet",
    "LayerWindows",
    "LeakageMatrix",
    "MixedLogits",
    "MixedSources",
    "OutputSignatures",
    "PatchGrid",
    "PositionGroups",
    "Recursion",
    "Signatures",
    "SlopeGrid",
    "SpatialFlows",
    "TokenProxies",
    "WrittenNorms",
    "activation_patching",
    "alti",
    "alti_logit",
    "answer_signatures",
    "any_token",
    "attribution_patching",
    "causal_tracing",
    "context_shift",
    "contribution_graph",
    "edges_by_position",
    "encoder_knockout",
    "group_alti",
    "group_flow",
    "image_dependence",
    "keep_curve",
    "knockout",
    "knockout_over",
    "layer_windows",
    "leakage_matrix",
    "logit_attribution",
    "object_edges",
    "own_guesses",
    "position_groups",
    "reagent_importance",
    "rollout",
    "same_shape",
    "signatures",
    "spatial_flows",
    "text_encoder",
    "token_proxies",
    "value_norm",
]
