"""Qwen's models that hear too: grids as Qwen2.5-VL's and Qwen3-VL's."""

from __future__ import annotations

from typing import Any

import transformers as tf

from tests.zoo.merged import FILM, PATCHES, PICTURE, ROPE, im_chat, vision
from tests.zoo.parts import class_of, processor, shaken, text_sizes, tokenizer

_AUDIO = {
    "num_mel_bins": 16,
    "encoder_layers": 1,
    "encoder_attention_heads": 2,
    "encoder_ffn_dim": 24,
    "d_model": 16,
    "n_window": 8,
    "output_dim": 32,
}


def qwen2_5_omni_thinker() -> tuple[Any, Any]:
    """The listening and seeing half of Qwen2.5-Omni."""
    own = _omni(tf.Qwen2_5OmniProcessor)
    words = own.tokenizer
    config = tf.Qwen2_5OmniThinkerConfig(
        vision_config=vision() | {"window_size": 16, "fullatt_block_indexes": [1]},
        audio_config=_AUDIO | {"max_source_positions": 32},
        text_config=text_sizes(words, rope_parameters=ROPE),
        image_token_index=words.image_token_id,
        audio_token_index=words.audio_token_id,
        video_token_index=words.video_token_id,
        audio_start_token_id=words.audio_bos_token_id,
        audio_end_token_id=words.audio_eos_token_id,
        tie_word_embeddings=False,
    )
    config.vision_start_token_id = words.vision_bos_token_id  # read by the position code, not a field of the config
    return shaken(tf.Qwen2_5OmniThinkerForConditionalGeneration, config), own


def qwen3_omni_moe_thinker() -> tuple[Any, Any]:
    """The listening and seeing half of Qwen3-Omni: experts, and features added after the first decoder layer."""
    own = _omni(tf.Qwen3OmniMoeProcessor)
    words = own.tokenizer
    experts = {"num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 20}
    config = tf.Qwen3OmniMoeThinkerConfig(
        vision_config=vision() | {"num_position_embeddings": 64, "deepstack_visual_indexes": [0]},
        audio_config=_AUDIO | {"n_window_infer": 16, "conv_chunksize": 16, "downsample_hidden_size": 8},
        text_config=text_sizes(words, rope_parameters=ROPE, **experts),
        image_token_id=words.image_token_id,
        audio_token_id=words.audio_token_id,
        video_token_id=words.video_token_id,
        audio_start_token_id=words.audio_bos_token_id,
        tie_word_embeddings=False,
    )
    config.vision_start_token_id = words.vision_bos_token_id
    return shaken(tf.Qwen3OmniMoeThinkerForConditionalGeneration, config), own


def _omni(cls: Any) -> Any:
    words = tokenizer(
        "<|im_start|>",
        "<|im_end|>",
        image_token="<|IMAGE|>",
        audio_token="<|AUDIO|>",
        video_token="<|VIDEO|>",
        vision_bos_token="<|vision_bos|>",
        vision_eos_token="<|vision_eos|>",
        audio_bos_token="<|audio_bos|>",
        audio_eos_token="<|audio_eos|>",
    )
    own = processor(
        cls,
        image_processor=tf.Qwen2VLImageProcessorPil(**PATCHES, size=PICTURE),
        video_processor=class_of("Qwen2VLVideoProcessor", "qwen2_vl.video_processing_qwen2_vl")(**PATCHES, size=FILM),
        feature_extractor=tf.WhisperFeatureExtractor(feature_size=16),
        tokenizer=words,
        chat_template=im_chat("<|vision_bos|><|IMAGE|><|vision_eos|>", video="<|vision_bos|><|VIDEO|><|vision_eos|>"),
    )
    own.videos_kwargs = {"size": FILM}  # its class asks for films of 100,000 pixels and more
    return own
