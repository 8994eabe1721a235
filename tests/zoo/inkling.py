"""Inkling: a token is a square of pixels of the picture as it is, row by row; short convolutions in the decoder."""

from __future__ import annotations

from typing import Any

import transformers as tf

from tests.zoo.parts import chat, class_of, processor, shaken, text_sizes, tokenizer

_IMAGE, _AUDIO = "<|unused_200054|>", "<|unused_200053|>"
_PADDING = 6  # rows of the head that are no tokens


def inkling_mm_model() -> tuple[Any, Any]:
    """Inkling: no input says how many rows a picture has; the logits divided; hears too."""
    words = _words()
    own = processor(
        tf.InklingProcessor,
        feature_extractor=tf.InklingFeatureExtractor(feature_size=8),
        image_processor=class_of("InklingImageProcessor", "inkling.image_processing_inkling")(
            size={"height": 8, "width": 8}
        ),
        tokenizer=words,
        chat_template=_CHAT,
    )
    config = tf.InklingConfig(
        vision_config={"patch_size": 8, "hidden_size": 24, "num_hidden_layers": 4, "num_attention_heads": 3},
        text_config=_text(
            words,
            layer_types=["hybrid_sliding", "hybrid"],
            mlp_layer_types=["dense", "sparse"],
            n_shared_experts=2,
            logits_mup_width_multiplier=2.0,
        )
        | {"intermediate_size": 48},
        audio_config={"n_mel_bins": 8, "mel_vocab_size": 16},
        image_token_id=own.image_token_id,
        audio_token_id=own.audio_token_id,
        image_bos_token_id=own.image_bos_token_id,
        audio_bos_token_id=own.audio_bos_token_id,
    )
    return shaken(tf.InklingForConditionalGeneration, config), own


def inkling2() -> tuple[Any, Any]:
    """Inkling 2: a tower over the squares; each layer reads a mixture of earlier blocks, not only what is below it."""
    words = _words()
    own = processor(
        tf.Inkling2Processor,
        image_processor=class_of("Inkling2ImageProcessor", "inkling2.image_processing_inkling2")(
            size={"height": 8, "width": 8}
        ),
        tokenizer=words,
        chat_template=_CHAT,
    )
    config = tf.Inkling2Config(
        vision_config={
            "hidden_size": 24,
            "intermediate_size": 40,
            "num_hidden_layers": 2,
            "num_attention_heads": 3,
            "patch_size": 4,
            "posemb_grid_size": 8,
            "projection_hidden_dim": 40,
            "text_hidden_size": 32,
        },
        text_config=_text(
            words,
            num_hidden_layers=3,
            layer_types=["hybrid_sliding", "hybrid", "hybrid_sliding"],
            n_layers_per_attn_res_block=2,
        ),
        image_token_id=own.image_token_id,
    )
    return shaken(tf.Inkling2ForConditionalGeneration, config), own


_CHAT = chat(f"<|content_image|>{_IMAGE}", "<|message_{role}|>", "<|end_message|>")


def _words() -> Any:
    marks = ("<|message_user|>", "<|message_assistant|>", "<|end_message|>", "<|content_image|>")
    return tokenizer(*marks, "<|content_audio_input|>", image_token=_IMAGE, audio_token=_AUDIO)


def _text(words: Any, **more: Any) -> dict[str, Any]:
    sizes = text_sizes(
        words,
        vocab_size=len(words) + _PADDING,
        unpadded_vocab_size=len(words),
        swa_num_attention_heads=2,
        swa_num_key_value_heads=1,
        swa_head_dim=16,
        sliding_window_size=64,
        d_rel=4,
        rel_extent=64,
        n_routed_experts=4,
        num_experts_per_tok=2,
        moe_intermediate_size=20,
        **more,
    )
    sizes.pop("intermediate_size")
    return sizes
