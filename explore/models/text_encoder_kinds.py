"""Which kinds of text encoders image pipelines use, where their layers lie, and how the pipelines read them.

============  =========================================  ======  ========  ============================================
kind          encoders                                   causal  mask      read by default
============  =========================================  ======  ========  ============================================
clip          CLIP text models, with projection or not   yes     no        last layer, final norm (SD-1.x, SD-2.x)
t5            T5, mT5, UMT5 encoders                     no      no        last layer, final norm (FLUX, SD3)
decoder       Gemma, Llama, Qwen, ...                    yes     yes       last layer, final norm (SANA)
============  =========================================  ======  ========  ============================================

SDXL and the CLIPs of SD3 are read with ``layer=-2, norm=False``, PixArt's T5 with ``mask=True``. SANA lets instructions
stand before the prompt and lowers its letters: give it the text it makes.
Source: `specs/information-flow.md` §3.9.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import transformers
from torch import nn

from explore.errors import CheckpointError

_T5 = {"t5": "T5EncoderModel", "mt5": "MT5EncoderModel", "umt5": "UMT5EncoderModel"}
_CLIP = ("clip", "clip_text_model")
_LONGEST = 1 << 16  # tokenizers without a limit say a number beyond all sense


@dataclass(frozen=True, eq=False)
class EncoderParts:
    """Where things are in a loaded text encoder.

    Parameters
    ----------
    kind
        "clip", "t5" or "decoder".
    core
        The module that runs on token ids and holds the layers.
    layers, norm
        Its layers in order, and what follows the last one.
    causal
        Whether no position sees those behind it.
    masked
        Whether the pipelines pass a mask.
    length
        Positions that the pipelines fill up to.
    """

    kind: str
    core: nn.Module
    layers: nn.ModuleList
    norm: nn.Module
    causal: bool
    masked: bool
    length: int


def encoder_class(config: Any) -> Any:
    """The class of transformers that loads the text encoder of a checkpoint."""
    kind = str(config.model_type)
    if kind in _T5:
        return getattr(transformers, _T5[kind])
    if kind in _CLIP:
        projecting = "CLIPTextModelWithProjection" in (getattr(config, "architectures", None) or [])
        return transformers.CLIPTextModelWithProjection if projecting else transformers.CLIPTextModel
    return transformers.AutoModel


def encoder_parts(model: Any, tokenizer: Any) -> EncoderParts:
    """Parts of a text encoder.

    Raises
    ------
    CheckpointError
        It is of no kind that is known.
    """
    kind = str(model.config.model_type)
    limit = int(tokenizer.model_max_length)
    try:
        if kind in _T5:
            stack = model.encoder
            length = limit if limit <= _LONGEST else 512
            return EncoderParts("t5", model, stack.block, stack.final_layer_norm, False, False, length)
        if kind in _CLIP:
            core = getattr(model, "text_model", model)
            length = min(limit, int(core.config.max_position_embeddings))
            return EncoderParts("clip", model, core.encoder.layers, core.final_layer_norm, True, False, length)
        core = getattr(model, "language_model", model)
        return EncoderParts("decoder", core, core.layers, core.norm, True, True, min(limit, 300))
    except AttributeError as error:
        raise CheckpointError(
            f"{type(model).__name__} is no text encoder whose layers are known: {error}",
            "Known are CLIP text models, T5 encoders, and decoders with their layers under `layers` and a `norm`.",
            "Use one of these.",
        ) from error
