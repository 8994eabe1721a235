"""DeepSeek-VL and Janus: one square grid per picture, padded, and a hybrid that adds a second tower."""

from __future__ import annotations

from typing import Any

import transformers as tf

from tests.zoo.parts import chat, processor, sam_sizes, shaken, text_sizes, tokenizer, tower_sizes

_SQUARE = {"height": 16, "width": 16}


def deepseek_vl() -> tuple[Any, Any]:
    """DeepSeek-VL: SigLIP, the picture padded to a square."""
    words = tokenizer(image_token="<image_placeholder>")
    own = processor(
        tf.DeepseekVLProcessor,
        image_processor=tf.DeepseekVLImageProcessorPil(size=_SQUARE, min_size=4),
        tokenizer=words,
        num_image_tokens=16,
        chat_template=chat("<image_placeholder>", "{role}: ", "\n\n", user="User", assistant="Assistant"),
    )
    config = tf.DeepseekVLConfig(
        vision_config=tf.SiglipVisionConfig(**tower_sizes(), vision_use_head=False),
        text_config=tf.LlamaConfig(**text_sizes(words)),
        image_token_id=words.image_token_id,
        tie_word_embeddings=False,
    )
    return shaken(tf.DeepseekVLForConditionalGeneration, config), own


def deepseek_vl_hybrid() -> tuple[Any, Any]:
    """DeepSeek-VL hybrid: a second, larger picture through SAM, both added up."""
    words = tokenizer(image_token="<image_placeholder>")
    own = processor(
        tf.DeepseekVLHybridProcessor,
        image_processor=tf.DeepseekVLHybridImageProcessorPil(
            size=_SQUARE, min_size=4, high_res_size={"height": 64, "width": 64}
        ),
        tokenizer=words,
        num_image_tokens=16,
        chat_template=chat("<image_placeholder>", "{role}: ", "\n\n", user="User", assistant="Assistant"),
    )
    config = tf.DeepseekVLHybridConfig(
        vision_config=tf.SiglipVisionConfig(**tower_sizes(), vision_use_head=False),
        high_res_vision_config=tf.SamVisionConfig(**sam_sizes(), output_channels=12),
        text_config=tf.LlamaConfig(**text_sizes(words)),
        image_token_id=words.image_token_id,
        tie_word_embeddings=False,
    )
    return shaken(tf.DeepseekVLHybridForConditionalGeneration, config), own


def janus() -> tuple[Any, Any]:
    """Janus: as DeepSeek-VL; the part that makes pictures is there and idle."""
    words = tokenizer(image_token="<image_placeholder>", boi_token="<begin_of_image>", eoi_token="<end_of_image>")
    own = processor(
        tf.JanusProcessor,
        image_processor=tf.JanusImageProcessorPil(size=_SQUARE, min_size=4),
        tokenizer=words,
        num_image_tokens=16,
        chat_template=chat("<image_placeholder>\n", "<|{role}|>: ", "\n\n", user="User", assistant="Assistant"),
    )
    config = tf.JanusConfig(
        vision_config=tf.JanusVisionConfig(**tower_sizes(mlp_ratio=2, projection_dim=32, depth=2, num_image_tokens=16)),
        vq_config=tf.JanusVQVAEConfig(
            embed_dim=4,
            num_embeddings=16,
            latent_channels=32,
            base_channels=32,
            channel_multiplier=[1, 1],
            num_res_blocks=1,
            num_patches=4,
            projection_dim=32,
            image_token_embed_dim=32,
        ),
        text_config=tf.LlamaConfig(**text_sizes(words)),
        image_token_id=words.image_token_id,
        tie_word_embeddings=False,
    )
    return shaken(tf.JanusForConditionalGeneration, config), own
