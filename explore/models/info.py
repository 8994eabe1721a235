"""The facts about a loaded model that plans, costs and screens need."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from explore.models.placement import input_device, places_of
from explore.models.quantization import quantization_of


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
    query_layers, query_heads
        Layers in which learned queries read the patches, and attention heads of each; 0 where there are no queries.
    """

    layers: int
    heads: int
    width: int
    feature_width: int
    cls: bool
    query_layers: int = 0
    query_heads: int = 0


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
    quantization
        How the weights are quantised: "8bit", "4bit", another method's name, "" for not at all.
    places
        Where the weights lie and how many bytes in each place: one for most models, several for spread ones.
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
    quantization: str = ""
    places: tuple[tuple[str, int], ...] = ()


def read_info(family: Any, checkpoint: str, revision: str) -> ModelInfo:
    """The facts about a loaded model, from its config and weights; tied weights count once.

    Parameters
    ----------
    family
        The `explore.models.families.Family` of the model.
    checkpoint, revision
        Where the weights came from.
    """
    model, config = family.model, family.text_config
    heads = _setting(config, "num_attention_heads") or 1
    places = places_of(model)
    return ModelInfo(
        layers=len(family.layers),
        heads=heads,
        kv_heads=_setting(config, "num_key_value_heads") or heads,
        width=int(config.hidden_size),
        vocab=int(config.vocab_size),
        context_length=int(getattr(config, "max_position_embeddings", 0) or 0),
        dtype=str(family.dtype).removeprefix("torch."),
        device=str(input_device(model)),
        nbytes=sum(count for _, count in places),
        checkpoint=checkpoint,
        revision=revision,
        family=str(model.config.model_type),
        vision=family.vision_info(),
        quantization=quantization_of(model.config),
        places=places,
    )


def _setting(config: Any, name: str) -> int:
    """A number of the config, the largest where it differs between layers, 0 where there is none."""
    try:
        return int(getattr(config, name, None) or 0)
    except AttributeError:
        raise
    except Exception:  # the library refuses to say one number for settings that differ between layers
        layers = getattr(config, "per_layer_config", [])
        return max((int(getattr(each, name, None) or 0) for each in layers), default=0)
