"""Gemma 4: the places of the patches are an input, some of them pooled to one token."""

from __future__ import annotations

from typing import Any

import transformers as tf

from tests.zoo.parts import chat, class_of, processor, shaken, text_sizes, tokenizer


def gemma4() -> tuple[Any, Any]:
    """Gemma 4: 2x2 patches (3x3 in real ones) pooled to one; patch places are an input; causal in this shape."""
    own = _gemma4(
        tf.Gemma4Processor,
        tf.Gemma4ImageProcessorPil,
        class_of("Gemma4VideoProcessor", "gemma4.video_processing_gemma4"),
    )
    words = own.tokenizer
    config = tf.Gemma4Config(
        vision_config={
            "hidden_size": 24,
            "intermediate_size": 40,
            "num_hidden_layers": 2,
            "num_attention_heads": 3,
            "num_key_value_heads": 3,
            "head_dim": 8,
            "pooling_kernel_size": 2,
            "patch_size": 4,
            "position_embedding_size": 64,
        },
        text_config=text_sizes(
            words,
            layer_types=["sliding_attention", "full_attention"],
            sliding_window=512,
            global_head_dim=8,
            vocab_size_per_layer_input=len(words),
            hidden_size_per_layer_input=8,
            final_logit_softcapping=30.0,
        ),
        audio_config=None,
        **_gemma4_ids(words),
    )
    return shaken(tf.Gemma4ForConditionalGeneration, config), own


def gemma4_unified() -> tuple[Any, Any]:
    """Gemma 4 without a tower: a token is a square of pixels; image blocks two-way."""
    folder = "gemma4_unified.image_processing_gemma4_unified"
    own = _gemma4(
        class_of("Gemma4UnifiedProcessor", "gemma4_unified.processing_gemma4_unified"),
        class_of("Gemma4UnifiedImageProcessor", folder),
        class_of("Gemma4UnifiedVideoProcessor", folder.replace("image", "video")),
    )
    words = own.tokenizer
    config = tf.Gemma4UnifiedConfig(
        vision_config={
            "patch_size": 4,
            "pooling_kernel_size": 2,
            "mm_embed_dim": 24,
            "mm_posemb_size": 32,
            "output_proj_dims": 24,
        },
        text_config=text_sizes(
            words,
            layer_types=["sliding_attention", "full_attention"],
            sliding_window=512,
            global_head_dim=8,
            final_logit_softcapping=30.0,
        ),
        audio_config=None,
        **_gemma4_ids(words),
    )
    return shaken(tf.Gemma4UnifiedForConditionalGeneration, config), own


def _gemma4(cls: Any, pictures: Any, films: Any) -> Any:
    words = tokenizer(
        "<|turn>",
        "<turn|>",
        bos=True,
        image_token="<|image|>",
        boi_token="<|image>",
        eoi_token="<image|>",
        video_token="<|video|>",
        audio_token="<|audio|>",
        boa_token="<|audio>",
        eoa_token="<audio|>",
    )
    sizes = {"patch_size": 4, "max_soft_tokens": 70, "pooling_kernel_size": 2}
    return processor(
        cls,
        feature_extractor=tf.Gemma4AudioFeatureExtractor(),
        image_processor=pictures(**sizes),
        video_processor=films(**sizes),
        tokenizer=words,
        image_seq_length=70,
        chat_template=chat("<|image|>", "<|turn>{role}\n", "<turn|>\n", "<s>", assistant="model"),
    )


def _gemma4_ids(words: Any) -> dict[str, Any]:
    return {
        "image_token_id": words.image_token_id,
        "video_token_id": words.video_token_id,
        "boi_token_id": words.boi_token_id,
        "eoi_token_id": words.eoi_token_id,
        "audio_token_id": words.audio_token_id,
        "boa_token_id": words.boa_token_id,
        "eoa_token_index": words.eoa_token_id,
        "tie_word_embeddings": False,
    }
