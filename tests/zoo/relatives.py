"""Relatives of Qwen's towers under other decoders: patches in blocks of 2x2, or row by row, that become one token."""

from __future__ import annotations

from typing import Any

import transformers as tf

from tests.zoo.merged import FILM, PATCHES, PICTURE, ROPE, ids_of, qwen, vision
from tests.zoo.parts import chat, class_of, processor, shaken, text_sizes, tokenizer


def exaone4_5() -> tuple[Any, Any]:
    """EXAONE 4.5: the tower of Qwen2.5-VL with shared keys, plain positions."""
    own = qwen(tf.Exaone4_5_Processor, "Qwen2VLVideoProcessor", "qwen2_vl.video_processing_qwen2_vl")
    config = tf.Exaone4_5_Config(
        vision_config=vision() | {"window_size": 16, "fullatt_block_indexes": [1], "num_key_value_heads": 1},
        text_config=tf.Exaone4Config(
            **text_sizes(own.tokenizer), layer_types=["sliding_attention", "full_attention"], sliding_window=64
        ),
        image_token_id=own.image_token_id,
        video_token_id=own.video_token_id,
        tie_word_embeddings=False,
    )
    return shaken(tf.Exaone4_5_ForConditionalGeneration, config), own


def hyperclovax_vision_v2() -> tuple[Any, Any]:
    """HyperCLOVA X: the tower of Qwen2.5-VL; embeddings, pictures' too, and logits are multiplied."""
    own = qwen(tf.HyperCLOVAXVisionV2Processor, "Qwen2VLVideoProcessor", "qwen2_vl.video_processing_qwen2_vl")
    config = tf.HyperCLOVAXVisionV2Config(
        vision_config=vision() | {"model_type": "qwen2_5_vl_vision", "window_size": 16, "fullatt_block_indexes": [1]},
        text_config=tf.HyperCLOVAXConfig(
            **text_sizes(own.tokenizer), embedding_multiplier=1.5, logits_scaling=0.5, residual_multiplier=0.8
        ),
        image_token_id=own.image_token_id,
        video_token_id=own.video_token_id,
        tie_word_embeddings=False,
    )
    return shaken(tf.HyperCLOVAXVisionV2ForConditionalGeneration, config), own


def lfm3_vl() -> tuple[Any, Any]:
    """LFM3-VL: convolutions in the tower and in the decoder."""
    own = qwen(tf.Lfm3VlProcessor, "Qwen3VLVideoProcessor", "qwen3_vl.video_processing_qwen3_vl")
    config = tf.Lfm3VlConfig(
        vision_config={
            "hidden_size": 24,
            "intermediate_size": 40,
            "num_hidden_layers": 2,
            "num_attention_heads": 3,
            "num_key_value_heads": 3,
            "patch_size": 4,
            "layer_types": ["conv", "full_attention"],
        },
        text_config=tf.Lfm3Config(
            **text_sizes(own.tokenizer, layer_types=["conv", "full_attention"], sliding_window=64)
        ),
        projector_hidden_size=40,
        **ids_of(own),
    )
    return shaken(tf.Lfm3VlForConditionalGeneration, config), own


def cohere_compass() -> tuple[Any, Any]:
    """Cohere Compass: Qwen3-VL's tower on a Cohere decoder; a layer type without rotary parameters does not turn."""
    words = tokenizer(
        "<|START_OF_TURN_TOKEN|>",
        "<|END_OF_TURN_TOKEN|>",
        image_token="<|IMAGE_PAD|>",
        video_token="<|VIDEO_PAD|>",
        vision_start_token="<|VISION_START|>",
        vision_end_token="<|VISION_END|>",
    )
    film = class_of("CohereCompassVideoProcessor", "cohere_compass.video_processing_cohere_compass")
    own = processor(
        tf.CohereCompassProcessor,
        image_processor=tf.CohereCompassImageProcessorPil(**PATCHES, size=PICTURE),
        video_processor=film(**PATCHES, size=FILM),
        tokenizer=words,
        chat_template=chat(
            "<|VISION_START|><|IMAGE_PAD|><|VISION_END|>",
            "<|START_OF_TURN_TOKEN|>{role}: ",
            "<|END_OF_TURN_TOKEN|>",
            video="<|VISION_START|><|VIDEO_PAD|><|VISION_END|>",
        ),
    )
    config = tf.CohereCompassConfig(
        vision_config=vision() | {"num_position_embeddings": 64, "deepstack_visual_indexes": [0]},
        text_config=text_sizes(
            words,
            layer_types=["sliding_attention", "full_attention"],
            sliding_window=64,
            logit_scale=0.25,
            rope_parameters={"sliding_attention": ROPE, "full_attention": None},
        ),
        **ids_of(own, "<|VISION_START|>", "<|VISION_END|>"),
    )
    return shaken(tf.CohereCompassForConditionalGeneration, config), own


def cosmos3_edge() -> tuple[Any, Any]:
    """Cosmos 3 Edge: SigLIP 2 as tower, merged by the projector."""
    folder = "cosmos3_edge.video_processing_cosmos3_edge"
    sizes = {"patch_size": 4, "merge_size": 2, "temporal_patch_size": 1}
    own = qwen(
        class_of("Cosmos3EdgeProcessor", "cosmos3_edge.processing_cosmos3_edge"),
        "Cosmos3EdgeVideoProcessor",
        folder,
        pictures=tf.Cosmos3EdgeImageProcessorPil(**sizes, size=PICTURE),
        film_sizes=sizes | {"size": FILM},
    )
    config = tf.Cosmos3EdgeConfig(
        vision_config={
            "hidden_size": 24,
            "intermediate_size": 40,
            "num_hidden_layers": 2,
            "num_attention_heads": 3,
            "patch_size": 4,
            "num_patches": 64,
        },
        text_config=text_sizes(own.tokenizer, rope_parameters=ROPE),
        projector_hidden_size=40,
        **ids_of(own),
    )
    return shaken(tf.Cosmos3EdgeForConditionalGeneration, config), own
