"""A model type that nobody else has: it stands for your own in notebooks/12_new_model_family.ipynb.

The picture lies in the upper left of a white square, like a postcard with room to write on, and every row of patches
ends with a visual token that looks at nothing. Everything else is LLaVA's.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers as tf
from torch import Tensor, nn

from explore.models.loading import load_runner
from tests.zoo.parts import chat, processor, shaken, text_sizes, tokenizer, tower_sizes

MODEL_TYPE = "postcard"


class PostcardConfig(tf.LlavaConfig):
    """LLaVA's config under another name."""

    model_type = MODEL_TYPE


class PostcardModel(tf.LlavaModel):
    """LLaVA's model with a learned token behind every row of patches."""

    config_class = PostcardConfig

    def __init__(self, config: PostcardConfig) -> None:
        super().__init__(config)
        self.row_end = nn.Parameter(torch.zeros(config.text_config.hidden_size))

    def get_image_features(self, pixel_values: Tensor, **options: Any) -> Any:
        made = super().get_image_features(pixel_values, **options)
        made.pooler_output = [self._with_row_ends(each) for each in made.pooler_output]
        return made

    def _with_row_ends(self, features: Tensor) -> Tensor:
        side, width = round(len(features) ** 0.5), features.shape[-1]
        ends = self.row_end.to(features).expand(side, 1, width)
        return torch.cat([features.reshape(side, side, width), ends], dim=1).reshape(-1, width)


class PostcardForConditionalGeneration(tf.LlavaForConditionalGeneration):
    """`PostcardModel` with a language-model head."""

    config_class = PostcardConfig

    def __init__(self, config: PostcardConfig) -> None:
        super().__init__(config)
        self.model = PostcardModel(config)
        self.post_init()


class PostcardImageProcessor(tf.CLIPImageProcessorPil):
    """Fills the picture up to a white square, at the right or below, before it is resized."""

    def process_image(self, *args: Any, **options: Any) -> np.ndarray:
        pixels: np.ndarray = super().process_image(*args, **options)
        height, width = pixels.shape[-2:]
        side = max(height, width)
        return np.pad(pixels, ((0, 0), (0, side - height), (0, side - width)), constant_values=255)


class PostcardProcessor(tf.LlavaProcessor):
    """Writes a placeholder more for every row."""

    def replace_image_token(self, image_inputs: Any, image_idx: int, **options: Any) -> str:
        height, width = image_inputs["pixel_values"][image_idx].shape[-2:]
        return str(self.image_token * (height // self.patch_size * (width // self.patch_size + 1)))


def postcard() -> tuple[Any, Any]:
    """A tiny random model and its processor, for the contract."""
    register()
    own = processor(
        PostcardProcessor,
        image_processor=PostcardImageProcessor(size={"height": 16, "width": 16}, do_center_crop=False),
        tokenizer=tokenizer(image_token="<image>"),
        patch_size=4,
        chat_template=chat("<image>\n", "{role}: ", " ", user="USER", assistant="ASSISTANT"),
    )
    config = PostcardConfig(
        vision_config=tf.CLIPVisionConfig(**tower_sizes()),
        text_config=tf.LlamaConfig(**text_sizes(own.tokenizer)),
        image_token_id=own.image_token_id,
        tie_word_embeddings=False,
    )
    return shaken(PostcardForConditionalGeneration, config), own


def save_checkpoint(folder: Path) -> None:
    """Write a checkpoint of this type that can answer: the shipped model's weights, its line break as the row end."""
    register()
    shipped = load_runner()._family
    trained, known = shipped.model, shipped.processor
    sizes = trained.config.to_dict()
    model = PostcardForConditionalGeneration(PostcardConfig(**{k: v for k, v in sizes.items() if k != "model_type"}))
    model.load_state_dict(trained.state_dict(), strict=False)
    with torch.no_grad():
        line_break = known.tokenizer.encode("\n", add_special_tokens=False)[-1]
        model.model.row_end.copy_(trained.get_input_embeddings().weight[line_break])
    model.generation_config = trained.generation_config
    model.save_pretrained(folder)
    size = known.image_processor.size
    PostcardProcessor(
        image_processor=PostcardImageProcessor(size={"height": size.height, "width": size.width}, do_center_crop=False),
        tokenizer=known.tokenizer,
        patch_size=known.patch_size,
        chat_template=known.chat_template,
    ).save_pretrained(folder)


@functools.cache
def register() -> None:
    """Tell transformers' automatic classes of the type, as a package with a model of its own does."""
    tf.AutoConfig.register(MODEL_TYPE, PostcardConfig)
    tf.AutoModelForImageTextToText.register(PostcardConfig, PostcardForConditionalGeneration)
    tf.AutoImageProcessor.register(PostcardConfig, image_processor_classes={"pil": PostcardImageProcessor})
    tf.AutoProcessor.register(PostcardConfig, PostcardProcessor)
