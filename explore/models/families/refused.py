"""Model types that transformers maps to image and text, but whose pictures do not enter the decoder's sequence."""

from __future__ import annotations

_ENCODER = "the picture is its encoder's input; the decoder's sequence holds no image token"

REFUSED: dict[str, str] = {
    "blip": "its decoder reads the picture by cross-attention",
    "diffusion_gemma": "it fills in a block of noise and has no next-token prediction to look at",
    "evolla": "it reads protein sequences, no pictures",
    "florence2": "its image tokens stand in the encoder, not beside the answer's",
    "git": "it puts the picture in front of its sequence without any token for it",
    "idefics": "its decoder reads the picture by gated cross-attention",
    "mistral4": "this class is text-only and takes no pixels",
    "mllama": "its decoder reads the picture by cross-attention",
    "pi0": "it predicts robot actions, no text",
    "pix2struct": _ENCODER,
    "pp_formulanet": _ENCODER,
    "shieldgemma2": "its processor asks one question per policy and ignores yours",
    "inkling2": "its attention gives part of its weight to no position at all, which cannot be recorded yet",
    "t5gemma2": "its image tokens stand in the encoder, not beside the answer's",
    "udop": "its encoder joins the picture with boxes of a page; its sequence holds no image token",
    "vision-encoder-decoder": _ENCODER,
}
