"""The default family: what transformers' own interfaces say about a model, whatever its type.

A family is one file and one line in `FAMILIES`, and says only what cannot be found out: where its visual tokens look.
Recording, prompts, generation and everything above are the same for all.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any, ClassVar

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from transformers.video_utils import VideoMetadata

from explore.errors import CheckpointError
from explore.frame_times import FrameTimes
from explore.models.families import films, parts
from explore.models.families.compressor import Compressor
from explore.models.families.grids import Plan
from explore.models.info import VisionInfo
from explore.models.placement import input_device

Size = tuple[int, int]


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

    # Switches the processor must be given so that the model gets everything it reads.
    processor_options: ClassVar[Mapping[str, Any]] = {}
    # What stands for "answer" in per-token inputs where the prompt's last value would be wrong.
    answer_values: ClassVar[Mapping[str, int]] = {}
    # Residual streams that run side by side; more than one means that hidden states are their mean.
    streams: int = 1
    # Pictures a prompt must have; None where it may have any number.
    pictures: int | None = None
    # Whether a prompt in a batch is run as it is alone; where not, prompts come one after the other.
    together: bool = True
    # Whether the prompt holds a placeholder for each picture, or the processor puts pictures in by itself.
    marks_pictures: bool = True
    # Why it can be shown no films although its processor takes them; None where it can.
    no_films: ClassVar[str | None] = None

    def __init__(self, model: Any, processor: Any) -> None:
        self.model, self.processor = model, processor
        self.text_model: nn.Module = parts.decoder_of(model)
        self.layers: Sequence[nn.Module] = parts.stack_of(model, self.text_model)
        self.final_norm: nn.Module = parts.final_norm_of(model, self.text_model)
        self.head: nn.Module = parts.head_of(model)
        self.text_config = model.config.get_text_config(decoder=True)

    @property
    def dtype(self) -> torch.dtype:
        """Number type of the decoder's states."""
        found: torch.dtype = self.model.dtype
        return found

    @property
    def placeholder_ids(self) -> tuple[int, ...]:
        """Token ids that stand where image and video features go."""
        config = self.model.config
        names = ("image_token_id", "video_token_id", "image_token_index", "video_token_index")
        found = [getattr(config, name, None) for name in names]
        return tuple(dict.fromkeys(int(each) for each in found if each is not None))

    @property
    def vision_tower(self) -> nn.Module | None:
        """The image encoder, None where there is none."""
        return parts.tower_of(self.model)

    @property
    def vision_layers(self) -> Sequence[nn.Module]:
        """Layers of the image encoder, in order; empty where they are not a plain list."""
        return parts.tower_layers(self.vision_tower)

    @property
    def vision_cls(self) -> bool:
        """Whether the image encoder puts a class token in front of its patches."""
        tower = self.vision_tower
        names = ("class_embedding", "cls_token")
        return tower is not None and any(name.endswith(names) for name, _ in tower.named_parameters())

    @property
    def vision_extra(self) -> tuple[int, int]:
        """How many tokens that are no patches the image encoder puts before and behind the patches of a picture."""
        config = getattr(self.vision_tower, "config", None)
        return int(getattr(config, "num_summary_tokens", self.vision_cls)), 0

    @property
    def projector(self) -> nn.Module:
        """The module between image encoder and decoder."""
        return parts.projector_of(self.model)

    @property
    def compressor(self) -> Compressor | None:
        """What learned queries read the patches with; None where visual tokens are no queries, or it is not known."""
        return None

    def output_projection(self, layer: nn.Module) -> nn.Module | None:
        """What turns a decoder layer's heads into what is added to the residual stream; None without attention."""
        return parts.output_projection_of(self.model, layer)

    def stream(self, states: Tensor) -> Tensor:
        """The residual stream (batch, positions, width) in what enters a decoder layer."""
        return states

    def plain_prompt(self, pictures: str, question: str, system: str | None) -> str:
        """The prompt where the checkpoint has no chat template: a base model goes on from what it is given.

        Parameters
        ----------
        pictures
            The placeholders of all pictures.
        """
        head = f"{system} " if system else ""
        return f"{head}{pictures}{question}"

    def vision_info(self) -> VisionInfo | None:
        """Sizes of the image encoder."""
        tower, config = self.vision_tower, getattr(self.model.config, "vision_config", None)
        if tower is None or config is None:
            return None
        width = int(getattr(config, "hidden_size", 0) or 0)
        return VisionInfo(
            layers=len(self.vision_layers),
            heads=int(getattr(config, "num_attention_heads", 0) or getattr(config, "num_heads", 0) or 0),
            width=width,
            feature_width=self._feature_width(width),
            cls=self.vision_cls,
        )

    def on_device(self, tensors: Mapping[str, Any]) -> dict[str, Any]:
        """Inputs where the model is, pixels in the model's number type."""
        device = input_device(self.model)
        return {name: _moved(value, device, self.dtype) for name, value in tensors.items()}

    def run_text(self, inputs: Mapping[str, Tensor]) -> None:
        """Run the decoder on text without any picture; what it makes of it is watched, not returned."""
        self.model(**inputs, use_cache=False, logits_to_keep=1)

    def image_features(self, tensors: Mapping[str, Any]) -> Sequence[Tensor] | Tensor | None:
        """Projected features per picture, each (visual_tokens, width), if they may be shared between prompts.

        They come in the form the model takes them back in, a list or one tensor. None means that this family's
        features depend on the prompt or cannot be told apart by picture; then every prompt brings its own pixels.
        """
        return None

    def grids(self, sizes: Sequence[Size], inputs: Mapping[str, Any]) -> Sequence[Plan]:
        """The visual tokens of all pictures of one prompt, in the order of the sequence.

        Parameters
        ----------
        sizes
            (width, height) of every upright picture in pixels.
        inputs
            What the processor made of them, "input_ids" (1, positions) among it.
        """
        raise NotImplementedError(f"{type(self).__name__} does not map its visual tokens to pixels")

    def film(self, sizes: Sequence[Size], inputs: Mapping[str, Any]) -> Sequence[Plan]:
        """The visual tokens of a film, in the order of the sequence.

        Parameters
        ----------
        sizes
            (width, height) of every frame in pixels, all the same.
        inputs
            As for `grids`.
        """
        laid = films.stated_grid if "video_grid_thw" in inputs else films.square_grids
        return laid(self, sizes, inputs)

    def film_inputs(self, frames: Sequence[Image.Image], times: FrameTimes) -> dict[str, Any]:
        """How the processor is given a film: every frame as it is, and when it was taken."""
        width, height = frames[0].size
        about = VideoMetadata(
            times.total, times.fps, width, height, times.total / times.fps, frames_indices=list(times.indices)
        )
        pixels = np.stack([np.asarray(frame) for frame in frames])
        return {"videos": [pixels], "video_metadata": [about], "do_sample_frames": False}

    @property
    def takes_films(self) -> bool:
        """Whether the checkpoint can be shown a film."""
        return self.no_films is None and getattr(self.processor, "video_processor", None) is not None

    def require_films(self) -> None:
        """Refuse films where the checkpoint takes none.

        Raises
        ------
        CheckpointError
            It takes none; the message says why.
        """
        if self.takes_films:
            return
        raise CheckpointError(
            f"A film was given to {type(self.model).__name__}, which {self.no_films or 'reads pictures only'}",
            "",
            "Give some of its frames as a list of pictures, or load a checkpoint that takes films.",
        )

    def rules(self) -> ModuleType:
        """The library's module of this checkpoint's image processor, where its rules for sizes and tiles stand."""
        return sys.modules[type(self.processor.image_processor).__module__]

    def visual_mask(self, ids: np.ndarray, inputs: Mapping[str, Any]) -> np.ndarray:
        """Which of a prompt's tokens stand for pictures, (prompt_tokens,) bool, of its ids (prompt_tokens,)."""
        found: np.ndarray = np.isin(ids, self.placeholder_ids)
        return found

    def visual_count(self, inputs: Mapping[str, Any]) -> int:
        """How many visual tokens a prompt has."""
        return int(self.visual_mask(inputs["input_ids"][0].numpy(), inputs).sum())

    def _feature_width(self, width: int) -> int:
        return width


def _moved(value: Any, device: torch.device, dtype: torch.dtype) -> Any:
    """A tensor on the device, floats in the number type; pictures of several shapes come in lists of tensors."""
    if isinstance(value, Tensor):
        return value.to(device, dtype if value.is_floating_point() else None)
    if isinstance(value, (list, tuple)):
        return type(value)(_moved(each, device, dtype) for each in value)
    return value
