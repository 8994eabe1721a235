"""The zoo: a tiny random model with its real processor for each family that transformers maps to image and text.

`ZOO[model_type].build()` gives (model, processor); nothing is imported or built before. A family that is not here has
its reason in `LEFT_OUT`. A new one is a function in the file of its layout and a line below.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Built = tuple[Any, Any]


@dataclass(frozen=True)
class Entry:
    """One family.

    Parameters
    ----------
    build
        Makes model and processor, once; `build.__wrapped__()` makes them again.
    layout
        How its visual tokens lie: "fixed" (one square grid), "anyres" (tiles joined, newlines), "tiles" (a grid each),
        "dynamic" (a grid as large as the picture, row by row), "merged" (the same, patches in blocks), "queries" (no
        grid), "encoder-decoder", "cross-attention".
    video
        Whether it takes films.
    two_way
        Whether image tokens see later ones.
    several
        Whether one prompt can hold two pictures.
    offsets
        What the processor says about the characters of its tokens: "good"; "shifted" where it changes the text before
        it notes the places; "missing" where it notes none.
    asks
        Switches of the processor without which its model refuses what it makes.
    needs
        Packages a real checkpoint's processor needs and that may be absent; their part is played by the zoo.
    note
        What else a reader should know.
    """

    build: Callable[[], Built]
    layout: str
    video: bool = False
    two_way: bool = False
    several: bool = True
    offsets: str = "good"
    asks: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    note: str = ""


def _entry(place: str, **more: Any) -> Entry:
    module, name = place.split(".")

    def make() -> Built:
        built: Built = getattr(importlib.import_module(f"{__name__}.{module}"), name)()
        return built

    layout = more.pop("layout", module)
    return Entry(functools.cache(make), layout, **more)


_TV = ("torchvision",)

ZOO: dict[str, Entry] = {
    "llava": _entry("fixed.llava"),
    "vipllava": _entry("fixed.vipllava"),
    "gemma3": _entry("fixed.gemma3", two_way=True, note="two-way only with token_type_ids"),
    "paligemma": _entry(
        "fixed.paligemma",
        two_way=True,
        offsets="shifted",
        note="base models without a template; its processor writes bos after the pictures, a newline last, and labels",
    ),
    "deepseek_vl": _entry("deepseek.deepseek_vl", layout="fixed"),
    "deepseek_vl_hybrid": _entry("deepseek.deepseek_vl_hybrid", layout="fixed"),
    "janus": _entry("deepseek.janus", layout="fixed"),
    "got_ocr2": _entry("fixed.got_ocr2"),
    "video_llava": _entry("fixed.video_llava", video=True, needs=_TV),
    "llava_next": _entry("anyres.llava_next"),
    "llava_next_video": _entry("anyres.llava_next_video", video=True, needs=_TV),
    "llava_onevision": _entry("anyres.llava_onevision", video=True, needs=_TV),
    "internvl": _entry("tiles.internvl", video=True, needs=_TV),
    "idefics3": _entry("named_tiles.idefics3", layout="tiles"),
    "smolvlm": _entry("named_tiles.smolvlm", layout="tiles", video=True, needs=("torchvision", "num2words")),
    "aya_vision": _entry("tiles.aya_vision"),
    "ovis2": _entry("tiles.ovis2"),
    "cohere2_vision": _entry("tiles.cohere2_vision", needs=_TV),
    "llama4": _entry("named_tiles.llama4", layout="tiles", needs=_TV, note="pixels come in bfloat16"),
    "mistral3": _entry("dynamic.mistral3", needs=_TV),
    "lighton_ocr": _entry("dynamic.lighton_ocr"),
    "kimi_k25": _entry(
        "dynamic.kimi_k25", needs=_TV, note="films of several frames fail in the library: it splits before it pools"
    ),
    "lfm2_vl": _entry("dynamic.lfm2_vl", needs=_TV, note="large pictures become tiles and a small whole one"),
    "minicpmv4_6": _entry(
        "minicpm.minicpmv4_6", layout="dynamic", video=True, needs=_TV, note="large pictures become slices too"
    ),
    "molmo2": _entry(
        "dynamic.molmo2",
        video=True,
        two_way=True,
        offsets="shifted",
        needs=_TV,
        note="its processor writes bos in front of a text without one",
    ),
    "qwen2_vl": _entry("merged.qwen2_vl", video=True, needs=_TV),
    "qwen2_5_vl": _entry("merged.qwen2_5_vl", video=True, needs=_TV),
    "qwen3_vl": _entry("merged.qwen3_vl", video=True, needs=_TV),
    "qwen3_vl_moe": _entry("merged.qwen3_vl_moe", video=True, needs=_TV),
    "qwen3_5": _entry("merged.qwen3_5", video=True, needs=_TV),
    "qwen3_5_moe": _entry("merged.qwen3_5_moe", video=True, needs=_TV),
    "granite4_vision": _entry("anyres.granite4_vision", note="features enter between decoder layers"),
    "paddleocr_vl": _entry("rows.paddleocr_vl", layout="dynamic"),
    "hunyuan_vl": _entry(
        "rows.hunyuan_vl", layout="dynamic", note="placeholders: one more per row, one before and one after"
    ),
    "video_llama_3": _entry("rows.video_llama_3", layout="dynamic", video=True, needs=_TV),
    "gemma4": _entry(
        "gemma4.gemma4", layout="dynamic", video=True, needs=_TV, note="pictures are enlarged to the limit"
    ),
    "glm4v": _entry("glm.glm4v", layout="merged", video=True, needs=_TV),
    "glm46v": _entry("glm.glm46v", layout="merged", video=True, needs=_TV),
    "glmga": _entry("glm.glmga", layout="merged", video=True, needs=_TV),
    "glm4v_moe": _entry("glm.glm4v_moe", layout="merged", video=True, needs=_TV),
    "glm_ocr": _entry("glm.glm_ocr", layout="merged", video=True, needs=_TV),
    "ernie4_5_vl_moe": _entry("glm.ernie4_5_vl_moe", layout="merged", video=True, needs=_TV),
    "exaone4_5": _entry("relatives.exaone4_5", layout="merged", video=True, needs=_TV),
    "hyperclovax_vision_v2": _entry("relatives.hyperclovax_vision_v2", layout="merged", video=True, needs=_TV),
    "qwen2_5_omni_thinker": _entry(
        "omni.qwen2_5_omni_thinker", layout="merged", video=True, needs=_TV, note="hears too"
    ),
    "cosmos3_omni": _entry("merged.cosmos3_omni", video=True, needs=_TV),
    "idefics2": _entry("queries.idefics2", offsets="missing"),
    "aria": _entry("queries.aria"),
    "blip-2": _entry(
        "queries.blip_2",
        several=False,
        offsets="missing",
        note="its processor writes the query tokens in front of bos; the prompt has no placeholder",
    ),
    "instructblip": _entry("queries.instructblip", several=False, offsets="missing", note="as blip-2"),
    "qwen3_omni_moe_thinker": _entry(
        "omni.qwen3_omni_moe_thinker", layout="merged", video=True, needs=_TV, note="hears too"
    ),
    "lfm3_vl": _entry("relatives.lfm3_vl", layout="merged", video=True, needs=_TV),
    "cohere_compass": _entry("relatives.cohere_compass", layout="merged", video=True, needs=_TV),
    "cosmos3_edge": _entry(
        "relatives.cosmos3_edge",
        layout="dynamic",
        video=True,
        asks=("return_mm_token_type_ids", "return_metadata"),
        needs=_TV,
    ),
    "qianfan_ocr": _entry("tiles.qianfan_ocr", note="the prompt's placeholder is image_placeholder_token, <image>"),
    "granite_docling": _entry(
        "named_tiles.granite_docling", layout="tiles", note="features enter between decoder layers too"
    ),
    "step3p7": _entry(
        "named_tiles.step3p7", layout="tiles", needs=_TV, note="tiles of another size than the whole picture"
    ),
    "mllama": _entry("apart.mllama", layout="cross-attention", offsets="missing"),
    "t5gemma2": _entry("apart.t5gemma2", layout="encoder-decoder", two_way=True),
    "gemma4_unified": _entry("gemma4.gemma4_unified", layout="dynamic", video=True, two_way=True, needs=_TV),
    "minicpmv4_7": _entry(
        "minicpm.minicpmv4_7", layout="dynamic", video=True, needs=_TV, note="large pictures become slices too"
    ),
    "muse_glimmer": _entry("rows.muse_glimmer", layout="dynamic", video=True, asks=("return_metadata",), needs=_TV),
    "minimax_m3_vl": _entry("rows.minimax_m3_vl", layout="merged", video=True, needs=_TV),
}

LEFT_OUT: dict[str, str] = {
    "blip": "not built yet",
    "chameleon": "not built yet",
    "deepseek_ocr2": "not built yet",
    "diffusion_gemma": "generates by filling a block of noise; there is no next-token logit",
    "dots3_note": "not built yet",
    "emu3": "not built yet",
    "evolla": "protein sequences, no pixels",
    "fast_vlm": "its vision tower comes from timm, which imports torchvision when it is imported",
    "florence2": "not built yet",
    "fuyu": "not built yet",
    "gemma3n": "its vision tower comes from timm, which imports torchvision when it is imported",
    "git": "not built yet",
    "glm5_next": "not built yet",
    "idefics": "not built yet",
    "inkling2": "not built yet",
    "inkling_mm_model": "not built yet",
    "instructblipvideo": "not built yet",
    "kosmos-2": "not built yet",
    "kosmos-2.5": "not built yet",
    "minicpm_ocr": "not built yet",
    "mistral4": "the mapped class is text-only, it takes no pixels",
    "mistral_large4": "not built yet",
    "muse_spark": "not built yet",
    "nemotron_h_omni": "not built yet",
    "perception_lm": "its vision tower comes from timm, which imports torchvision when it is imported",
    "pi0": "robot actions, no token logits",
    "pix2struct": "the picture is the encoder's input; the token row holds no image",
    "pp_chart2table": "the class of got_ocr2; its processor expands no placeholder, the prompt holds all 256",
    "pp_formulanet": "the picture is the encoder's input; the token row holds no image",
    "qwen4_exp": "not built yet",
    "shieldgemma2": "the Gemma3 class; its processor ignores the text and asks one question per policy",
    "udop": "the picture is joined with page boxes in the encoder; the token row holds no image",
    "unlimited_ocr": "not built yet",
    "vision-encoder-decoder": "the picture is the encoder's input; the token row holds no image",
}
