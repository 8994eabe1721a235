"""Where in a decoder edits act, and which decoders cannot have which of them.

What a decoder is made of decides, not its name: attention is cut where a layer has attention and nothing else that lets
tokens meet; states are changed where there is one residual stream.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from explore.edits import CutEdges, DropTokens, Edit, FreezeStates, MergeTokens, ScaleStates, SkipUpdate
from explore.edits.edit import checked_layers
from explore.edits.states import StateEdit
from explore.errors import CheckpointError, ParameterError
from explore.models.families.base import Family

_ATTENTIONS = ("self_attn", "attn", "attention", "self_attention")
_MLPS = ("mlp", "feed_forward", "ffn", "fc2")
# Beside these an MLP is only a share of what is added behind attention.
_MORE_EXPERTS = ("experts", "router", "moe", "altup", "laurel")


def require_editable(family: Family, edits: Sequence[Edit]) -> None:
    """Refuse edits that this decoder cannot have, before anything runs.

    Raises
    ------
    ParameterError
        A layer or head that is not there, or tokens that would go at several layers.
    CheckpointError
        Tokens meet otherwise than by attention, there are several residual streams, or a part cannot be found.
    """
    depth = len(family.layers)
    for edit in edits:
        layers = edit.layer_numbers(depth)
        if isinstance(edit, CutEdges):
            _require_cuttable(family, edit, layers)
        elif isinstance(edit, (StateEdit, SkipUpdate, FreezeStates)) and family.streams > 1:
            raise CheckpointError(
                f"{type(family.model).__name__} carries {family.streams} residual streams side by side",
                "States and updates can be edited where there is one.",
                "Cut attention edges instead, or use another model.",
            )
        if isinstance(edit, (SkipUpdate, StateEdit)) and edit.part != "state":
            for layer in layers:
                sublayer_of(family, layer, edit.part)
        if isinstance(edit, ScaleStates) and edit.part != "state" and any(_normed(family.layers[n]) for n in layers):
            raise CheckpointError(
                f"{type(family.model).__name__} normalises what {edit.part} hands on before it is added",
                "A norm undoes any factor.",
                "Use SkipUpdate to leave it out, or AddNoise.",
            )
    _require_one_site([edit for edit in edits if isinstance(edit, (DropTokens, MergeTokens))])


def sublayer_of(family: Family, layer: int, part: str) -> nn.Module:
    """The module whose output is what attention or the MLP hands on.

    Raises
    ------
    CheckpointError
        The layer has none, or adds more than that.
    """
    owner = family.layers[layer]
    names = _ATTENTIONS if part == "attention" else _MLPS
    found = next((each for name in names if isinstance(each := getattr(owner, name, None), nn.Module)), None)
    more = [name for name in _MORE_EXPERTS if part == "mlp" and isinstance(getattr(owner, name, None), nn.Module)]
    if found is None or more:
        raise CheckpointError(
            f"Layer {layer} of {type(family.text_model).__name__} has {', '.join(more) or 'no ' + part}",
            f"Its parts are {', '.join(name for name, _ in owner.named_children())}.",
            "Choose other layers, or edit the residual stream: part='state'.",
        )
    return found


def cuttable_layers(family: Family) -> tuple[int, ...]:
    """Layers in which tokens meet in attention alone."""
    return tuple(number for number in range(len(family.layers)) if _meets(family, number) is None)


def _require_cuttable(family: Family, edit: CutEdges, layers: Sequence[int]) -> None:
    heads, named = _heads(family), checked_layers(edit.heads, "heads")
    if named is not None and heads and named[-1] >= heads:
        raise ParameterError(f"An edit names the heads {list(named)}", f"This decoder has 0 to {heads - 1}.")
    for layer in layers:
        otherwise = _meets(family, layer)
        if otherwise:
            able = list(cuttable_layers(family))
            raise CheckpointError(
                f"Tokens meet in {otherwise} in layer {layer} of {type(family.text_model).__name__}",
                f"Edges can be cut where they meet in attention alone: {f'layers={able}' if able else 'in no layer'}.",
                "Cut in those layers only, knowing that information travels through the others."
                if able
                else "Use a model with attention in every layer.",
            )


def _meets(family: Family, number: int) -> str | None:
    """What but attention lets tokens meet in a layer, None where there is nothing."""
    layer = family.layers[number]
    if any(isinstance(module, nn.Conv1d) for module in layer.modules()):
        # Linear attention and state spaces have one as well, in front of their recurrence.
        return "convolutions, linear attention or a state space"
    if hasattr(layer, "mixer") and not hasattr(layer.mixer, "k_proj"):
        return None  # an MLP of its own: tokens do not meet here, so nothing needs to be cut
    return None if family.output_projection(layer) is not None else "something else than attention"


def has_attention(family: Family, number: int) -> bool:
    """Whether edges can be cut in a layer at all: some are nothing but an MLP."""
    layer = family.layers[number]
    return not hasattr(layer, "mixer") or hasattr(layer.mixer, "k_proj")


def _heads(family: Family) -> int:
    """Query heads of every layer, 0 where they differ: then each call says."""
    try:
        return int(getattr(family.text_config, "num_attention_heads", 0) or 0)
    except RuntimeError:  # the library's word for a setting that each layer has of its own
        return 0


def _normed(layer: nn.Module) -> bool:
    """Whether a norm stands behind attention or the MLP, where it would undo a factor."""
    names = [name for name, _ in layer.named_children()]
    behind = [name for name in names if name.startswith("post_") and name != "post_attention_layernorm"]
    return (
        bool(behind)
        or "pre_feedforward_layernorm" in names
        or ("post_attention_layernorm" in names)
        > any(name in names for name in ("input_layernorm", "operator_norm", "self_attn_layer_norm"))
    )


def _require_one_site(edits: Sequence[DropTokens | MergeTokens]) -> None:
    layers = sorted({edit.layer for edit in edits})
    if len(layers) > 1:
        raise ParameterError(
            f"Tokens would be dropped or merged at the layers {layers}",
            "All of them leave the sequence at one layer.",
            "Choose one layer, or cut their edges from a later layer on instead.",
        )
