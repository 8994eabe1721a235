"""LLaVA 1.5 and its kin.

LlavaForConditionalGeneration
├── model
│   ├── vision_tower              patches in raster order, a class token first
│   ├── multi_modal_projector     layer `vision_feature_layer` of the tower, class token dropped by "default"
│   └── language_model            layers, norm
└── lm_head
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from explore.models.families.fixed import FixedGrid


class Llava(FixedGrid):
    """A fixed grid, and the class token in front of it where "full" leaves it in the sequence."""

    def plain_prompt(self, pictures: str, question: str, system: str | None) -> str:
        """See `Family.plain_prompt`: the turns that checkpoints before chat templates were trained with."""
        head = f"{system} " if system else ""
        return f"{head}USER: {pictures}{question} ASSISTANT:"

    def image_features(self, tensors: Mapping[str, Any]) -> Sequence[torch.Tensor] | torch.Tensor:
        """See `Family.image_features`."""
        made = self.model.base_model.get_image_features(pixel_values=tensors["pixel_values"], return_dict=True)
        found: Sequence[torch.Tensor] | torch.Tensor = made.pooler_output
        return found

    @property
    def skipped(self) -> int:
        """See `FixedGrid.skipped`."""
        return int(self.vision_cls and self._strategy == "full")

    @property
    def _strategy(self) -> str:
        return str(getattr(self.model.config, "vision_feature_select_strategy", "default"))

    def _feature_width(self, width: int) -> int:
        own = self.model.config
        # VipLlava joins several layers, and had another name for them.
        layers: Any = getattr(own, "vision_feature_layer", None) or getattr(own, "vision_feature_layers", -2)
        joined = 1 if isinstance(layers, int) else len(layers)
        return width * joined
