"""Models whose pictures stay outside the decoder's row: read through cross-attention, or in the encoder's row."""

from __future__ import annotations

from typing import Any

import transformers as tf

from tests.zoo.parts import chat, processor, shaken, text_sizes, tokenizer, tower_sizes

_SQUARE = {"height": 16, "width": 16}


def mllama() -> tuple[Any, Any]:
    """Llama 3.2 Vision: tiles read through cross-attention in some layers; one token stands for a picture."""
    words = tokenizer(
        "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>", "<|python_tag|>", image_token="<|image|>"
    )
    own = processor(
        tf.MllamaProcessor,
        image_processor=tf.MllamaImageProcessorPil(size=_SQUARE, max_image_tiles=4),
        tokenizer=words,
        chat_template=chat("<|image|>", "<|start_header_id|>{role}<|end_header_id|>\n\n", "<|eot_id|>", "<s>"),
    )
    sizes = text_sizes(words, cross_attention_layers=[1])
    sizes.pop("head_dim")
    tower = tower_sizes(attention_heads=3, num_global_layers=1, intermediate_layers_indices=[0, 2])
    tower.pop("num_attention_heads")
    config = tf.MllamaConfig(
        vision_config=tower | {"vision_output_dim": 72, "max_num_tiles": 4},
        text_config=sizes,
        image_token_index=words.image_token_id,
    )
    return shaken(tf.MllamaForConditionalGeneration, config), own


def t5gemma2() -> tuple[Any, Any]:
    """T5Gemma 2: pictures as in Gemma 3, in the encoder's row."""
    words = tokenizer(
        bos=True, image_token="<image_soft_token>", boi_token="<start_of_image>", eoi_token="<end_of_image>"
    )
    own = processor(
        tf.Gemma3Processor,
        image_processor=tf.Gemma3ImageProcessorPil(size=_SQUARE, do_pan_and_scan=False),
        tokenizer=words,
        image_seq_length=4,
    )
    sizes = text_sizes(
        words,
        query_pre_attn_scalar=8,
        sliding_window=64,
        layer_types=["sliding_attention", "full_attention"],
        final_logit_softcapping=30.0,
    )
    ids = {"image_token_index": words.image_token_id, "eoi_token_index": words.eoi_token_id}
    config = tf.T5Gemma2Config(
        encoder={
            "text_config": sizes,
            "vision_config": tower_sizes(model_type="siglip_vision_model", vision_use_head=False),
            "mm_tokens_per_image": 4,
            "boi_token_index": words.boi_token_id,
        }
        | ids,
        decoder=sizes,
        **ids,
    )
    model = shaken(tf.T5Gemma2ForConditionalGeneration, config)
    model.generation_config.decoder_start_token_id = words.bos_token_id
    return model, own
