"""Signals of the vision tower on request: attention of its class token, keys, and what the projector reads.

The tower keeps its own attention until a plan asks for these; then the watched attention is selected on the tower for
one run, exactly as on the text model.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from explore.errors import ParameterError
from explore.models.attention import watched
from explore.models.families.base import Family
from explore.models.rows import LayerRecord


class VisionRecorder:
    """Keeps the wanted signals of one run of the tower.

    Parameters
    ----------
    family
        The loaded model's parts.
    wanted
        Names out of `explore.models.plans.VISION_SIGNALS`.

    Raises
    ------
    ParameterError
        The model has no such tower, or the tower no class token.
    """

    def __init__(self, family: Family, wanted: tuple[str, ...]) -> None:
        self._family, self._wanted = family, wanted
        if family.vision_tower is None or not family.vision_layers:
            raise ParameterError(
                f"vision={wanted} was asked of a model without a vision tower of layers", "", "Use vision=()."
            )
        if "cls_attention" in wanted and not family.vision_cls:
            raise ParameterError(
                f"cls_attention was asked of {type(family.vision_tower).__name__}, which has no class token",
                'Other signals of this tower: "keys", "features".',
            )
        self.current: LayerRecord | None = None
        self.wanted = torch.tensor([0] if "cls_attention" in wanted else [], dtype=torch.long)
        self._records = [LayerRecord() for _ in family.vision_layers]
        self._features: list[Tensor] = []

    @contextmanager
    def recording(self) -> Iterator[None]:
        """Select the watched attention on the tower and hook its layers, and undo both."""
        tower = self._family.vision_tower
        assert tower is not None
        with ExitStack() as stack:
            if {"cls_attention", "keys"} & set(self._wanted):
                stack.enter_context(watched(tower))
                for layer, record in zip(self._family.vision_layers, self._records, strict=True):
                    stack.callback(layer.register_forward_pre_hook(self._entering(record)).remove)
                stack.callback(tower.register_forward_hook(self._leaving).remove)
            if "features" in self._wanted:
                stack.callback(self._family.projector.register_forward_pre_hook(self._projecting).remove)
            yield

    def signals(self) -> dict[str, Tensor]:
        """The wanted signals, all patches of all images in sequence order along the patch axis.

        Returns
        -------
        dict
            "cls_attention" (layers, heads, patches): weights of the class token's row, its own column left out;
            "keys" (layers, heads, patches, head_width); "features" (patches, feature_width).
        """
        skip = int(self._family.vision_cls)
        found: dict[str, Tensor] = {}
        if "cls_attention" in self._wanted:
            rows = _stacked([record.rows()[:, :, 0, skip:] for record in self._records])
            found["cls_attention"] = _patches_joined(rows, images=1, patches=3).to(self._family.dtype)
        if "keys" in self._wanted:
            keys = _stacked([record.keys[0][:, :, skip:] for record in self._records])
            found["keys"] = _patches_joined(keys, images=1, patches=3)
        if "features" in self._wanted:
            found["features"] = torch.cat([part.flatten(0, -2) for part in self._features])
        return found

    def _entering(self, record: LayerRecord) -> Any:
        def before_layer(module: nn.Module, args: tuple[Any, ...]) -> None:
            self.current = record

        return before_layer

    def _leaving(self, module: nn.Module, args: tuple[Any, ...], output: Any) -> None:
        self.current = None

    def _projecting(self, module: nn.Module, args: tuple[Any, ...]) -> None:
        self._features.append(args[0])


def _stacked(layers: list[Tensor]) -> Tensor:
    """What all layers gave, on the device of the first: a tower may be spread over several."""
    return torch.stack([each.to(layers[0].device) for each in layers])


def _patches_joined(values: Tensor, images: int, patches: int) -> Tensor:
    """Join the axis of images into the one of patches behind it: (layers, images, heads, p) to (layers, heads, i*p)."""
    moved = values.movedim(images, patches - 1)
    return moved.flatten(patches - 1, patches)
