"""Compressors: a fixed number of learned queries per picture, no grid."""

from __future__ import annotations

from typing import Any

import transformers as tf

from tests.zoo.merged import im_chat
from tests.zoo.parts import chat, class_of, processor, shaken, text_sizes, tokenizer, tower_sizes

_SQUARE = {"height": 16, "width": 16}
_QFORMER = {
    "hidden_size": 24,
    "intermediate_size": 40,
    "num_hidden_layers": 2,
    "num_attention_heads": 3,
    "cross_attention_frequency": 1,
    "encoder_hidden_size": 24,
    "vocab_size": 400,
    "max_position_embeddings": 128,
}


def idefics2() -> tuple[Any, Any]:
    """Idefics2: a perceiver of four queries; pictures keep their shape."""
    words = tokenizer(
        "<end_of_utterance>", image_token="<image>", image_boundary_token="<fake_token_around_image>", bos=True
    )
    own = processor(
        tf.Idefics2Processor,
        image_processor=tf.Idefics2ImageProcessorPil(
            size={"shortest_edge": 16, "longest_edge": 32}, do_image_splitting=False
        ),
        tokenizer=words,
        image_seq_len=4,
        chat_template=chat("<image>", "{role}:", "<end_of_utterance>\n", user="User", assistant="Assistant"),
    )
    config = tf.Idefics2Config(
        vision_config=class_of("Idefics2VisionConfig", "idefics2.configuration_idefics2")(**tower_sizes(image_size=32)),
        perceiver_config=class_of("Idefics2PerceiverConfig", "idefics2.configuration_idefics2")(
            hidden_size=32,
            resampler_n_latents=4,
            resampler_depth=2,
            resampler_n_heads=4,
            resampler_head_dim=8,
            num_key_value_heads=2,
        ),
        text_config=tf.MistralConfig(**text_sizes(words), sliding_window=None),
        image_token_id=words.image_token_id,
        tie_word_embeddings=False,
    )
    return shaken(tf.Idefics2ForConditionalGeneration, config), own


def aria() -> tuple[Any, Any]:
    """Aria: four queries for a small picture, more for a large one; experts in the decoder."""
    words = tokenizer("<|im_start|>", "<|im_end|>", image_token="<|img|>")
    own = processor(
        tf.AriaProcessor,
        image_processor=tf.AriaImageProcessorPil(max_image_size=980, min_image_size=140),
        tokenizer=words,
        size_conversion={980: 4},
        chat_template=im_chat("<|img|>"),
    )
    config = tf.AriaConfig(
        vision_config=class_of("Idefics3VisionConfig", "idefics3.configuration_idefics3")(
            **tower_sizes(image_size=980, patch_size=140)
        ),
        text_config=tf.AriaTextConfig(**text_sizes(words), moe_num_experts=4, moe_topk=2, moe_num_shared_experts=1),
        projector_patch_to_query_dict={49: 4},
        image_token_index=words.image_token_id,
        tie_word_embeddings=False,
    )
    return shaken(tf.AriaForConditionalGeneration, config), own


def blip_2() -> tuple[Any, Any]:
    """BLIP-2 with OPT: query tokens in front of everything; no placeholder in the prompt."""
    words = tokenizer("<image>", bos=True)
    own = processor(
        tf.Blip2Processor,
        image_processor=tf.BlipImageProcessorPil(size=_SQUARE),
        tokenizer=words,
        num_query_tokens=4,
    )
    config = tf.Blip2Config(
        vision_config=tower_sizes(),
        qformer_config=_QFORMER,
        text_config=_opt(words),
        num_query_tokens=4,
        image_token_index=words.convert_tokens_to_ids("<image>"),
    )
    return shaken(tf.Blip2ForConditionalGeneration, config), own


def instructblip() -> tuple[Any, Any]:
    """InstructBLIP: as BLIP-2, and the queries read the question."""
    words = tokenizer("<image>", bos=True)
    own = processor(
        tf.InstructBlipProcessor,
        image_processor=tf.BlipImageProcessorPil(size=_SQUARE),
        tokenizer=words,
        qformer_tokenizer=tokenizer(bos=True),
        num_query_tokens=4,
    )
    config = tf.InstructBlipConfig(
        vision_config=tower_sizes(),
        qformer_config=_QFORMER,
        text_config=_opt(words),
        num_query_tokens=4,
        image_token_index=words.convert_tokens_to_ids("<image>"),
    )
    return shaken(tf.InstructBlipForConditionalGeneration, config), own


def instructblipvideo() -> tuple[Any, Any]:
    """InstructBLIP for films of four frames, four queries each; a picture is a film of four equal ones."""
    words = tokenizer("<video>", bos=True)
    own = processor(
        tf.InstructBlipVideoProcessor,
        video_processor=class_of(
            "InstructBlipVideoVideoProcessor", "instructblipvideo.video_processing_instructblipvideo"
        )(size=_SQUARE),
        tokenizer=words,
        qformer_tokenizer=tokenizer(bos=True),
        num_query_tokens=4,
    )
    config = tf.InstructBlipVideoConfig(
        vision_config=tower_sizes(),
        qformer_config=_QFORMER,
        text_config=_opt(words),
        num_query_tokens=4,
        video_token_index=words.convert_tokens_to_ids("<video>"),
    )
    return shaken(tf.InstructBlipVideoForConditionalGeneration, config), own


def _opt(words: Any) -> Any:
    sizes = text_sizes(words, max_position_embeddings=256)
    return tf.OPTConfig(**sizes, ffn_dim=48, word_embed_proj_dim=32, dropout=0.0)
