"""LLaVA 1.5 and its kin: one fixed grid per picture.

    LlavaForConditionalGeneration
    ├── model
    │   ├── vision_tower              patches in raster order, a class token first
    │   ├── multi_modal_projector     layer `vision_feature_layer` of the tower, class token dropped by "default"
    │   └── language_model            layers, norm
    └── lm_head

The processor resizes, crops or pads to one size; `explore.models.geometry` follows it back to the picture.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from explore.models.families.base import Family, GridPlan
from explore.models.geometry import patch_boxes, placement


class Llava(Family):
    """A grid of (height / patch) x (width / patch) cells per picture."""

    def grids(self, sizes: Sequence[tuple[int, int]], inputs: Mapping[str, Any]) -> list[GridPlan]:
        """See `Family.grids`."""
        height, width = inputs["pixel_values"].shape[-2:]
        patch = int(self.model.config.vision_config.patch_size)
        # "full" leaves the class token in the sequence, in front of the grid.
        skip = int(self.vision_cls and self._strategy == "full")
        found = []
        for number, size in enumerate(sizes):
            boxes = patch_boxes(height // patch, width // patch, patch, placement(self.processor.image_processor, size))
            found.append(GridPlan(number, boxes, size, skip=skip))
        return found

    def image_features(self, tensors: Mapping[str, Any]) -> Sequence[torch.Tensor] | torch.Tensor:
        """See `Family.image_features`."""
        made = self.model.base_model.get_image_features(pixel_values=tensors["pixel_values"], return_dict=True)
        found: Sequence[torch.Tensor] | torch.Tensor = made.pooler_output
        return found

    @property
    def _strategy(self) -> str:
        return str(getattr(self.model.config, "vision_feature_select_strategy", "default"))

    def _feature_width(self, config: Any) -> int:
        own = self.model.config
        # VipLlava joins several layers, and had another name for them.
        layers: Any = getattr(own, "vision_feature_layer", None) or getattr(own, "vision_feature_layers", -2)
        joined = 1 if isinstance(layers, int) else len(layers)
        return int(config.hidden_size) * joined
