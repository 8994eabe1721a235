"""The Qwen kinds: a grid as large as the picture, patches in blocks of 2x2 that become one token, three-axis positions.

Patches of 4 pixels, so a token is 8x8 pixels: a picture 40 wide and 30 high becomes 4 rows of 5.
"""

from __future__ import annotations

from typing import Any

import transformers as tf

from tests.zoo.parts import chat, class_of, processor, shaken, text_sizes, tokenizer

ROPE = {"rope_type": "default", "rope_theta": 10000.0, "mrope_section": [2, 1, 1]}
PATCHES = {"patch_size": 4, "merge_size": 2, "temporal_patch_size": 2}
PICTURE = {"shortest_edge": 16 * 16, "longest_edge": 64 * 64}
FILM = {"shortest_edge": 2 * 16 * 16, "longest_edge": 8 * 32 * 32}


def qwen2_vl() -> tuple[Any, Any]:
    """Qwen2-VL."""
    own = qwen(tf.Qwen2VLProcessor, "Qwen2VLVideoProcessor", "qwen2_vl.video_processing_qwen2_vl")
    tower = {"depth": 2, "embed_dim": 24, "hidden_size": 32, "mlp_ratio": 2, "num_heads": 3, "patch_size": 4}
    config = tf.Qwen2VLConfig(vision_config=tower, text_config=text_of(own, rope_parameters=ROPE), **ids_of(own))
    return shaken(tf.Qwen2VLForConditionalGeneration, config), own


def qwen2_5_vl() -> tuple[Any, Any]:
    """Qwen2.5-VL: one of the tower's layers sees windows of 2x2 tokens, the other everything."""
    own = qwen(tf.Qwen2_5_VLProcessor, "Qwen2VLVideoProcessor", "qwen2_vl.video_processing_qwen2_vl")
    tower = vision() | {"window_size": 16, "fullatt_block_indexes": [1]}
    config = tf.Qwen2_5_VLConfig(vision_config=tower, text_config=text_of(own, rope_parameters=ROPE), **ids_of(own))
    return shaken(tf.Qwen2_5_VLForConditionalGeneration, config), own


def qwen3_vl() -> tuple[Any, Any]:
    """Qwen3-VL: features of an early tower layer are added after the decoder's first layer."""
    own = qwen3()
    config = tf.Qwen3VLConfig(
        vision_config=vision() | {"num_position_embeddings": 64, "deepstack_visual_indexes": [0]},
        text_config=text_of(own, rope_parameters=ROPE),
        **ids_of(own),
    )
    return shaken(tf.Qwen3VLForConditionalGeneration, config), own


def qwen3_vl_moe() -> tuple[Any, Any]:
    """Qwen3-VL with experts."""
    own = qwen3()
    experts = {"num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 20}
    config = tf.Qwen3VLMoeConfig(
        vision_config=vision() | {"num_position_embeddings": 64, "deepstack_visual_indexes": [0]},
        text_config=text_of(own, rope_parameters=ROPE, **experts),
        **ids_of(own),
    )
    return shaken(tf.Qwen3VLMoeForConditionalGeneration, config), own


def qwen3_5() -> tuple[Any, Any]:
    """Qwen3.5: a layer of linear attention, then one of full attention."""
    own = qwen3()
    config = tf.Qwen3_5Config(
        vision_config=vision() | {"num_position_embeddings": 64}, text_config=text_of(own, **linear()), **ids_of(own)
    )
    return shaken(tf.Qwen3_5ForConditionalGeneration, config), own


def qwen3_5_moe() -> tuple[Any, Any]:
    """Qwen3.5 with experts."""
    own = qwen3()
    experts = {
        "num_experts": 4,
        "num_experts_per_tok": 2,
        "moe_intermediate_size": 20,
        "shared_expert_intermediate_size": 20,
    }
    config = tf.Qwen3_5MoeConfig(
        vision_config=vision() | {"num_position_embeddings": 64},
        text_config=text_of(own, **linear(), **experts),
        **ids_of(own),
    )
    return shaken(tf.Qwen3_5MoeForConditionalGeneration, config), own


def cosmos3_omni() -> tuple[Any, Any]:
    """Cosmos 3 Omni: Qwen3-VL under another name."""
    own = qwen3()
    config = tf.Cosmos3OmniConfig(
        vision_config=vision()
        | {"model_type": "qwen3_vl_vision", "num_position_embeddings": 64, "deepstack_visual_indexes": [0]},
        text_config=text_of(own, rope_parameters=ROPE) | {"model_type": "qwen3_vl_text"},
        **ids_of(own),
    )
    return shaken(tf.Cosmos3OmniForConditionalGeneration, config), own


def qwen(cls: Any, film: str, folder: str, pictures: Any = None, film_sizes: dict[str, Any] | None = None) -> Any:
    """A processor with the words and pictures of Qwen."""
    words = tokenizer(
        "<|im_start|>",
        "<|im_end|>",
        image_token="<|image_pad|>",
        video_token="<|video_pad|>",
        vision_start_token="<|vision_start|>",
        vision_end_token="<|vision_end|>",
    )
    return processor(
        cls,
        image_processor=pictures or tf.Qwen2VLImageProcessorPil(**PATCHES, size=PICTURE),
        video_processor=class_of(film, folder)(**film_sizes or PATCHES | {"size": FILM}),
        tokenizer=words,
        chat_template=im_chat("<|vision_start|><|image_pad|><|vision_end|>"),
    )


def qwen3() -> Any:
    """The processor of Qwen3-VL and later."""
    return qwen(tf.Qwen3VLProcessor, "Qwen3VLVideoProcessor", "qwen3_vl.video_processing_qwen3_vl")


def vision() -> dict[str, Any]:
    """Sizes of a tiny tower of this kind."""
    return {
        "depth": 2,
        "hidden_size": 24,
        "intermediate_size": 40,
        "num_heads": 3,
        "patch_size": 4,
        "out_hidden_size": 32,
    }


def text_of(own: Any, **more: Any) -> dict[str, Any]:
    """Sizes of the decoder."""
    return text_sizes(own.tokenizer, **more)


def im_chat(image: str, **more: str) -> str:
    """The template of Qwen and of many others."""
    return chat(image, "<|im_start|>{role}\n", "<|im_end|>\n", **more)


def linear(mrope: bool = True) -> dict[str, Any]:
    """A decoder layer of linear attention below one of full attention."""
    rope = ROPE if mrope else {"rope_type": "default", "rope_theta": 10000.0}
    return {
        "head_dim": 16,
        "layer_types": ["linear_attention", "full_attention"],
        "linear_conv_kernel_dim": 4,
        "linear_key_head_dim": 8,
        "linear_value_head_dim": 8,
        "linear_num_key_heads": 2,
        "linear_num_value_heads": 4,
        "rope_parameters": rope | {"partial_rotary_factor": 0.5},
    }


def ids_of(own: Any, start: str = "<|vision_start|>", end: str = "<|vision_end|>") -> dict[str, Any]:
    """Where the config says which tokens stand for pictures."""
    words = own.tokenizer
    return {
        "image_token_id": own.image_token_id,
        "video_token_id": own.video_token_id,
        "vision_start_token_id": words.convert_tokens_to_ids(start),
        "vision_end_token_id": words.convert_tokens_to_ids(end),
        "tie_word_embeddings": False,
    }
