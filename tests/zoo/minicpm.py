"""MiniCPM: the whole picture, then slices of it; a token is 4x4 patches, or 2x2."""

from __future__ import annotations

from typing import Any

import transformers as tf

from tests.zoo.merged import im_chat, linear
from tests.zoo.parts import class_of, processor, shaken, text_sizes, tokenizer, tower_sizes


def minicpmv4_6() -> tuple[Any, Any]:
    """MiniCPM-V 4.6: the whole picture, then slices of it; a token is 4x4 patches; linear attention."""
    own = _minicpm(tf.MiniCPMV4_6Processor)
    config = tf.MiniCPMV4_6Config(
        text_config=tf.Qwen3_5TextConfig(**text_sizes(own.tokenizer, **linear(mrope=False))), **_minicpm_sizes(own)
    )
    return shaken(tf.MiniCPMV4_6ForConditionalGeneration, config), own


def minicpmv4_7() -> tuple[Any, Any]:
    """MiniCPM-V 4.7: as 4.6 with positions of its own."""
    own = _minicpm(class_of("MiniCPMV4_7Processor", "minicpmv4_7.processing_minicpmv4_7"))
    words = own.tokenizer
    config = tf.MiniCPMV4_7Config(
        text_config=tf.Qwen3_5TextConfig(**text_sizes(words, **linear())),
        image_start_id=words.image_start_token_id,
        image_end_id=words.image_end_token_id,
        slice_start_id=words.slice_start_token_id,
        slice_end_id=words.slice_end_token_id,
        newline_id=words.encode("\n")[0],
        **_minicpm_sizes(own),
    )
    return shaken(tf.MiniCPMV4_7ForConditionalGeneration, config), own


def minicpm_ocr() -> tuple[Any, Any]:
    """MiniCPM-OCR: as MiniCPM-V 4.6 with tokens of 2x2 patches: the merger inside the tower is not used."""
    folder = "minicpm_ocr.image_processing_minicpm_ocr"
    own = _minicpm(
        class_of("MiniCPMOcrProcessor", "minicpm_ocr.processing_minicpm_ocr"),
        class_of("MiniCPMOcrImageProcessor", folder),
        class_of("MiniCPMOcrVideoProcessor", folder.replace("image", "video")),
    )
    sizes = _minicpm_sizes(own)
    sizes.pop("image_size")
    config = tf.MiniCPMOcrConfig(
        text_config=tf.Qwen3_5TextConfig(**text_sizes(own.tokenizer, **linear(mrope=False))), **sizes
    )
    return shaken(tf.MiniCPMOcrForConditionalGeneration, config), own


def _minicpm(cls: Any, pictures: Any = None, films: Any = None) -> Any:
    words = tokenizer(
        "<|im_start|>",
        "<|im_end|>",
        image_token="<|image_pad|>",
        video_token="<|video_pad|>",
        image_start_token="<image>",
        image_end_token="</image>",
        slice_start_token="<slice>",
        slice_end_token="</slice>",
        image_id_start_token="<image_id>",
        image_id_end_token="</image_id>",
    )
    sizes = {"patch_size": 4, "scale_resolution": 32, "max_slice_nums": 4}
    films = films or class_of("MiniCPMV4_6VideoProcessor", "minicpmv4_6.video_processing_minicpmv4_6")
    return processor(
        cls,
        image_processor=(pictures or tf.MiniCPMV4_6ImageProcessorPil)(**sizes),
        video_processor=films(**sizes),
        tokenizer=words,
        chat_template=im_chat("<|image_pad|>"),
    )


def _minicpm_sizes(own: Any) -> dict[str, Any]:
    return {
        "vision_config": tower_sizes(image_size=32, insert_layer_id=0),
        "insert_layer_id": 0,
        "image_size": 32,
        "image_token_id": own.image_token_id,
        "video_token_id": own.video_token_id,
        "tie_word_embeddings": False,
    }
