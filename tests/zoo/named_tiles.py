"""Tiles whose place the text tells, by names of row and column or by separators."""

from __future__ import annotations

from typing import Any

import transformers as tf

from tests.zoo.merged import im_chat
from tests.zoo.parts import chat, class_of, processor, shaken, text_sizes, tokenizer, tower_sizes

_SQUARE = {"height": 16, "width": 16}


def idefics3() -> tuple[Any, Any]:
    """Idefics3: rows and columns of tiles named in the text, the whole picture last."""
    words = _idefics_words()
    own = processor(
        tf.Idefics3Processor,
        image_processor=tf.Idefics3ImageProcessorPil(size={"longest_edge": 48}, max_image_size={"longest_edge": 16}),
        tokenizer=words,
        image_seq_len=4,
        chat_template=chat(
            "<image>", "<|im_start|>{role}:", "<end_of_utterance>\n", user="User", assistant="Assistant"
        ),
    )
    config = tf.Idefics3Config(
        vision_config=tf.Idefics3VisionConfig(**tower_sizes()),
        text_config=tf.LlamaConfig(**text_sizes(words)),
        image_token_id=own.image_token_id,
        scale_factor=2,
        tie_word_embeddings=False,
    )
    return shaken(tf.Idefics3ForConditionalGeneration, config), own


def smolvlm() -> tuple[Any, Any]:
    """SmolVLM: as Idefics3."""
    words = _idefics_words()
    own = processor(
        tf.SmolVLMProcessor,
        image_processor=tf.SmolVLMImageProcessorPil(size={"longest_edge": 48}, max_image_size={"longest_edge": 16}),
        video_processor=class_of("SmolVLMVideoProcessor", "smolvlm.video_processing_smolvlm")(
            size={"longest_edge": 16}, max_image_size={"longest_edge": 16}
        ),
        tokenizer=words,
        image_seq_len=4,
        chat_template=chat(
            "<image>", "<|im_start|>{role}:", "<end_of_utterance>\n", user="User", assistant="Assistant"
        ),
    )
    config = tf.SmolVLMConfig(
        vision_config=tf.SmolVLMVisionConfig(**tower_sizes()),
        text_config=tf.LlamaConfig(**text_sizes(words)),
        image_token_id=own.image_token_id,
        scale_factor=2,
        tie_word_embeddings=False,
    )
    return shaken(tf.SmolVLMForConditionalGeneration, config), own


def granite_docling() -> tuple[Any, Any]:
    """Granite Docling: tiles as Idefics3 names them; features added between layers too, and multiplied."""
    words = _idefics_words()
    own = processor(
        tf.GraniteDoclingProcessor,
        image_processor=tf.GraniteDoclingImageProcessorPil(size=_SQUARE, max_patches=6),
        tokenizer=words,
        image_seq_len=4,
        chat_template=chat("<image>", "<|im_start|>{role}:", "<end_of_utterance>\n"),
    )
    config = tf.GraniteDoclingConfig(
        vision_config=tower_sizes(out_hidden_size=32, scale_factor=2, deepstack_visual_indexes=[0]),
        text_config=text_sizes(words, embedding_multiplier=1.5, logits_scaling=2.0, residual_multiplier=0.8)
        | {"attention_multiplier": 0.3},
        image_token_id=own.image_token_id,
        pad_token_id=words.pad_token_id,
        tie_word_embeddings=False,
    )
    return shaken(tf.GraniteDoclingForConditionalGeneration, config), own


def llama4() -> tuple[Any, Any]:
    """Llama 4: tiles with separators, the whole picture last; experts, chunked attention, layers without rotation."""
    words = tokenizer(
        "<|header_start|>",
        "<|header_end|>",
        "<|eot|>",
        "<|image|>",
        "<|image_start|>",
        "<|image_end|>",
        "<|patch|>",
        "<|tile_x_separator|>",
        "<|tile_y_separator|>",
        bos=True,
    )
    own = processor(
        class_of("Llama4Processor", "llama4.processing_llama4"),
        image_processor=class_of("Llama4ImageProcessor", "llama4.image_processing_llama4")(size=_SQUARE, max_patches=6),
        tokenizer=words,
        patch_size=4,
        pixel_shuffle_ratio=0.5,
        chat_template=chat("<|image|>", "<|header_start|>{role}<|header_end|>\n\n", "<|eot|>", "<s>"),
    )
    config = tf.Llama4Config(
        vision_config=tf.Llama4VisionConfig(
            **tower_sizes(intermediate_size=96),
            vision_output_dim=28,
            projector_input_dim=28,
            projector_output_dim=28,
        ),
        text_config=tf.Llama4TextConfig(
            **text_sizes(words),
            intermediate_size_mlp=40,
            num_local_experts=2,
            interleave_moe_layer_step=2,
            attention_chunk_size=32,
            layer_types=["chunked_attention", "full_attention"],
            no_rope_layers=[1, 0],
        ),
        image_token_index=words.convert_tokens_to_ids("<|patch|>"),
        boi_token_index=words.convert_tokens_to_ids("<|image_start|>"),
        eoi_token_index=words.convert_tokens_to_ids("<|image_end|>"),
    )
    return shaken(tf.Llama4ForConditionalGeneration, config), own


def step3p7() -> tuple[Any, Any]:
    """Step 3.7: local tiles, then the whole picture; two strided convolutions."""
    words = tokenizer(
        "<|im_start|>",
        "<|im_end|>",
        "<im_patch>",
        "<im_start>",
        "<im_end>",
        "<patch_start>",
        "<patch_end>",
        "<patch_newline>",
    )
    own = processor(
        class_of("Step3p7Processor", "step3p7.processing_step3p7"),
        image_processor=class_of("Step3p7ImageProcessor", "step3p7.image_processing_step3p7")(
            size={"height": 32, "width": 32}, patch_size=16, vision_patch_size=4, max_image_size=64
        ),
        tokenizer=words,
        chat_template=im_chat("<im_patch>"),
    )
    config = tf.Step3p7Config(
        vision_config=tower_sizes(image_size=32, max_position_embeddings=64, mlp_ratio=2.0),
        text_config=text_sizes(
            words,
            layer_types=["full_attention", "sliding_attention"],
            sliding_window=64,
            mlp_layer_types=["dense", "sparse"],
            n_routed_experts=4,
            num_local_experts=4,
            num_experts_per_tok=2,
            moe_intermediate_size=20,
            share_expert_dim=20,
            num_sliding_attention_heads=4,
        ),
        image_token_id=own.image_token_id,
    )
    return shaken(tf.Step3p7ForConditionalGeneration, config), own


def _idefics_words() -> Any:
    places = [f"<row_{row}_col_{col}>" for row in range(1, 7) for col in range(1, 7)]
    return tokenizer(
        "<|im_start|>",
        *places,
        image_token="<image>",
        fake_image_token="<fake_token_around_image>",
        global_image_token="<global-img>",
        end_of_utterance_token="<end_of_utterance>",
        video_token="<video>",
    )
