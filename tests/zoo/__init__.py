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
        grid), "prefix" (in front of the prompt's tokens, without ids), "encoder-decoder", "cross-attention".
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
    mixed
        Whether its processor takes several pictures only as parts of the text, `text=[[picture, picture, question]]`.
    frames
        Where it takes nothing but films: how many frames one has, given as `images`; a picture is a film of equal ones.
    cuts
        Whether generation leaves out the prompt's last token and writes another over the first, in place.
    needs
        Packages a real checkpoint needs and that may be absent. Their part is played by the zoo; timm's is not, so
        without it building skips the test.
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
    mixed: bool = False
    frames: int = 0
    cuts: bool = False
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
    "smolvlm": _entry("named_tiles.smolvlm", layout="tiles", video=True, needs=_TV),
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
    "minicpm_ocr": _entry(
        "minicpm.minicpm_ocr", layout="dynamic", video=True, needs=_TV, note="large pictures become slices too"
    ),
    "mistral_large4": _entry("indexed.mistral_large4", layout="dynamic", needs=_TV),
    "qwen4_exp": _entry(
        "indexed.qwen4_exp",
        layout="merged",
        video=True,
        needs=_TV,
        note="four residual streams side by side; its first layer reads token ids too",
    ),
    "glm5_next": _entry(
        "indexed.glm5_next",
        layout="merged",
        video=True,
        needs=_TV,
        note="four residual streams on an axis of their own; ignores a mask of four axes",
    ),
    "dots3_note": _entry("indexed.dots3_note", layout="merged", video=True, needs=_TV, note="hears too"),
    "nemotron_h_omni": _entry(
        "hearing.nemotron_h_omni",
        layout="dynamic",
        offsets="missing",
        needs=_TV,
        note="hears too; films fail in the library: it joins what is one tensor already",
    ),
    "muse_spark": _entry(
        "hearing.muse_spark",
        layout="dynamic",
        video=True,
        asks=("return_metadata",),
        needs=_TV,
        note="hears too",
    ),
    "inkling_mm_model": _entry(
        "inkling.inkling_mm_model",
        layout="dynamic",
        needs=_TV,
        note="hears too; no input tells rows and columns; a picture as wide as whole tokens gets an empty column",
    ),
    "inkling2": _entry(
        "inkling.inkling2", layout="dynamic", needs=_TV, note="a layer reads a mixture of earlier blocks of layers"
    ),
    "deepseek_ocr2": _entry("ocr.deepseek_ocr2", layout="queries"),
    "unlimited_ocr": _entry(
        "ocr.unlimited_ocr",
        layout="anyres",
        needs=_TV,
        note="tiles before the whole page; answers see a window of themselves and all of the prompt",
    ),
    "pp_chart2table": _entry(
        "ocr.pp_chart2table", layout="fixed", note="the prompt holds every placeholder; the processor replaces nothing"
    ),
    "chameleon": _entry(
        "codes.chameleon",
        layout="fixed",
        offsets="shifted",
        note="features are embeddings of codes; logits of codes are the lowest number; a separator is written last",
    ),
    "emu3": _entry(
        "codes.emu3",
        layout="dynamic",
        offsets="shifted",
        note="features are embeddings of codes; one placeholder more per row; bos is always written in front",
    ),
    "fuyu": _entry(
        "codes.fuyu",
        layout="dynamic",
        several=False,
        offsets="missing",
        needs=_TV,
        note="each row ends with a text token; its processor writes the picture in front, then bos, and a token last",
    ),
    "kosmos-2": _entry(
        "unmarked.kosmos_2",
        layout="queries",
        several=False,
        offsets="missing",
        note="places by image_embeds_position_mask, where it is 1; its processor strips the text",
    ),
    "kosmos-2.5": _entry(
        "unmarked.kosmos_2_5",
        layout="queries",
        several=False,
        offsets="missing",
        note="places by image_embeds_position_mask, where it is 1; the marks around the picture have -1",
    ),
    "git": _entry(
        "unmarked.git", layout="prefix", two_way=True, several=False, note="logits and caches are longer than input_ids"
    ),
    "instructblipvideo": _entry(
        "queries.instructblipvideo",
        video=True,
        several=False,
        offsets="missing",
        frames=4,
        needs=_TV,
        note="as blip-2; the placeholder is the video token, the count of 4 frames is fixed",
    ),
    "florence2": _entry(
        "apart.florence2",
        layout="encoder-decoder",
        two_way=True,
        several=False,
        offsets="shifted",
        note="the first placeholder is the picture's mean; its processor writes the picture, bos and eos",
    ),
    "blip": _entry("apart.blip", layout="cross-attention", several=False, cuts=True),
    "idefics": _entry(
        "apart.idefics",
        layout="cross-attention",
        offsets="missing",
        mixed=True,
        note="a token reads the last picture before it, and no other",
    ),
    "shieldgemma2": _entry(
        "fixed.shieldgemma2",
        two_way=True,
        several=False,
        note="its processor ignores the text and asks its policies, here parts.QUESTION; another question goes in as "
        "policies and custom_policies",
    ),
    "fast_vlm": _entry("timm_towers.fast_vlm", layout="fixed", needs=("timm", "torchvision")),
    "perception_lm": _entry(
        "timm_towers.perception_lm",
        layout="tiles",
        video=True,
        several=False,
        needs=("timm", "torchvision"),
        note="two pictures go together only if they have as many tiles",
    ),
    "gemma3n": _entry(
        "timm_towers.gemma3n",
        layout="fixed",
        needs=("timm", "torchvision"),
        note="four streams beside each other; image tokens have no inputs of a layer's own; hears too",
    ),
}

LEFT_OUT: dict[str, str] = {
    "diffusion_gemma": "generates by filling a block of noise; there is no next-token logit",
    "evolla": "protein sequences, no pixels",
    "mistral4": "the mapped class is text-only, it takes no pixels",
    "pi0": "robot actions, no token logits",
    "pix2struct": "the picture is the encoder's input; the token row holds no image",
    "pp_formulanet": "the picture is the encoder's input; the token row holds no image",
    "udop": "the picture is joined with page boxes in the encoder; the token row holds no image",
    "vision-encoder-decoder": "the picture is the encoder's input; the token row holds no image",
}
