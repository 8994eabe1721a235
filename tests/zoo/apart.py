"""Models whose pictures stay outside the decoder's row: read through cross-attention, or in the encoder's row."""

from __future__ import annotations

from typing import Any

import transformers as tf

from tests.zoo.parts import CONTEXT, chat, processor, shaken, text_sizes, tokenizer, tower_sizes
from tests.zoo.unmarked import bert

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


def florence2() -> tuple[Any, Any]:
    """Florence-2: one mean of the picture and then its square in the encoder's row; the processor asks for tasks."""
    words = tokenizer(bos=True, image_token="<image>")
    square = {"height": 32, "width": 32}
    pictures = tf.CLIPImageProcessorPil(size=square, crop_size=square, do_center_crop=False)
    pictures.image_seq_length = 17
    own = processor(tf.Florence2Processor, image_processor=pictures, tokenizer=words)
    config = tf.Florence2Config(
        vision_config={
            "depths": [1, 1],
            "patch_size": [7, 3],
            "patch_stride": [4, 2],
            "patch_padding": [3, 1],
            "patch_prenorm": [False, True],
            "embed_dim": [16, 24],
            "num_heads": [2, 3],
            "num_groups": [2, 3],
            "window_size": 3,
            "projection_dim": 32,
        },
        text_config=tf.BartConfig(
            vocab_size=len(words),
            d_model=32,
            encoder_layers=2,
            decoder_layers=2,
            encoder_attention_heads=4,
            decoder_attention_heads=4,
            encoder_ffn_dim=48,
            decoder_ffn_dim=48,
            max_position_embeddings=CONTEXT,
            pad_token_id=words.pad_token_id,
            bos_token_id=words.bos_token_id,
            eos_token_id=words.eos_token_id,
            decoder_start_token_id=words.eos_token_id,
        ),
        image_token_id=words.image_token_id,
    )
    model = shaken(tf.Florence2ForConditionalGeneration, config)
    model.generation_config.decoder_start_token_id = words.eos_token_id
    return model, own


def blip() -> tuple[Any, Any]:
    """BLIP: a decoder of the BERT kind reads a class token and a square; its first token is none of the tokenizer's."""
    words = bert()
    own = processor(tf.BlipProcessor, image_processor=tf.BlipImageProcessorPil(size=_SQUARE), tokenizer=words)
    config = tf.BlipConfig(
        vision_config=tower_sizes(),
        text_config={
            "vocab_size": len(words) + 2,
            "hidden_size": 32,
            "intermediate_size": 48,
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
            "max_position_embeddings": CONTEXT,
            "pad_token_id": words.pad_token_id,
            "bos_token_id": len(words),
            "sep_token_id": words.sep_token_id,
        },
    )
    return shaken(tf.BlipForConditionalGeneration, config), own


def idefics() -> tuple[Any, Any]:
    """IDEFICS: four queries a picture, read through gated cross-attention; a token reads the last picture before it."""
    words = tokenizer(bos=True)
    marks = ("<fake_token_around_image>", "<image>")
    words.add_tokens(list(marks), special_tokens=True)
    own = processor(
        tf.IdeficsProcessor, image_processor=tf.IdeficsImageProcessorPil(image_size=16), tokenizer=words, image_size=16
    )
    sizes = text_sizes(words, vocab_size=len(words) - len(marks), additional_vocab_size=len(marks))
    for each in ("head_dim", "num_key_value_heads"):
        sizes.pop(each)
    tower = tower_sizes(embed_dim=24)
    tower.pop("hidden_size")
    config = tf.IdeficsConfig(
        **sizes,
        vision_config=tower,
        use_resampler=True,
        qk_layer_norms=True,
        perceiver_config={
            "use_resampler": True,
            "resampler_n_latents": 4,
            "resampler_depth": 2,
            "resampler_n_heads": 4,
            "resampler_head_dim": 8,
            "qk_layer_norms_perceiver": True,
        },
    )
    return shaken(tf.IdeficsForVisionText2Text, config), own
