"""The tokenizer of the shipped model: byte-level BPE learned from the scene language."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

from explore.sketch.cells import GRID, order_words, place_words
from explore.sketch.language import CAPTION_REQUESTS, caption, caption_request, questions
from explore.sketch.prompts import IMAGE_TOKEN, turn_text
from explore.sketch.scenes import MOST_THINGS
from explore.sketch.things.signs import TEXTS
from explore.sketch.training.prose import describe
from explore.sketch.training.scene_store import scene_contents

VOCABULARY = 760
"""Small enough that a few long nouns stay in pieces, as they do in every real model."""
SPECIALS = ("<pad>", "<s>", "</s>", IMAGE_TOKEN)


def corpus(scenes: int) -> Iterator[str]:
    """The texts the merges are learned from."""
    for seed in range(scenes):
        rng = np.random.default_rng(seed)
        contents = scene_contents(seed)
        yield describe(contents, rng)
        for style in CAPTION_REQUESTS:
            yield turn_text(caption_request(contents, style, rng))
            yield " " + caption(contents, style).text
        for question in questions(contents, rng):
            yield turn_text(question)
    for _ in range(4000):  # weight enough to make each one token
        yield from (f"{space}{text}" for text in TEXTS for space in ("", " "))
        yield from (f" {word}" for i in range(GRID) for word in place_words(i, i))
        yield from (f" {word}" for i in range(MOST_THINGS) for word in order_words(i, i))


def train_tokenizer(scenes: int = 3000) -> PreTrainedTokenizerFast:
    """Learn the merges and wrap them as a stock fast tokenizer that starts every text with ``<s>``."""
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=list(SPECIALS),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    bpe.train_from_iterator(corpus(scenes), trainer)
    bpe.post_processor = processors.TemplateProcessing(
        single="<s> $A", pair="<s> $A $B", special_tokens=[("<s>", bpe.token_to_id("<s>"))]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=bpe, bos_token="<s>", eos_token="</s>", pad_token="<pad>", padding_side="left",
        model_max_length=512, extra_special_tokens={"image_token": IMAGE_TOKEN}, clean_up_tokenization_spaces=False,
    )  # fmt: skip
