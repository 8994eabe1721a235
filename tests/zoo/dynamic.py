"""A grid as large as the picture, row by row: patches of 4 pixels, most often 2x2 of them a token."""

from __future__ import annotations

from typing import Any

import transformers as tf

from tests.zoo.merged import im_chat
from tests.zoo.parts import chat, class_of, processor, shaken, text_sizes, tokenizer, tower_sizes


def mistral3() -> tuple[Any, Any]:
    """Mistral 3: a break token after each row and an end token, both text; plain positions."""
    words = tokenizer("[SYSTEM_PROMPT]", "[INST]", "[/INST]", "[IMG]", "[IMG_BREAK]", "[IMG_END]", bos=True)
    own = processor(
        class_of("PixtralProcessor", "pixtral.processing_pixtral"),
        image_processor=pixtral_pictures(),
        tokenizer=words,
        patch_size=4,
        spatial_merge_size=2,
        chat_template=MISTRAL_CHAT,
    )
    config = tf.Mistral3Config(
        vision_config=pixtral_tower(),
        text_config=tf.MistralConfig(**text_sizes(words), sliding_window=None),
        image_token_index=own.image_token_id,
        spatial_merge_size=2,
        vision_feature_layer=-1,
        tie_word_embeddings=False,
    )
    return shaken(tf.Mistral3ForConditionalGeneration, config), own


def lighton_ocr() -> tuple[Any, Any]:
    """LightOn OCR: as Mistral 3 without the break tokens."""
    words = tokenizer(
        "<|im_start|>",
        "<|im_end|>",
        image_token="<|image_pad|>",
        image_break_token="<|vision_pad|>",
        image_end_token="<|vision_end|>",
    )
    own = processor(
        tf.LightOnOcrProcessor,
        image_processor=pixtral_pictures(patch_size={"height": 8, "width": 8}),
        tokenizer=words,
        patch_size=4,
        spatial_merge_size=2,
        chat_template=im_chat("<|image_pad|>"),
    )
    config = tf.LightOnOcrConfig(
        vision_config=pixtral_tower(),
        text_config=tf.Qwen3Config(**text_sizes(words)),
        image_token_id=own.image_token_id,
        spatial_merge_size=2,
        tie_word_embeddings=False,
    )
    return shaken(tf.LightOnOcrForConditionalGeneration, config), own


def kimi_k25() -> tuple[Any, Any]:
    """Kimi K2.5: the picture is padded to whole tokens, not stretched; low-rank attention and experts."""
    words = tokenizer(
        "<|im_user|>",
        "<|im_end|>",
        "<|media_begin|>",
        "<|media_content|>",
        "<|media_end|>",
        image_token="<|media_pad|>",
        video_token="<|kimi_k25_video_placeholder|>",
    )
    sizes = {"patch_size": 4, "merge_size": 2, "size": {"max_height": 64, "max_width": 64}}
    folder = "kimi_k25.image_processing_kimi_k25"
    own = processor(
        tf.Kimi_K25Processor,
        image_processor=class_of("Kimi_K25ImageProcessor", folder)(**sizes, max_patches=256),
        video_processor=class_of("Kimi_K25VideoProcessor", folder.replace("image", "video"))(**sizes, max_patches=64),
        tokenizer=words,
        chat_template=chat(
            "<|media_begin|>image<|media_content|><|media_pad|><|media_end|>",
            "<|im_user|>{role}\n",
            "<|im_end|>",
            video="<|kimi_k25_video_placeholder|>",
        ),
    )
    config = tf.Kimi_K25Config(
        vision_config={
            "patch_size": 4,
            "pos_emb_height": 8,
            "pos_emb_width": 8,
            "num_attention_heads": 3,
            "num_hidden_layers": 2,
            "hidden_size": 24,
            "intermediate_size": 40,
        },
        text_config=tf.DeepseekV3Config(**_low_rank(words)),
        projection_hidden_size=24,
        image_token_id=own.image_token_id,
        video_token_id=own.video_token_id,
        vision_start_token_id=words.convert_tokens_to_ids("<|media_begin|>"),
        vision_end_token_id=words.convert_tokens_to_ids("<|media_end|>"),
        tie_word_embeddings=False,
    )
    return shaken(tf.Kimi_K25ForConditionalGeneration, config), own


