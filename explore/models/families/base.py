"""What a family must say about a model, and what transformers' own interfaces already say.

A family is one file and one line in `FAMILIES`. It finds the parts of a loaded model and maps visual tokens to pixels;
recording, prompts, generation and everything above it are the same for all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from explore.errors import CheckpointError
from explore.layout import ImageGrid
from explore.models.info import VisionInfo


@dataclass(frozen=True)
class GridPlan:
    """A grid that has no sequence positions yet: shape and boxes as in `explore.layout.ImageGrid`.

    `skip` visual tokens before the grid belong to no cell (a class token kept in the sequence), `after_row` follow each
    row and `after` follow the grid (newlines, separators).
    """

    image: int
    boxes: np.ndarray
    size: tuple[int, int]
    frame: int = 0
    tile: int = 0
    skip: int = 0
    after_row: int = 0
    after: int = 0

    @property
    def length(self) -> int:
        """Visual tokens the grid takes, cells and others."""
        rows, cols = self.boxes.shape[:2]
        return self.skip + rows * (cols + self.after_row) + self.after

    def placed(self, positions: np.ndarray) -> ImageGrid:
        """The grid on these sequence positions, (length,) int64."""
        rows, cols = self.boxes.shape[:2]
        body = positions[self.skip : self.skip + rows * (cols + self.after_row)]
        cells = body.reshape(rows, cols + self.after_row)[:, :cols]
        return ImageGrid(self.image, self.frame, self.tile, cells, self.boxes, self.size)


class Family:
    """A loaded model taken apart.

    Parameters
    ----------
    model
        A transformers model with a text decoder and image placeholders in its sequence.
    processor
        Its processor.

    Raises
    ------
    CheckpointError
        A part could not be found; the message says which.
    """

    def __init__(self, model: Any, processor: Any) -> None:
        self.model, self.processor = model, processor
        self.text_model: nn.Module = model.get_decoder()
        self.layers: Sequence[nn.Module] = self._find(self.text_model, ("layers", "h", "blocks"), "decoder layers")
        self.final_norm: nn.Module = self._find(self.text_model, ("norm", "final_layernorm", "ln_f"), "final norm")
        self.head: nn.Module = model.get_output_embeddings()
        if self.head is None:
            raise self._missing("language-model head")
        self.text_config = model.config.get_text_config(decoder=True)

    @property
    def dtype(self) -> torch.dtype:
        """Number type of the decoder's states."""
        found: torch.dtype = self.model.dtype
        return found

    @property
    def placeholder_ids(self) -> tuple[int, ...]:
        """Token ids that stand where image features go."""
        return (int(self.model.config.image_token_id),)

    @property
    def vision_tower(self) -> nn.Module | None:
        """The image encoder, None where there is none."""
        found = self.model.get_encoder(modality="image")
        return None if found is self.model or found is self.model.base_model else found

    @property
    def vision_layers(self) -> Sequence[nn.Module]:
        """Layers of the image encoder, in order; empty where they are not a plain list."""
        tower = self.vision_tower
        for owner in (tower, getattr(tower, "encoder", None), getattr(tower, "vision_model", None)):
            layers = getattr(owner, "layers", None)
            if isinstance(layers, nn.ModuleList):
                return list(layers)
        return []

    @property
    def vision_cls(self) -> bool:
        """Whether the image encoder puts a class token in front of its patches."""
        tower = self.vision_tower
        return tower is not None and any(name.endswith("class_embedding") for name, _ in tower.named_parameters())

    @property
    def projector(self) -> nn.Module:
        """The module between image encoder and decoder."""
        found: nn.Module = self._find(
            self.model.base_model, ("multi_modal_projector", "connector", "aligner"), "projector"
        )
        return found

    def output_projection(self, layer: nn.Module) -> nn.Module:
        """The module of a decoder layer that turns what its heads said into what is added to the residual stream."""
        attention = self._find(layer, ("self_attn", "attn", "attention", "self_attention"), "attention module")
        found: nn.Module = self._find(attention, ("o_proj", "out_proj", "dense", "c_proj", "wo"), "output projection")
        return found

    def vision_info(self) -> VisionInfo | None:
        """Sizes of the image encoder."""
        tower, config = self.vision_tower, getattr(self.model.config, "vision_config", None)
        if tower is None or config is None:
            return None
        return VisionInfo(
            layers=len(self.vision_layers),
            heads=int(getattr(config, "num_attention_heads", 0)),
            width=int(getattr(config, "hidden_size", 0)),
            feature_width=self._feature_width(config),
            cls=self.vision_cls,
        )

    def on_device(self, tensors: Mapping[str, Any]) -> dict[str, Any]:
        """Inputs where the model is, pixels in the model's number type."""
        moved = dict(tensors)
        for name, value in tensors.items():
            if isinstance(value, torch.Tensor):
                moved[name] = value.to(self.model.device, self.dtype if value.is_floating_point() else None)
        return moved

    def image_features(self, tensors: Mapping[str, Any]) -> Sequence[torch.Tensor] | torch.Tensor | None:
        """Projected features per picture, each (visual_tokens, width), if they may be shared between prompts.

        They come in the form the model takes them back in, a list or one tensor. None means that this family's
        features depend on the prompt or cannot be told apart by picture; then every prompt brings its own pixels.
        """
        return None

    def grids(self, sizes: Sequence[tuple[int, int]], inputs: Mapping[str, Any]) -> list[GridPlan]:
        """The grids of all pictures of one prompt, in the order of the sequence.

        Parameters
        ----------
        sizes
            (width, height) of every upright picture in pixels.
        inputs
            What the processor made of them.
        """
        raise NotImplementedError(f"{type(self).__name__} does not map its visual tokens to pixels")

    def _feature_width(self, config: Any) -> int:
        return int(getattr(config, "hidden_size", 0))

    def _find(self, owner: Any, names: tuple[str, ...], what: str) -> Any:
        for name in names:
            if getattr(owner, name, None) is not None:
                return getattr(owner, name)
        raise self._missing(what)

    def _missing(self, what: str) -> CheckpointError:
        return CheckpointError(
            f"No {what} could be found in {type(self.model).__name__}",
            "Known families are listed in explore.models.families.FAMILIES.",
            "Add a family file that names it, or use another checkpoint.",
        )
