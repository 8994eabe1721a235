"""Pictures in the decoder's row that no token id marks: a mask names their places, or they lie in front of the ids."""

from __future__ import annotations

from typing import Any

import transformers as tf
from tokenizers.processors import TemplateProcessing

from tests.zoo.parts import CONTEXT, processor, shaken, tokenizer, tower_sizes

_SQUARE = {"height": 16, "width": 16}


def kosmos_2() -> tuple[Any, Any]:
    """Kosmos-2: four queries; the ids in their places are those of whatever tokens follow <unk>."""
    words = tokenizer()
    own = processor(
        tf.Kosmos2Processor,
        image_processor=tf.CLIPImageProcessorPil(size=_SQUARE, crop_size=_SQUARE),
        tokenizer=words,
        num_patch_index_tokens=16,
    )
    own.num_image_tokens = 4
    config = tf.Kosmos2Config(
        vision_config=tower_sizes(), text_config=_fairseq(words), latent_query_num=4, tie_word_embeddings=False
    )
    return shaken(tf.Kosmos2ForConditionalGeneration, config), own


def kosmos_2_5() -> tuple[Any, Any]:
    """Kosmos-2.5: four queries over patches of any shape; the ids in their places are those of <s>."""
    words = tokenizer(image_token="<s>", boi_token="<image>", eoi_token="</image>")
    own = processor(
        tf.Kosmos2_5Processor,
        image_processor=tf.Kosmos2_5ImageProcessorPil(patch_size={"height": 4, "width": 4}),
        tokenizer=words,
        num_image_tokens=4,
    )
    own.images_kwargs = own.images_kwargs | {"max_patches": 24}
    tower = tower_sizes(head_dim=8, patch_embed_hidden_size=48, max_num_patches=32)
    for each in ("image_size", "patch_size"):
        tower.pop(each)
    config = tf.Kosmos2_5Config(
        vision_config=tower, text_config=_fairseq(words), latent_query_num=4, tie_word_embeddings=False
    )
    return shaken(tf.Kosmos2_5ForConditionalGeneration, config), own


def git() -> tuple[Any, Any]:
    """GIT: a class token and a square in front of the text, two-way among themselves; a tokenizer of the BERT kind."""
    words = bert()
    own = processor(
        tf.GitProcessor,
        image_processor=tf.CLIPImageProcessorPil(size={"shortest_edge": 16}, crop_size=_SQUARE),
        tokenizer=words,
    )
    config = tf.GitConfig(
        vision_config=tower_sizes(),
        vocab_size=len(words),
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=CONTEXT,
        pad_token_id=words.pad_token_id,
        bos_token_id=words.cls_token_id,
        eos_token_id=words.sep_token_id,
    )
    return shaken(tf.GitForCausalLM, config), own


def bert(*more: str) -> tf.PreTrainedTokenizerFast:
    """A tokenizer that ends every text and has neither a first nor a last token by these names."""
    words = tokenizer("[CLS]", "[SEP]", *more)
    ends = [(each, words.convert_tokens_to_ids(each)) for each in ("[CLS]", "[SEP]")]
    words.backend_tokenizer.post_processor = TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=ends)
    words.bos_token = words.eos_token = None
    words.cls_token, words.sep_token = "[CLS]", "[SEP]"
    words.model_input_names = ["input_ids", "attention_mask"]
    return words


def _fairseq(words: Any) -> dict[str, Any]:
    return {
        "vocab_size": len(words),
        "embed_dim": 32,
        "ffn_dim": 48,
        "layers": 2,
        "attention_heads": 4,
        "max_position_embeddings": CONTEXT,
        "pad_token_id": words.pad_token_id,
        "bos_token_id": words.bos_token_id,
        "eos_token_id": words.eos_token_id,
        "tie_word_embeddings": False,
    }
