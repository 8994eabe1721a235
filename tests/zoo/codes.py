"""No vision tower: pictures become codes of the vocabulary, or their patches are projected as they are."""

from __future__ import annotations

from typing import Any

import transformers as tf
from tokenizers import AddedToken, Regex, normalizers

from tests.zoo.parts import chat, class_of, processor, shaken, text_sizes, tokenizer

_CODES = 16
_CODER = {"embed_dim": 4, "latent_channels": 32, "base_channels": 32, "num_res_blocks": 1}  # norms of 32 groups


def chameleon() -> tuple[Any, Any]:
    """Chameleon: a square of codes, placed in the row as their embeddings; it never says a code."""
    codes = [f"IMGIMG{''.join(chr(ord('A') + int(digit)) for digit in str(code))}Z" for code in range(_CODES)]
    words = tokenizer("<racm3:break>", "<eoss>", "<image>", "<reserved08706>", *codes, bos=True)
    words.sep_token = "<reserved08706>"
    own = processor(
        tf.ChameleonProcessor,
        image_processor=tf.ChameleonImageProcessorPil(
            size={"shortest_edge": 16}, crop_size={"height": 16, "width": 16}
        ),
        tokenizer=words,
        image_seq_length=16,
    )
    sizes = text_sizes(words)
    sizes.pop("head_dim")
    config = tf.ChameleonConfig(
        **sizes,
        vq_config=_CODER | {"resolution": 16, "channel_multiplier": [1, 1, 1], "num_embeddings": _CODES},
        vocabulary_map=words.get_vocab(),
    )
    return shaken(tf.ChameleonForConditionalGeneration, config), own


def emu3() -> tuple[Any, Any]:
    """Emu3: codes row by row, a placeholder after each row; the part that makes pictures is there and idle."""
    words = tokenizer(
        "<|extra_200|>",
        *(f"<|visual token {code:06}|>" for code in range(_CODES)),
        image_token="<image>",
        boi_token="<|image start|>",
        eoi_token="<|image end|>",
        image_wrapper_token="<|image token|>",
        eof_token="<|extra_201|>",
    )
    own = processor(
        tf.Emu3Processor,
        image_processor=tf.Emu3ImageProcessor(min_pixels=16 * 16, max_pixels=48 * 48),
        tokenizer=words,
        chat_template=chat("<image>", "{role}: ", " ", user="USER", assistant="ASSISTANT"),
    )
    config = tf.Emu3Config(
        vq_config=_CODER | {"channel_multiplier": [1, 1, 1, 1], "codebook_size": _CODES, "hidden_size": 32},
        text_config=text_sizes(words),
        vocabulary_map=words.get_vocab(),
    )
    return shaken(tf.Emu3ForConditionalGeneration, config), own


def fuyu() -> tuple[Any, Any]:
    """Fuyu: a linear layer over patches of 8 pixels, row by row; a text token ends each row."""
    words = tokenizer("<0x04>")
    # As the checkpoint's, the tokenizer writes a space in front of the placeholders; the processor cuts it off again.
    words.backend_tokenizer.normalizer = normalizers.Replace(Regex(r"^(?=\|SPEAKER\|.)"), " ")
    words.add_tokens([AddedToken(each, normalized=True, special=True) for each in ("|SPEAKER|", "|NEWLINE|")])
    own = processor(
        tf.FuyuProcessor,
        image_processor=class_of("FuyuImageProcessor", "fuyu.image_processing_fuyu")(
            size={"height": 48, "width": 48}, patch_size={"height": 8, "width": 8}
        ),
        tokenizer=words,
    )
    config = tf.FuyuConfig(
        text_config=tf.PersimmonConfig(**text_sizes(words)), patch_size=8, image_token_id=own.image_token_id
    )
    return shaken(tf.FuyuForCausalLM, config), own