def lfm2_vl() -> tuple[Any, Any]:
    """LFM2-VL: the picture as it is, or tiles of it and the whole one small; convolutions in the decoder."""
    places = [f"<|img_row_{row}_col_{col}|>" for row in range(1, 5) for col in range(1, 5)]
    words = tokenizer(
        "<|im_start|>",
        "<|im_end|>",
        *places,
        image_token="<image>",
        image_start_token="<|image_start|>",
        image_end_token="<|image_end|>",
        image_thumbnail_token="<|img_thumbnail|>",
    )
    own = processor(
        tf.Lfm2VlProcessor,
        image_processor=class_of("Lfm2VlImageProcessor", "lfm2_vl.image_processing_lfm2_vl")(
            encoder_patch_size=4,
            downsample_factor=2,
            tile_size=16,
            size={"height": 16, "width": 16},
            min_image_tokens=4,
            max_image_tokens=20,
            max_tiles=4,
            max_pixels_tolerance=1.0,
        ),
        tokenizer=words,
        chat_template=im_chat("<image>"),
    )
    tower = tower_sizes(num_patches=16)
    tower.pop("image_size")
    config = tf.Lfm2VlConfig(
        vision_config=tf.Siglip2VisionConfig(**tower, vision_use_head=False),
        text_config=tf.Lfm2Config(
            **text_sizes(words, layer_types=["conv", "full_attention"]), block_auto_adjust_ff_dim=False
        ),
        image_token_id=own.image_token_id,
        projector_hidden_size=40,
        tie_word_embeddings=False,
    )
    return shaken(tf.Lfm2VlForConditionalGeneration, config), own


def molmo2() -> tuple[Any, Any]:
    """Molmo 2: a small and a large view, overlapping crops; features are added to the placeholders' embeddings."""
    words = tokenizer(
        "<|im_start|>",
        "<|im_end|>",
        "<im_patch>",
        "<im_col>",
        "<im_start>",
        "<low_res_im_start>",
        "<frame_start>",
        "<im_end>",
        "<frame_end>",
        "<im_low>",
        image_token="<|image|>",
        video_token="<|video|>",
    )
    sizes = {"size": {"height": 24, "width": 24}, "patch_size": 4}
    folder = "molmo2.image_processing_molmo2"
    own = processor(
        class_of("Molmo2Processor", "molmo2.processing_molmo2"),
        image_processor=class_of("Molmo2ImageProcessor", folder)(
            **sizes, max_crops=4, overlap_margins=[1, 1], pooling_size=[2, 2]
        ),
        video_processor=class_of("Molmo2VideoProcessor", folder.replace("image", "video"))(
            **sizes, pooling_size=[3, 3], num_frames=8
        ),
        tokenizer=words,
        chat_template=im_chat("<|image|>"),
    )
    part = {"num_attention_heads": 3, "num_key_value_heads": 3, "head_dim": 8, "hidden_size": 24}
    ids = words.convert_tokens_to_ids
    config = tf.Molmo2Config(
        vision_config=part
        | {"intermediate_size": 40, "num_hidden_layers": 3, "image_size": [24, 24], "patch_size": 4}
        | {"num_position_embeddings": 36},
        adapter_config=part | {"vision_feature_layer": [-1, -2], "intermediate_size": 48, "text_hidden_size": 32},
        text_config=text_sizes(words, additional_vocab_size=8),
        image_start_token_id=ids("<im_start>"),
        low_res_image_start_token_id=ids("<low_res_im_start>"),
        image_end_token_id=ids("<im_end>"),
        image_patch_id=ids("<im_patch>"),
        frame_start_token_id=ids("<frame_start>"),
        frame_end_token_id=ids("<frame_end>"),
    )
    return shaken(tf.Molmo2ForConditionalGeneration, config), own


MISTRAL_CHAT = chat("[IMG]", "{role}", "", "<s>", system="[SYSTEM_PROMPT]", user="[INST]", assistant="[/INST]")


def pixtral_pictures(**more: Any) -> Any:
    return tf.PixtralImageProcessorPil(**{"patch_size": {"height": 4, "width": 4}, "size": {"longest_edge": 64}} | more)


def pixtral_tower() -> Any:
    return tf.PixtralVisionConfig(**tower_sizes(image_size=64))


def _low_rank(words: Any) -> dict[str, Any]:
    return text_sizes(
        words,
        num_key_value_heads=4,
        head_dim=4,
        q_lora_rank=12,
        kv_lora_rank=8,
        qk_nope_head_dim=4,
        qk_rope_head_dim=4,
        v_head_dim=8,
        moe_intermediate_size=20,
        n_routed_experts=4,
        n_shared_experts=1,
        num_experts_per_tok=2,
        n_group=1,
        topk_group=1,
        first_k_dense_replace=1,
    )
