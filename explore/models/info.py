"""The facts about a loaded model that plans, costs and screens need."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class VisionInfo:
    """Sizes of a vision tower.

    Parameters
    ----------
    layers, heads, width
        Encoder layers, attention heads per layer, width of its states.
    feature_width
        Width of what the projector reads; several layers may be joined there.
    cls
        Whether the tower has a class token in front of its patches.
    """

    layers: int
    heads: int
    width: int
    feature_width: int
    cls: bool


@dataclass(frozen=True)
class ModelInfo:
    """Sizes and identity of a loaded model.

    Parameters
    ----------
    layers, heads, kv_heads, width, vocab
        Of the text decoder.
    context_length
        Most positions the decoder was made for; 0 where the checkpoint does not say.
    dtype, device
        Of the weights, as "float32" and "cpu".
    nbytes
        Bytes of weights and buffers.
    checkpoint, revision
        Where the weights came from, and which version of them.
    family
        transformers' model type.
    vision
        The vision tower, None for models without one.
    """

    layers: int
    heads: int
    kv_heads: int
    width: int
    vocab: int
    context_length: int
    dtype: str
    device: str
    nbytes: int
    checkpoint: str
    revision: str
    family: str
    vision: VisionInfo | None = None
