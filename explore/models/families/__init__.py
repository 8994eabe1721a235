"""The table of model families: transformers' model type to the class that knows its parts and its pixels.

A new family is one file here and one line below. A type that has no line is taken apart by the default family, and its
layout is deduced from what its processor makes.
"""

from __future__ import annotations

from typing import Any

from transformers import MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING

from explore.errors import CheckpointError
from explore.models.families.anyres import AnyResolution, GraniteVision, OneVision
from explore.models.families.base import Family
from explore.models.families.deduced import Deduced
from explore.models.families.deepseek import PaddedSquare
from explore.models.families.dynamic import (
    AskedGrid,
    DynamicGrid,
    FramedRows,
    Kimi,
    PicturesOnly,
    ResizedFilms,
    SizedGrid,
    TypedGrid,
)
from explore.models.families.emu3 import CodedRows
from explore.models.families.fixed import FixedGrid, Gemma3, PaliGemma, VideoLlava
from explore.models.families.gemma4 import PositionedGrid
from explore.models.families.grids import GridPlan, QueryPlan
from explore.models.families.lfm2 import Lfm2
from explore.models.families.llama4 import Llama4
from explore.models.families.llava import Llava
from explore.models.families.minicpm import MiniCpm
from explore.models.families.molmo2 import Molmo2
from explore.models.families.pages import Pages
from explore.models.families.queries import FilmQueries, LeadingQueries, MaskedQueries, Queries
from explore.models.families.refused import REFUSED
from explore.models.families.step import Step3
from explore.models.families.streams import JoinedStreams, LeadingStreams, StackedStreams
from explore.models.families.tiles import FirstTiles, NamedTiles, Ovis2, Tiles
from explore.models.families.unstretched import Fuyu, Unstretched

FAMILIES: dict[str, type[Family]] = {
    "aria": Queries,
    "aya_vision": Tiles,
    "blip-2": LeadingQueries,
    "chameleon": FixedGrid,
    "cohere2_vision": Tiles,
    "cohere_compass": DynamicGrid,
    "cosmos3_edge": TypedGrid,
    "cosmos3_omni": DynamicGrid,
    "deepseek_ocr2": Queries,
    "deepseek_vl": PaddedSquare,
    "deepseek_vl_hybrid": PaddedSquare,
    "dots3_note": DynamicGrid,
    "emu3": CodedRows,
    "ernie4_5_vl_moe": DynamicGrid,
    "exaone4_5": DynamicGrid,
    "fast_vlm": FixedGrid,
    "fuyu": Fuyu,
    "gemma3": Gemma3,
    "gemma3n": LeadingStreams,
    "gemma4": PositionedGrid,
    "gemma4_unified": PositionedGrid,
    "glm46v": DynamicGrid,
    "glm4v": DynamicGrid,
    "glm4v_moe": DynamicGrid,
    "glm5_next": StackedStreams,
    "glm_ocr": DynamicGrid,
    "glmga": DynamicGrid,
    "got_ocr2": FixedGrid,
    "granite4_vision": GraniteVision,
    "granite_docling": NamedTiles,
    "hunyuan_vl": FramedRows,
    "hyperclovax_vision_v2": DynamicGrid,
    "idefics2": Queries,
    "idefics3": NamedTiles,
    "inkling_mm_model": Unstretched,
    "instructblip": LeadingQueries,
    "instructblipvideo": FilmQueries,
    "internvl": Tiles,
    "janus": PaddedSquare,
    "kimi_k25": Kimi,
    "kosmos-2": MaskedQueries,
    "kosmos-2.5": MaskedQueries,
    "lfm2_vl": Lfm2,
    "lfm3_vl": DynamicGrid,
    "lighton_ocr": SizedGrid,
    "llama4": Llama4,
    "llava": Llava,
    "llava_next": AnyResolution,
    "llava_next_video": AnyResolution,
    "llava_onevision": OneVision,
    "minicpm_ocr": MiniCpm,
    "minicpmv4_6": MiniCpm,
    "minicpmv4_7": MiniCpm,
    "minimax_m3_vl": ResizedFilms,
    "mistral3": SizedGrid,
    "mistral_large4": SizedGrid,
    "molmo2": Molmo2,
    "muse_glimmer": AskedGrid,
    "muse_spark": AskedGrid,
    "nemotron_h_omni": PicturesOnly,
    "ovis2": Ovis2,
    "paddleocr_vl": DynamicGrid,
    "paligemma": PaliGemma,
    "perception_lm": FirstTiles,
    "pp_chart2table": FixedGrid,
    "qianfan_ocr": Tiles,
    "qwen2_5_omni_thinker": DynamicGrid,
    "qwen2_5_vl": DynamicGrid,
    "qwen2_vl": DynamicGrid,
    "qwen3_5": DynamicGrid,
    "qwen3_5_moe": DynamicGrid,
    "qwen3_omni_moe_thinker": DynamicGrid,
    "qwen3_vl": DynamicGrid,
    "qwen3_vl_moe": DynamicGrid,
    "qwen4_exp": JoinedStreams,
    "smolvlm": NamedTiles,
    "step3p7": Step3,
    "unlimited_ocr": Pages,
    "video_llama_3": DynamicGrid,
    "video_llava": VideoLlava,
    "vipllava": Llava,
}

__all__ = ["FAMILIES", "REFUSED", "Family", "GridPlan", "QueryPlan", "require_family"]


def require_family(config: Any) -> type[Family]:
    """The family of a checkpoint's config; `Deduced` for a type without a line.

    Raises
    ------
    CheckpointError
        It cannot be supported; the message says why.
    """
    model_type = str(getattr(config, "model_type", None))
    if model_type in REFUSED:
        raise CheckpointError(
            f"The checkpoint is of the model type {model_type!r}: {REFUSED[model_type]}",
            "The toolkit needs image tokens in the sequence of one text decoder.",
            "FAMILIES in explore.models.families lists what works; explore.load() is the shipped one.",
        )
    mapped = type(config) in MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING or getattr(config, "auto_map", None)
    if model_type not in FAMILIES and not mapped:
        raise CheckpointError(
            f"The checkpoint is of the model type {model_type!r}, which takes no pictures",
            f"Families: {', '.join(sorted(FAMILIES))}.",
            "Use a checkpoint of one of these, or the shipped model: explore.load().",
        )
    return FAMILIES.get(model_type, Deduced)
