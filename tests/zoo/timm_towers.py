"""Families whose tower comes from timm. Where it is not installed, building one of them skips the test."""

from __future__ import annotations

import importlib
from typing import Any

import transformers as tf

from tests.zoo.merged import im_chat
from tests.zoo.parts import chat, class_of, processor, shaken, text_sizes, tokenizer
from tests.zoo.timm_found import supply_timm

_SQUARE = {"height": 16, "width": 16}


def fast_vlm() -> tuple[Any, Any]:
    """FastVLM: convolutions, then attention; a token is 64 pixels a side; the picture's middle is cut out."""
    supply_timm()
    words = tokenizer("<|im_start|>", "<|im_end|>", image_token="<image>")
    own = processor(
        tf.LlavaProcessor,
        image_processor=tf.CLIPImageProcessorPil(
            size={"shortest_edge": 128},
            crop_size={"height": 128, "width": 128},
            image_mean=[0.0, 0.0, 0.0],
            image_std=[1.0, 1.0, 1.0],
        ),
        tokenizer=words,
        patch_size=64,
        chat_template=im_chat("<image>\n"),
    )
    config = tf.FastVlmConfig(
        vision_config=tf.TimmWrapperConfig(
            architecture="fastvit_mci3",
            hidden_size=64,
            model_args={"inference_mode": True, "layers": [1] * 5, "embed_dims": [8, 8, 16, 32, 32]},
        ),
        text_config=tf.Qwen2Config(**text_sizes(words)),
        image_token_index=words.image_token_id,
        image_seq_length=4,
        tie_word_embeddings=False,
    )
    return shaken(tf.FastVlmForConditionalGeneration, config), own


def perception_lm() -> tuple[Any, Any]:
    """Perception LM: the whole picture first, then tiles, all stretched; 2x2 patches pooled to one."""
    supply_timm()
    words = tokenizer(
        "<|start_header_id|>",
        "<|end_header_id|>",
        "<|eot_id|>",
        bos=True,
        image_token="<|image|>",
        video_token="<|video|>",
    )
    pictures = class_of("PerceptionLMImageProcessor", "perception_lm.image_processing_perception_lm")
    films = class_of("PerceptionLMVideoProcessor", "perception_lm.video_processing_perception_lm")
    own = processor(
        tf.PerceptionLMProcessor,
        image_processor=pictures(size=_SQUARE, tile_size=16, max_num_tiles=6),
        video_processor=films(size=_SQUARE),
        tokenizer=words,
        patch_size=4,
        pooling_ratio=2,
        chat_template=chat("<|image|>", "<|start_header_id|>{role}<|end_header_id|>\n\n", "<|eot_id|>", "<s>"),
    )
    config = tf.PerceptionLMConfig(
        vision_config=tf.TimmWrapperConfig(
            architecture="vit_pe_core_large_patch14_336",
            model_args={
                "embed_dim": 24,
                "depth": 2,
                "num_heads": 3,
                "patch_size": 4,
                "img_size": [16, 16],
                "ref_feat_shape": [4, 4],
                "global_pool": "",
                "use_post_transformer_norm": False,
                "init_values": 0.1,
            },
        ),
        text_config=tf.LlamaConfig(**text_sizes(words)),
        projector_pooling_ratio=2,
        image_token_id=words.image_token_id,
        video_token_id=words.video_token_id,
        tie_word_embeddings=False,
    )
    return shaken(tf.PerceptionLMForConditionalGeneration, config), own


def gemma3n() -> tuple[Any, Any]:
    """Gemma 3n: MobileNet; streams beside the residual one, inputs of each layer's own, shared keys and values."""
    supply_timm()
    words = tokenizer("<start_of_turn>", "<end_of_turn>", "<start_of_image>", "<start_of_audio>", bos=True)
    first = len(words)  # the ids from here on have embeddings in the towers' own tables, and none of a layer's own
    words.add_tokens(
        ["<end_of_image>", "<image_soft_token>", "<end_of_audio>", "<audio_soft_token>"], special_tokens=True
    )
    words._set_model_specific_special_tokens(_GEMMA_MARKS)
    own = processor(
        tf.Gemma3nProcessor,
        feature_extractor=tf.Gemma3nAudioFeatureExtractor(feature_size=16),
        image_processor=tf.SiglipImageProcessorPil(size={"height": 64, "width": 64}),
        tokenizer=words,
        image_seq_length=4,
        chat_template=chat(
            "<image_soft_token>", "<start_of_turn>{role}\n", "<end_of_turn>\n", "<s>", assistant="model"
        ),
    )
    config = tf.Gemma3nConfig(
        vision_config=tf.Gemma3nVisionConfig(
            architecture="mobilenetv5_300m_enc",
            model_args={"block_args": _blocks(), "stem_size": 8, "msfa_output_resolution": 2},
            vocab_size=2,
            vocab_offset=first,
        ),
        audio_config=tf.Gemma3nAudioConfig(
            vocab_size=2,
            vocab_offset=first + 2,
            input_feat_size=16,
            hidden_size=16,
            conf_num_attention_heads=2,
            conf_num_hidden_layers=1,
            sscp_conv_channel_size=[8, 4],
        ),
        text_config=tf.Gemma3nTextConfig(
            **text_sizes(words, num_hidden_layers=4),
            layer_types=["sliding_attention", "full_attention"] * 2,
            sliding_window=64,
            vocab_size_per_layer_input=first,
            hidden_size_per_layer_input=6,
            num_kv_shared_layers=2,
            laurel_rank=4,
            activation_sparsity_pattern=[0.5, 0.0, 0.0, 0.0],
        ),
        vision_soft_tokens_per_image=4,
        **{f"{name}_id": words.convert_tokens_to_ids(mark) for name, mark in _GEMMA_MARKS.items()},
        tie_word_embeddings=False,
    )
    return shaken(tf.Gemma3nForConditionalGeneration, config), own


_GEMMA_MARKS = {
    "boi_token": "<start_of_image>",
    "eoi_token": "<end_of_image>",
    "image_token": "<image_soft_token>",
    "boa_token": "<start_of_audio>",
    "eoa_token": "<end_of_audio>",
    "audio_token": "<audio_soft_token>",
}


def _blocks() -> list[Any]:
    """One or a few of each kind of block that the real tower has, in its four stages."""
    decode: Any = importlib.import_module("timm.models._efficientnet_builder").decode_arch_def
    attention = ["mqa_r1_k3_h2_v2_s1_d8_c16", "uir_r1_a0_k0_s1_e2_c16"]
    blocks: list[Any] = decode(
        [
            ["er_r1_k3_s2_e4_c8"],
            ["uir_r1_a3_k5_s2_e6_c8", "uir_r1_a5_k0_s1_e4_c8"],
            ["uir_r1_a5_k5_s2_e6_c16", *attention],
            ["uir_r1_a5_k5_s2_e6_c16", *attention],
        ]
    )
    return blocks
