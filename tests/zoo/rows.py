"""More grids as large as the picture, patches row by row: readers of documents, Gemma 4, VideoLLaMA 3."""

from __future__ import annotations

from typing import Any

import transformers as tf

from tests.zoo.merged import FILM, PICTURE, ROPE, im_chat
from tests.zoo.parts import chat, class_of, processor, shaken, text_sizes, tokenizer, tower_sizes


def paddleocr_vl() -> tuple[Any, Any]:
    """PaddleOCR-VL: patches row by row; the projector merges 2x2."""
    words = tokenizer("<|IMAGE_START|>", "<|IMAGE_END|>", image_token="<|IMAGE_PLACEHOLDER|>")
    own = processor(
        tf.PaddleOCRVLProcessor,
        image_processor=tf.PaddleOCRVLImageProcessorPil(patch_size=4, merge_size=2, size=PICTURE),
        tokenizer=words,
        chat_template=chat(
            "<|IMAGE_START|><|IMAGE_PLACEHOLDER|><|IMAGE_END|>",
            "{role}: ",
            "\n",
            "<s>",
            user="User",
            assistant="Assistant",
        ),
    )
    ids = words.convert_tokens_to_ids
    config = tf.PaddleOCRVLConfig(
        vision_config=tower_sizes(image_size=32),
        text_config=text_sizes(words, rope_parameters=ROPE),
        image_token_id=words.image_token_id,
        video_token_id=ids("<unk>"),
        vision_start_token_id=ids("<|IMAGE_START|>"),
        vision_end_token_id=ids("<|IMAGE_END|>"),
        tie_word_embeddings=False,
    )
    return shaken(tf.PaddleOCRVLForConditionalGeneration, config), own


def hunyuan_vl() -> tuple[Any, Any]:
    """HunYuan VL: one placeholder more per row and two around the grid; patches row by row."""
    words = tokenizer(
        image_token="<image>", image_start_token="<im_start>", image_end_token="<im_end>", image_newline_token="<im_nl>"
    )
    own = processor(
        tf.HunYuanVLProcessor,
        image_processor=tf.HunYuanVLImageProcessorPil(patch_size=4, merge_size=2, size=PICTURE),
        tokenizer=words,
        chat_template=chat("<im_start><image><im_end>", "{role}: ", "\n", "<s>"),
    )
    config = tf.HunYuanVLConfig(
        vision_config={
            "hidden_size": 24,
            "intermediate_size": 40,
            "num_attention_heads": 3,
            "num_hidden_layers": 2,
            "out_hidden_size": 32,
            "text_hidden_size": 32,
            "patch_size": 4,
            "max_image_size": 64,
            "img_max_token_num": 64,
        },
        text_config=text_sizes(
            words,
            rope_parameters={"rope_type": "default", "rope_theta": 10000.0, "mrope_section": [1, 1, 1, 1]},
        ),
        image_token_id=words.image_token_id,
        im_start_id=words.image_start_token_id,
        im_end_id=words.image_end_token_id,
        im_newline_id=words.image_newline_token_id,
        tie_word_embeddings=False,
    )
    return shaken(tf.HunYuanVLForConditionalGeneration, config), own


def video_llama_3() -> tuple[Any, Any]:
    """VideoLLaMA 3: the merge is an input; one patch a token for pictures."""
    words = tokenizer("<|im_start|>", "<|im_end|>", image_token="<image>", video_token="<video>")
    folder = "video_llama_3.video_processing_video_llama_3"
    own = processor(
        tf.VideoLlama3Processor,
        image_processor=tf.VideoLlama3ImageProcessorPil(patch_size=4, merge_size=1, size=PICTURE),
        video_processor=class_of("VideoLlama3VideoProcessor", folder)(patch_size=4, merge_size=2, size=FILM),
        tokenizer=words,
        chat_template=im_chat("<image>\n"),
    )
    tower = tower_sizes()
    tower.pop("image_size")
    config = tf.VideoLlama3Config(
        vision_config=tower,
        text_config=tf.Qwen2Config(**text_sizes(words)),
        image_token_id=words.image_token_id,
        video_token_id=words.video_token_id,
        tie_word_embeddings=False,
    )
    return shaken(tf.VideoLlama3ForConditionalGeneration, config), own


