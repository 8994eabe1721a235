"""The GLM kinds and ERNIE, relatives of Qwen2-VL: patches in blocks of 2x2 that become one token."""

from __future__ import annotations

from typing import Any

import transformers as tf

from tests.zoo.merged import FILM, PATCHES, PICTURE, ROPE, vision
from tests.zoo.parts import chat, class_of, processor, shaken, text_sizes, tokenizer


def glm4v() -> tuple[Any, Any]:
    """GLM-4V."""
    own = _glm(tf.Glm4vProcessor, tf.Glm4vImageProcessorPil, "Glm4vVideoProcessor", "glm4v")
    config = tf.Glm4vConfig(vision_config=_tower(), text_config=_text(own), **_ids(own))
    return shaken(tf.Glm4vForConditionalGeneration, config), own


def glm46v() -> tuple[Any, Any]:
    """GLM-4.6V."""
    own = _glm(tf.Glm46VProcessor, tf.Glm46VImageProcessorPil, "Glm46VVideoProcessor", "glm46v")
    config = tf.Glm46VConfig(
        vision_config=_tower() | {"model_type": "glm4v_vision"},
        text_config=_text(own) | {"model_type": "glm4v_text"},
        **_ids(own),
    )
    return shaken(tf.Glm46VForConditionalGeneration, config), own


def glmga() -> tuple[Any, Any]:
    """GLM-GA: the class of GLM-4.6V with processors of its own."""
    own = _glm(tf.Glm46VProcessor, tf.GlmgaImageProcessorPil, "GlmgaVideoProcessor", "glmga")
    config = tf.GlmgaConfig(
        vision_config=_tower() | {"model_type": "glm4v_vision"},
        text_config=_text(own) | {"model_type": "glm4v_text"},
        **_ids(own),
    )
    return shaken(tf.Glm46VForConditionalGeneration, config), own


def glm4v_moe() -> tuple[Any, Any]:
    """GLM-4.5V: experts; half of each head turns with the position."""
    own = _glm(tf.Glm4vProcessor, tf.Glm4vImageProcessorPil, "Glm4vVideoProcessor", "glm4v")
    experts = {
        "moe_intermediate_size": 20,
        "n_routed_experts": 4,
        "num_experts_per_tok": 2,
        "first_k_dense_replace": 1,
        "head_dim": 16,
        "rope_parameters": ROPE | {"partial_rotary_factor": 0.5},
    }
    config = tf.Glm4vMoeConfig(vision_config=_tower(), text_config=_text(own) | experts, **_ids(own))
    return shaken(tf.Glm4vMoeForConditionalGeneration, config), own


def glm_ocr() -> tuple[Any, Any]:
    """GLM-OCR."""
    own = _glm(tf.Glm46VProcessor, tf.Glm46VImageProcessorPil, "Glm46VVideoProcessor", "glm46v")
    config = tf.GlmOcrConfig(vision_config=_tower(), text_config=_text(own), **_ids(own))
    return shaken(tf.GlmOcrForConditionalGeneration, config), own


def ernie4_5_vl_moe() -> tuple[Any, Any]:
    """ERNIE 4.5 VL: experts of their own for image tokens, routed by a second mask."""
    words = tokenizer(
        image_token="<|IMAGE_PLACEHOLDER|>",
        image_start_token="<|IMAGE_START|>",
        image_end_token="<|IMAGE_END|>",
        video_token="<|VIDEO_PLACEHOLDER|>",
        video_start_token="<|VIDEO_START|>",
        video_end_token="<|VIDEO_END|>",
    )
    folder = "ernie4_5_vl_moe.video_processing_ernie4_5_vl_moe"
    film = class_of("Ernie4_5_VLMoeVideoProcessor", folder)
    own = processor(
        tf.Ernie4_5_VLMoeProcessor,
        image_processor=tf.Ernie4_5_VLMoeImageProcessorPil(patch_size=4, merge_size=2, size=PICTURE),
        video_processor=film(patch_size=4, merge_size=2, temporal_patch_size=2, size=FILM, draw_on_frames=False),
        tokenizer=words,
        chat_template=chat(
            "<|IMAGE_START|><|IMAGE_PLACEHOLDER|><|IMAGE_END|>",
            "{role}: ",
            "\n",
            "<s>",
            video="<|VIDEO_START|><|VIDEO_PLACEHOLDER|><|VIDEO_END|>",
            user="User",
            assistant="Assistant",
        ),
    )
    config = tf.Ernie4_5_VLMoeConfig(
        vision_config={
            "depth": 2,
            "hidden_size": 24,
            "intermediate_size": 40,
            "num_heads": 3,
            "patch_size": 4,
        },
        text_config=text_sizes(
            words,
            rope_parameters={"rope_type": "default", "rope_theta": 10000.0, "mrope_section": [1, 1, 2]},
            moe_intermediate_size=[20, 12],
            moe_k=2,
            moe_num_experts=4,
            moe_num_shared_experts=1,
            mlp_layer_types=["dense", "sparse"],
        ),
        image_token_id=words.image_token_id,
        image_start_token_id=words.image_start_token_id,
        image_end_token_id=words.image_end_token_id,
        video_token_id=words.video_token_id,
        video_start_token_id=words.video_start_token_id,
        video_end_token_id=words.video_end_token_id,
        tie_word_embeddings=False,
    )
    return shaken(tf.Ernie4_5_VLMoeForConditionalGeneration, config), own


def _glm(cls: Any, pictures: Any, film: str, folder: str) -> Any:
    words = tokenizer(
        "[gMASK]",
        "<sop>",
        "<|user|>",
        "<|assistant|>",
        "<|system|>",
        "<|begin_of_image|>",
        "<|end_of_image|>",
        "<|begin_of_video|>",
        "<|end_of_video|>",
        image_token="<|image|>",
        video_token="<|video|>",
    )
    return processor(
        cls,
        image_processor=pictures(**PATCHES, size=PICTURE),
        video_processor=class_of(film, f"{folder}.video_processing_{folder}")(**PATCHES, size=FILM),
        tokenizer=words,
        chat_template=chat("<|begin_of_image|><|image|><|end_of_image|>", "<|{role}|>\n", "", "[gMASK]<sop>"),
    )


def _tower() -> dict[str, Any]:
    return vision() | {"image_size": 32, "intermediate_size": 40}


def _text(own: Any) -> dict[str, Any]:
    return text_sizes(own.tokenizer, rope_parameters=ROPE | {"partial_rotary_factor": 1.0})


def _ids(own: Any) -> dict[str, Any]:
    ids = own.tokenizer.convert_tokens_to_ids
    return {
        "image_token_id": own.image_token_id,
        "video_token_id": own.video_token_id,
        "image_start_token_id": ids("<|begin_of_image|>"),
        "image_end_token_id": ids("<|end_of_image|>"),
        "video_start_token_id": ids("<|begin_of_video|>"),
        "video_end_token_id": ids("<|end_of_video|>"),
        "tie_word_embeddings": False,
    }
