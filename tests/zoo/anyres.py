"""Any resolution: the whole picture small, then tiles of it joined, padding cut away, a newline token after each row.

Tiles of 16 pixels, four patches a side; the largest canvas is 32x32, 16x48 or 48x16.
"""

from __future__ import annotations

from typing import Any

import transformers as tf

from tests.zoo.merged import im_chat
from tests.zoo.parts import chat, class_of, processor, shaken, text_sizes, tokenizer, tower_sizes

_PLACES = [[16, 32], [32, 16], [32, 32], [16, 48], [48, 16]]
_SQUARE = {"height": 16, "width": 16}


def llava_next() -> tuple[Any, Any]:
    """LLaVA-NeXT."""
    words = tokenizer(image_token="<image>")
    own = processor(
        tf.LlavaNextProcessor,
        image_processor=_pictures(),
        tokenizer=words,
        patch_size=4,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        chat_template=chat("<image>\n", "{role}: ", " ", user="USER", assistant="ASSISTANT"),
    )
    config = tf.LlavaNextConfig(
        vision_config=tf.CLIPVisionConfig(**tower_sizes()),
        text_config=tf.LlamaConfig(**text_sizes(words)),
        image_token_index=words.image_token_id,
        image_grid_pinpoints=_PLACES,
        image_seq_length=16,
        tie_word_embeddings=False,
    )
    return shaken(tf.LlavaNextForConditionalGeneration, config), own


def llava_next_video() -> tuple[Any, Any]:
    """LLaVA-NeXT-Video: pictures as LLaVA-NeXT, frames pooled 2x2."""
    words = tokenizer(image_token="<image>", video_token="<video>")
    own = processor(
        tf.LlavaNextVideoProcessor,
        image_processor=_pictures(),
        video_processor=class_of("LlavaNextVideoVideoProcessor", "llava_next_video.video_processing_llava_next_video")(
            size={"shortest_edge": 16}, crop_size=_SQUARE
        ),
        tokenizer=words,
        patch_size=4,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        chat_template=chat("<image>\n", "{role}: ", " ", user="USER", assistant="ASSISTANT"),
    )
    config = tf.LlavaNextVideoConfig(
        vision_config=tf.CLIPVisionConfig(**tower_sizes()),
        text_config=tf.LlamaConfig(**text_sizes(words)),
        image_token_index=words.image_token_id,
        video_token_index=words.video_token_id,
        image_grid_pinpoints=_PLACES,
        image_seq_length=16,
        video_seq_length=4,
        tie_word_embeddings=False,
    )
    return shaken(tf.LlavaNextVideoForConditionalGeneration, config), own


def llava_onevision() -> tuple[Any, Any]:
    """LLaVA-OneVision: any resolution for one picture; of several, each is one small grid and a newline."""
    words = tokenizer("<|im_start|>", "<|im_end|>", image_token="<image>", video_token="<video>")
    own = processor(
        tf.LlavaOnevisionProcessor,
        image_processor=tf.LlavaOnevisionImageProcessorPil(size=_SQUARE, image_grid_pinpoints=_PLACES),
        video_processor=class_of("LlavaOnevisionVideoProcessor", "llava_onevision.video_processing_llava_onevision")(
            size=_SQUARE
        ),
        tokenizer=words,
        num_image_tokens=16,
        vision_feature_select_strategy="full",
        chat_template=im_chat("<image>\n"),
    )
    config = tf.LlavaOnevisionConfig(
        vision_config=tf.SiglipVisionConfig(**tower_sizes(), vision_use_head=False),
        text_config=tf.Qwen2Config(**text_sizes(words)),
        image_token_index=words.image_token_id,
        video_token_index=words.video_token_id,
        image_grid_pinpoints=_PLACES,
        vision_aspect_ratio="anyres_max_9",
        tie_word_embeddings=False,
    )
    return shaken(tf.LlavaOnevisionForConditionalGeneration, config), own


def granite4_vision() -> tuple[Any, Any]:
    """Granite 4 Vision: 2x2 patches to a query each; features enter between decoder layers, none at the input."""
    words = tokenizer("<|start_of_role|>", "<|end_of_role|>", "<|end_of_text|>", image_token="<image>")
    own = processor(
        tf.Granite4VisionProcessor,
        image_processor=_pictures(),
        tokenizer=words,
        patch_size=4,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        downsample_rate="1/2",
        chat_template=chat("<image>\n", "<|start_of_role|>{role}<|end_of_role|>", "<|end_of_text|>\n"),
    )
    config = tf.Granite4VisionConfig(
        vision_config=tf.CLIPVisionConfig(**tower_sizes(hidden_size=64, num_attention_heads=4)),
        text_config=text_sizes(words, embedding_multiplier=1.5, logits_scaling=2.0, residual_multiplier=0.8)
        | {"num_hidden_layers": 4, "attention_multiplier": 0.3},
        qformer_config=tf.Blip2QFormerConfig(
            hidden_size=64,
            intermediate_size=40,
            num_hidden_layers=1,
            num_attention_heads=1,
            cross_attention_frequency=1,
            encoder_hidden_size=64,
            vocab_size=16,
        ),
        image_token_index=words.image_token_id,
        image_grid_pinpoints=_PLACES,
        image_seq_length=4,
        downsample_rate="1/2",
        deepstack_layer_map=[[-2, 0], [-1, 1]],
        spatial_target_layers=[0, 1, 2, 3],
        tie_word_embeddings=False,
    )
    return shaken(tf.Granite4VisionForConditionalGeneration, config), own


def _pictures() -> Any:
    return tf.LlavaNextImageProcessorPil(size={"shortest_edge": 16}, crop_size=_SQUARE, image_grid_pinpoints=_PLACES)