def muse_glimmer() -> tuple[Any, Any]:
    """Muse Glimmer: patches row by row; logits multiplied, then soft-capped."""
    words = tokenizer(
        "<|turn|>",
        "<|end|>",
        "<|patch|>",
        "<|image_start|>",
        "<|image_end|>",
        "<|video|>",
        "<|vid_frame_separator|>",
        "<|vid_start|>",
        "<|vid_end|>",
    )
    sizes = {"patch_size": 4, "merge_size": 2, "temporal_patch_size": 2}
    folder = "muse_glimmer.image_processing_muse_glimmer"
    own = processor(
        class_of("MuseGlimmerProcessor", "muse_glimmer.processing_muse_glimmer"),
        image_processor=class_of("MuseGlimmerImageProcessor", folder)(**sizes, max_image_tokens=64),
        video_processor=class_of("MuseGlimmerVideoProcessor", folder.replace("image", "video"))(**sizes),
        tokenizer=words,
        chat_template=chat("<|patch|>", "<|turn|>{role}\n", "<|end|>", video="<|video|>"),
    )
    config = tf.MuseGlimmerConfig(
        vision_config={
            "patch_size": 4,
            "pos_emb_height": 8,
            "pos_emb_width": 8,
            "num_attention_heads": 3,
            "num_hidden_layers": 2,
            "hidden_size": 24,
            "intermediate_size": 40,
            "max_position_embeddings": 64,
        },
        text_config=text_sizes(
            words, layer_types=["sliding_attention", "full_attention"], sliding_window=512, output_multiplier=0.5
        ),
        image_token_id=own.image_token_id,
        video_token_id=own.video_token_id,
        out_hidden_size=96,
        projector_hidden_size=40,
    )
    return shaken(tf.MuseGlimmerForConditionalGeneration, config), own


def minimax_m3_vl() -> tuple[Any, Any]:
    """MiniMax M3: a grid as Qwen's, plain positions, experts."""
    marks = ["]<]image[>[", "]<]video[>[", "]<]start of image[>[", "]<]end of image[>["]
    words = tokenizer("<|turn|>", "<|end|>", *marks)
    sizes = {"patch_size": 4, "merge_size": 2, "temporal_patch_size": 2}
    folder = "minimax_m3_vl.image_processing_minimax_m3_vl"
    own = processor(
        class_of("MiniMaxM3VLProcessor", "minimax_m3_vl.processing_minimax_m3_vl"),
        image_processor=class_of("MiniMaxM3VLImageProcessor", folder)(**sizes, size=PICTURE),
        video_processor=class_of("MiniMaxM3VLVideoProcessor", folder.replace("image", "video"))(**sizes, size=FILM),
        tokenizer=words,
        chat_template=chat(marks[0], "<|turn|>{role}\n", "<|end|>", video=marks[1]),
    )
    config = tf.MiniMaxM3VLConfig(
        vision_config=tower_sizes(image_size=64),
        text_config=text_sizes(
            words,
            num_local_experts=4,
            num_experts_per_tok=2,
            dense_intermediate_size=48,
            shared_intermediate_size=20,
            rotary_dim=8,
            mlp_layer_types=["dense", "sparse"],
            layer_types=["full_attention", "full_attention"],
        ),
        image_token_index=own.image_token_id,
        video_token_index=own.video_token_id,
        projector_hidden_size=40,
        tie_word_embeddings=False,
    )
    return shaken(tf.MiniMaxM3SparseForConditionalGeneration, config), own
