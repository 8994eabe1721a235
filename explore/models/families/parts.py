"""Finding the parts of a loaded model by their shape and by the few names the field uses, whatever the family."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from torch import nn

from explore.errors import CheckpointError

_STACKS = ("layers", "h", "blocks")
_NORMS = (
    "norm",
    "final_layernorm",
    "final_layer_norm",
    "ln_f",
    "norm_f",
    "embedding_norm",
    "layer_norm",
    "hyper_connection_mixer",
)
_PROJECTORS = (
    "multi_modal_projector",
    "projector",
    "mm_projector",
    "connector",
    "aligner",
    "merger",
    "vision_projection",
    "vision_adapter",
    "language_projection",
    "embed_vision",
    "resampler_model",
)
_ATTENTIONS = ("self_attn", "attn", "attention", "self_attention")
_OUTPUTS = ("o_proj", "out_proj", "dense", "c_proj", "wo")


def decoder_of(model: Any) -> nn.Module:
    """The text decoder: the module that owns the layers, which a wrapper with a head may hide."""
    found = model.get_decoder()
    for _ in range(4):
        if any(isinstance(getattr(found, name, None), nn.ModuleList) for name in _STACKS):
            return found
        inner = [getattr(found, name, None) for name in ("model", "decoder", "language_model", "text_model")]
        inner = [each for each in inner if isinstance(each, nn.Module) and each is not found]
        if not inner:
            break
        found = inner[0]
    raise missing(model, "decoder with layers")


def stack_of(model: Any, decoder: nn.Module) -> Sequence[nn.Module]:
    """The decoder's layers, in order."""
    found: Sequence[nn.Module] = named_part(model, decoder, _STACKS, "decoder layers")
    return found


def final_norm_of(model: Any, decoder: nn.Module) -> nn.Module:
    """The norm behind the last decoder layer."""
    found: nn.Module = named_part(model, decoder, _NORMS, "final norm")
    return found


def head_of(model: Any) -> nn.Module:
    """The language-model head, which some classes only name inside."""
    for owner in (model, getattr(model, "language_model", None)):
        named = getattr(owner, "get_output_embeddings", lambda: None)()
        found = getattr(owner, "lm_head", None) if named is None else named
        if isinstance(found, nn.Module):
            return found
    raise missing(model, "language-model head")


def tower_of(model: Any) -> nn.Module | None:
    """The image encoder, None where there is none."""
    found = model.get_encoder(modality="image")
    return None if found is model or found is model.base_model else found


def projector_of(model: Any) -> nn.Module:
    """The module between image encoder and decoder; where it is the encoder's last part, that part."""
    tower = tower_of(model)
    for owner in (model.base_model, model, tower):
        for name in _PROJECTORS:
            found = getattr(owner, name, None)
            if isinstance(found, nn.Module):
                return found
    raise missing(model, "projector")


def tower_layers(tower: nn.Module | None) -> Sequence[nn.Module]:
    """The layers of an image encoder: its largest list of modules of one class; empty where there is none."""
    if tower is None:
        return []
    found, most = nn.ModuleList(), 0
    for name, each in tower.named_modules():
        if "merger" in name:
            continue  # what shortens the sequence, one for each layer that is listened to
        # Lists of many small things, such as embeddings per tile, are no layers.
        size = sum(values.numel() for values in each.parameters())
        if isinstance(each, nn.ModuleList) and len({type(one) for one in each}) == 1 and size > most:
            found, most = each, size
    return list(found)


def output_projection_of(model: Any, layer: nn.Module) -> nn.Module | None:
    """What turns a layer's heads into what is added to the residual stream; None where the layer has no attention."""
    for name in _ATTENTIONS:
        attention = getattr(layer, name, None)
        if attention is not None:
            found: nn.Module = named_part(model, attention, _OUTPUTS, "output projection")
            return found
    # A mixer may be attention, a state space or an expert: attention is what has keys.
    mixer = getattr(layer, "mixer", None)
    return named_part(model, mixer, _OUTPUTS, "output projection") if hasattr(mixer, "k_proj") else None


def named_part(model: Any, owner: Any, names: Iterable[str], what: str) -> Any:
    """The first part of `owner` with one of these names.

    Raises
    ------
    CheckpointError
        It has none.
    """
    for name in names:
        if getattr(owner, name, None) is not None:
            return getattr(owner, name)
    raise missing(model, what)


def missing(model: Any, what: str) -> CheckpointError:
    """The error that says which part of a model could not be found."""
    return CheckpointError(
        f"No {what} could be found in {type(model).__name__}",
        "Its parts are named otherwise than in the families known so far.",
        "Add a file to explore/models/families that names it, or use another checkpoint.",
    )
