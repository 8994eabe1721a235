"""Readers of pages: a tower of the SAM kind below a second one; tiles of the page first, then the whole page."""

from __future__ import annotations

from typing import Any

import transformers as tf

from tests.zoo.merged import im_chat
from tests.zoo.parts import chat, class_of, processor, sam_sizes, shaken, text_sizes, tokenizer, tower_sizes

_TURNS = {"turn": "<|{role}|>", "end": "\n", "start": "<s>"}


def deepseek_ocr2() -> tuple[Any, Any]:
    """DeepSeek-OCR 2: 144 queries a tile, 256 for the whole page, a separator last."""
    # These numbers fix the sizes in patches: with patches of one pixel the page is as small as it can be.
    words = tokenizer("<|user|>", "<|assistant|>", image_token="<image>")
    own = processor(
        tf.DeepseekOcr2Processor,
        image_processor=tf.DeepseekOcr2ImageProcessorPil(size={"height": 64, "width": 64}, tile_size=48),
        tokenizer=words,
        patch_size=1,
        chat_template=chat("<image>\n", **_TURNS),
    )
    sam = sam_sizes() | {"patch_size": 1, "window_size": 16, "global_attn_indexes": []}
    tower = tower_sizes(num_hidden_layers=2, num_key_value_heads=3, vocab_size=len(words))
    config = tf.DeepseekOcr2Config(
        vision_config={
            "sam_config": sam | {"output_channels": 12, "downsample_channels": [16, 24]},
            "encoder_config": {name: size for name, size in tower.items() if name not in ("image_size", "patch_size")},
        },
        text_config=_text(words),
        image_token_id=own.image_token_id,
        tie_word_embeddings=False,
    )
    return shaken(tf.DeepseekOcr2ForConditionalGeneration, config), own


def unlimited_ocr() -> tuple[Any, Any]:
    """Unlimited-OCR: tiles joined, a newline after each row, then the page with newlines, a separator last."""
    words = tokenizer("<|user|>", "<|assistant|>", image_token="<image>")
    own = processor(
        tf.UnlimitedOcrProcessor,
        image_processor=class_of("UnlimitedOcrImageProcessor", "unlimited_ocr.image_processing_unlimited_ocr")(
            size={"height": 64, "width": 64}, tile_size=32, max_patches=6
        ),
        tokenizer=words,
        patch_size=4,
        chat_template=chat("<image>\n", **_TURNS),
    )
    config = tf.UnlimitedOcrConfig(
        vision_config={
            "sam_config": sam_sizes() | {"output_channels": 12, "downsample_channels": [16, 24]},
            "encoder_config": tower_sizes(num_hidden_layers=2),
        },
        text_config=_text(words, n_group=1, topk_group=1, sliding_window=128),
        image_token_id=own.image_token_id,
        tie_word_embeddings=False,
    )
    return shaken(tf.UnlimitedOcrForConditionalGeneration, config), own


def pp_chart2table() -> tuple[Any, Any]:
    """PP-Chart2Table: the class of GOT-OCR 2; the template writes every placeholder, the processor none."""
    words = tokenizer("<|im_start|>", "<|im_end|>", "<img>", "</img>", image_token="<imgpad>")
    own = processor(
        tf.PPChart2TableProcessor,
        image_processor=tf.PPChart2TableImageProcessorPil(size={"height": 64, "width": 64}),
        tokenizer=words,
        chat_template=im_chat("<img>" + 16 * "<imgpad>" + "</img>\n"),
    )
    config = tf.PPChart2TableConfig(
        vision_config=sam_sizes() | {"output_channels": 12},
        text_config=tf.Qwen2Config(**text_sizes(words)),
        image_token_index=words.image_token_id,
        image_seq_length=16,
        tie_word_embeddings=False,
    )
    return shaken(tf.GotOcr2ForConditionalGeneration, config), own


def _text(words: Any, **more: Any) -> dict[str, Any]:
    return text_sizes(
        words,
        num_key_value_heads=4,  # as many as heads: the eager attention of Unlimited-OCR repeats none
        n_routed_experts=4,
        n_shared_experts=1,
        num_experts_per_tok=2,
        moe_intermediate_size=20,
        mlp_layer_types=["dense", "sparse"],
        **more,
    )
