"""One square grid of one size per picture, pooled or not, in raster order."""

from __future__ import annotations

from typing import Any

import transformers as tf

from tests.zoo.parts import QUESTION, chat, class_of, processor, sam_sizes, shaken, text_sizes, tokenizer, tower_sizes

_SQUARE = {"height": 16, "width": 16}


def llava() -> tuple[Any, Any]:
    """LLaVA 1.5: CLIP, layer -2, class token dropped; the picture's middle is cut out."""
    own = _llava_processor()
    config = tf.LlavaConfig(
        vision_config=tf.CLIPVisionConfig(**tower_sizes()),
        text_config=tf.LlamaConfig(**text_sizes(own.tokenizer)),
        image_token_id=own.image_token_id,
        vision_feature_layer=-2,
        vision_feature_select_strategy="default",
        tie_word_embeddings=False,
    )
    return shaken(tf.LlavaForConditionalGeneration, config), own


def vipllava() -> tuple[Any, Any]:
    """VipLLaVA: several layers of the tower side by side."""
    own = _llava_processor()
    config = tf.VipLlavaConfig(
        vision_config=tf.CLIPVisionConfig(**tower_sizes()),
        text_config=tf.LlamaConfig(**text_sizes(own.tokenizer)),
        image_token_id=own.image_token_id,
        vision_feature_layers=[-2, -1],
        tie_word_embeddings=False,
    )
    return shaken(tf.VipLlavaForConditionalGeneration, config), own


def gemma3() -> tuple[Any, Any]:
    """Gemma 3: SigLIP, 2x2 patches pooled to one, image blocks two-way."""
    words = _gemma_words()
    own = processor(
        tf.Gemma3Processor,
        image_processor=tf.Gemma3ImageProcessorPil(size=_SQUARE, do_pan_and_scan=False),
        tokenizer=words,
        image_seq_length=4,
        chat_template=_GEMMA_CHAT,
    )
    return shaken(tf.Gemma3ForConditionalGeneration, tf.Gemma3Config(**_gemma_sizes(words))), own


def shieldgemma2() -> tuple[Any, Any]:
    """ShieldGemma 2: the class of Gemma 3; its processor writes a prompt for each of its policies, here for one."""
    words = _gemma_words()
    own = processor(
        tf.ShieldGemma2Processor,
        image_processor=tf.Gemma3ImageProcessorPil(size=_SQUARE),
        tokenizer=words,
        image_seq_length=4,
        policy_definitions={"question": QUESTION},
        chat_template=_GEMMA_CHAT.replace("if add_generation_prompt", "if true"),  # it never asks for the last turn
    )
    return shaken(tf.Gemma3ForConditionalGeneration, tf.ShieldGemma2Config(**_gemma_sizes(words))), own


def paligemma() -> tuple[Any, Any]:
    """PaliGemma: SigLIP, prompt and image two-way; base models, no chat template."""
    words = tokenizer(image_token="<image>")
    pictures = tf.SiglipImageProcessorPil(size=_SQUARE)
    pictures.image_seq_length = 16
    own = processor(tf.PaliGemmaProcessor, image_processor=pictures, tokenizer=words)
    config = tf.PaliGemmaConfig(
        vision_config=tf.SiglipVisionConfig(**tower_sizes(), projection_dim=32, vision_use_head=False),
        text_config=tf.GemmaConfig(**text_sizes(words)),
        image_token_index=words.image_token_id,
        projection_dim=32,
        hidden_size=32,
        tie_word_embeddings=False,
    )
    return shaken(tf.PaliGemmaForConditionalGeneration, config), own


def got_ocr2() -> tuple[Any, Any]:
    """GOT-OCR 2: SAM and two strided convolutions; 256 tokens a picture, which its processor does not save."""
    words = tokenizer("<|im_start|>", "<|im_end|>", "<img>", "</img>", image_token="<imgpad>")
    own = processor(
        tf.GotOcr2Processor,
        image_processor=tf.GotOcr2ImageProcessorPil(size={"height": 256, "width": 256}),
        tokenizer=words,
        chat_template=chat("<img><imgpad></img>\n", "<|im_start|>{role}\n", "<|im_end|>"),
    )
    config = tf.GotOcr2Config(
        vision_config=class_of("GotOcr2VisionConfig", "got_ocr2.configuration_got_ocr2")(
            **sam_sizes() | {"image_size": 256, "window_size": 16, "global_attn_indexes": []}, output_channels=12
        ),
        text_config=tf.Qwen2Config(**text_sizes(words)),
        image_token_index=words.image_token_id,
        image_seq_length=256,
        tie_word_embeddings=False,
    )
    return shaken(tf.GotOcr2ForConditionalGeneration, config), own


def video_llava() -> tuple[Any, Any]:
    """Video-LLaVA: pictures and films through towers of their own."""
    words = tokenizer(image_token="<image>", video_token="<video>")
    own = processor(
        tf.VideoLlavaProcessor,
        image_processor=tf.VideoLlavaImageProcessor(size={"shortest_edge": 16}, crop_size=_SQUARE),
        video_processor=class_of("VideoLlavaVideoProcessor", "video_llava.video_processing_video_llava")(
            size={"shortest_edge": 16}, crop_size=_SQUARE
        ),
        tokenizer=words,
        patch_size=4,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        chat_template=chat("<image>\n", "{role}: ", " ", user="USER", assistant="ASSISTANT"),
    )
    config = tf.VideoLlavaConfig(
        vision_config=tf.CLIPVisionConfig(**tower_sizes()),
        text_config=tf.LlamaConfig(**text_sizes(words)),
        image_token_index=words.image_token_id,
        video_token_index=words.video_token_id,
        image_seq_length=16,
        video_seq_length=17 * 8,
        tie_word_embeddings=False,
    )
    return shaken(tf.VideoLlavaForConditionalGeneration, config), own


_GEMMA_CHAT = chat("<start_of_image>", "<start_of_turn>{role}\n", "<end_of_turn>\n", "<s>", assistant="model")


def _gemma_words() -> Any:
    return tokenizer(
        "<start_of_turn>",
        "<end_of_turn>",
        bos=True,
        image_token="<image_soft_token>",
        boi_token="<start_of_image>",
        eoi_token="<end_of_image>",
    )


def _gemma_sizes(words: Any) -> dict[str, Any]:
    return {
        "vision_config": tf.SiglipVisionConfig(**tower_sizes(), vision_use_head=False),
        "text_config": tf.Gemma3TextConfig(
            **text_sizes(words, query_pre_attn_scalar=8, sliding_window=64),
            layer_types=["sliding_attention", "full_attention"],
        ),
        "mm_tokens_per_image": 4,
        "image_token_index": words.image_token_id,
        "boi_token_index": words.boi_token_id,
        "eoi_token_index": words.eoi_token_id,
        "tie_word_embeddings": False,
    }


def _llava_processor() -> Any:
    return processor(
        tf.LlavaProcessor,
        image_processor=tf.CLIPImageProcessorPil(size={"shortest_edge": 16}, crop_size=_SQUARE),
        tokenizer=tokenizer(image_token="<image>"),
        patch_size=4,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        chat_template=chat("<image>\n", "{role}: ", " ", user="USER", assistant="ASSISTANT"),
    )
