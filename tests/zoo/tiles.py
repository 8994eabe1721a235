"""Tiles: the picture cut into squares of one size, a grid each, with words or tokens between, and the whole one small.

Tiles of 16 pixels, four patches a side, 2x2 patches folded into one token: four tokens a tile.
"""

from __future__ import annotations

from typing import Any

import transformers as tf

from tests.zoo.merged import im_chat
from tests.zoo.parts import chat, class_of, processor, shaken, text_sizes, tokenizer, tower_sizes

_SQUARE = {"height": 16, "width": 16}


def internvl() -> tuple[Any, Any]:
    """InternVL: tiles, then the whole picture where there is more than one."""
    words = tokenizer(
        "<|im_start|>",
        "<|im_end|>",
        start_image_token="<img>",
        end_image_token="</img>",
        context_image_token="<IMG_CONTEXT>",
        video_token="<video>",
    )
    own = processor(
        tf.InternVLProcessor,
        image_processor=tf.GotOcr2ImageProcessorPil(size=_SQUARE, crop_to_patches=True, max_patches=6),
        video_processor=class_of("InternVLVideoProcessor", "internvl.video_processing_internvl")(size=_SQUARE),
        tokenizer=words,
        image_seq_length=4,
        chat_template=im_chat("<IMG_CONTEXT>\n", video="<video>\n"),
    )
    config = tf.InternVLConfig(
        vision_config=tf.InternVLVisionConfig(**tower_sizes(image_size=[16, 16], patch_size=[4, 4])),
        text_config=tf.Qwen2Config(**text_sizes(words)),
        image_token_id=own.image_token_id,
        image_seq_length=4,
        tie_word_embeddings=False,
    )
    return shaken(tf.InternVLForConditionalGeneration, config), own


def aya_vision() -> tuple[Any, Any]:
    """Aya Vision: TILE_1, TILE_2, ..., TILE_GLOBAL."""
    words = tokenizer(
        "<|START_OF_IMG|>",
        "<|END_OF_IMG|>",
        "<|IMG_PATCH|>",
        "<|IMG_LINE_BREAK|>",
        "TILE",
        "TILE_GLOBAL",
        "<|START_OF_TURN_TOKEN|>",
        "<|END_OF_TURN_TOKEN|>",
        "<image>",
    )
    own = processor(
        tf.AyaVisionProcessor,
        image_processor=tf.GotOcr2ImageProcessorPil(size=_SQUARE, crop_to_patches=True, max_patches=6),
        tokenizer=words,
        patch_size=4,
        img_size=16,
        downsample_factor=2,
        chat_template=chat("<image>", "<|START_OF_TURN_TOKEN|>{role}: ", "<|END_OF_TURN_TOKEN|>"),
    )
    config = tf.AyaVisionConfig(
        vision_config=tf.SiglipVisionConfig(**tower_sizes(), vision_use_head=False),
        text_config=tf.Cohere2Config(**text_sizes(words), sliding_window=64, logit_scale=0.25),
        vision_feature_select_strategy="full",
        vision_feature_layer=-1,
        downsample_factor=2,
        image_token_index=own.image_token_id,
        alignment_intermediate_size=40,
        tie_word_embeddings=False,
    )
    return shaken(tf.AyaVisionForConditionalGeneration, config), own


def ovis2() -> tuple[Any, Any]:
    """Ovis2: the whole picture first, then tiles with row and column tokens; indicator tokens get features too."""
    marks = ["<IMG_START>", "<IMG_GRID>", "<IMG_COL>", "<IMG_ROW>", "<IMG_END>"]
    words = tokenizer("<|im_start|>", "<|im_end|>", "<image>", "<IMG_ATOM>", *marks)
    own = processor(
        tf.Ovis2Processor,
        image_processor=tf.Ovis2ImageProcessorPil(size=_SQUARE, crop_to_patches=True, max_patches=6),
        tokenizer=words,
        image_seq_length=4,
        chat_template=im_chat("<image>\n"),
    )
    config = tf.Ovis2Config(
        vision_config=class_of("Ovis2VisionConfig", "ovis2.configuration_ovis2")(
            **tower_sizes(hidden_stride=2, vocab_size=40, num_visual_indicator_tokens=5)
        ),
        text_config=tf.Qwen2Config(**text_sizes(words)),
        image_token_id=words.convert_tokens_to_ids("<IMG_ATOM>"),
        visual_indicator_token_ids=words.convert_tokens_to_ids(marks),
        vocab_size=len(words),
        hidden_size=32,
        tie_word_embeddings=False,
    )
    return shaken(tf.Ovis2ForConditionalGeneration, config), own


def cohere2_vision() -> tuple[Any, Any]:
    """Command A Vision: tiles, a line-break token after each; `patch_size` of its processor is tokens a side."""
    words = tokenizer(
        "<|START_OF_TURN_TOKEN|>",
        "<|END_OF_TURN_TOKEN|>",
        image_token="<|IMG_PATCH|>",
        boi_token="<|START_OF_IMG|>",
        eoi_token="<|END_OF_IMG|>",
        img_line_break_token="<|IMG_LINE_BREAK|>",
    )
    own = processor(
        class_of("Cohere2VisionProcessor", "cohere2_vision.processing_cohere2_vision"),
        image_processor=class_of("Cohere2VisionImageProcessor", "cohere2_vision.image_processing_cohere2_vision")(
            size=_SQUARE, max_patches=6, patch_size=2
        ),
        tokenizer=words,
        chat_template=chat("<|IMG_PATCH|>", "<|START_OF_TURN_TOKEN|>{role}: ", "<|END_OF_TURN_TOKEN|>"),
    )
    config = tf.Cohere2VisionConfig(
        vision_config=tf.SiglipVisionConfig(**tower_sizes(), vision_use_head=False),
        text_config=tf.Cohere2Config(**text_sizes(words), sliding_window=64, logit_scale=0.25),
        downsample_factor=2,
        image_token_id=own.image_token_id,
        alignment_intermediate_size=40,
        tie_word_embeddings=False,
    )
    return shaken(tf.Cohere2VisionForConditionalGeneration, config), own


def qianfan_ocr() -> tuple[Any, Any]:
    """Qianfan OCR: InternVL with a placeholder of its own in the prompt."""
    words = tokenizer(
        "<|im_start|>",
        "<|im_end|>",
        "<image>",
        start_image_token="<img>",
        end_image_token="</img>",
        context_image_token="<IMG_CONTEXT>",
    )
    own = processor(
        tf.QianfanOCRProcessor,
        image_processor=tf.GotOcr2ImageProcessorPil(size=_SQUARE, crop_to_patches=True, max_patches=6),
        tokenizer=words,
        image_seq_length=4,
        chat_template=im_chat("<image>\n"),
    )
    config = tf.QianfanOCRConfig(
        vision_config=tower_sizes(image_size=[16, 16], patch_size=[4, 4]),
        text_config=tf.Qwen3Config(**text_sizes(words)),
        image_token_id=own.image_token_id,
        image_seq_length=4,
        tie_word_embeddings=False,
    )
    return shaken(tf.QianfanOCRForConditionalGeneration, config), own
