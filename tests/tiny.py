"""Tiny random models for tests: built from config classes in a moment, nothing from the net."""

from __future__ import annotations

import functools
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import (
    CLIPImageProcessorPil,
    CLIPVisionConfig,
    LlamaConfig,
    LlavaConfig,
    LlavaForConditionalGeneration,
    LlavaProcessor,
    PreTrainedTokenizerFast,
    SiglipVisionConfig,
    VipLlavaConfig,
    VipLlavaForConditionalGeneration,
)

from explore.models.runner import Runner

_WORDS = """
    what is this the a of in on colour red blue green dog cat house tree left right where how many two three yes no
    picture thing small big above below ? . , : USER ASSISTANT and say does it I you are not there here one SYSTEM
"""


def tiny_tokenizer() -> PreTrainedTokenizerFast:
    """Word pieces with leading spaces kept, and single letters for everything else."""
    pieces = ["<pad>", "<s>", "</s>", "<image>", "<unk>"]
    letters = [*"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789?.,:!'-ĊĠ"]
    vocab = {piece: index for index, piece in enumerate(dict.fromkeys([*pieces, *letters]))}
    merges: list[tuple[str, str]] = []
    for start in ("Ġ", ""):  # words after a space first: earlier merges win
        for word in _WORDS.split():
            built = start or word[0]
            for letter in word if start else word[1:]:
                if (built, letter) not in merges:
                    merges.append((built, letter))
                built += letter
                vocab.setdefault(built, len(vocab))
    raw = Tokenizer(models.BPE(vocab=vocab, merges=merges, unk_token="<unk>"))
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    raw.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(
        tokenizer_object=raw,
        pad_token="<pad>",
        bos_token="<s>",
        eos_token="</s>",
        unk_token="<unk>",
        extra_special_tokens={"image_token": "<image>"},
    )


def tiny_processor(image_size: int = 32, patch: int = 8, **image_options: Any) -> LlavaProcessor:
    """A processor for `tiny_llava`; by default pictures are resized to the square without a crop."""
    options = {
        "size": {"height": image_size, "width": image_size},
        "do_center_crop": False,
        "crop_size": {"height": image_size, "width": image_size},
    }
    return LlavaProcessor(
        image_processor=CLIPImageProcessorPil(**{**options, **image_options}),
        tokenizer=tiny_tokenizer(),
        patch_size=patch,
        num_additional_image_tokens=1,
        vision_feature_select_strategy="default",
    )


def tiny_llava(
    seed: int = 0,
    gqa: bool = True,
    *,
    layers: int = 2,
    image_size: int = 32,
    patch: int = 8,
    context: int = 512,
    strategy: str = "default",
    tie: bool = False,
    vision: str = "clip",
    processor: LlavaProcessor | None = None,
) -> tuple[LlavaForConditionalGeneration, LlavaProcessor]:
    """A LLaVA with random weights: width 32, 4 query heads, 2 key/value heads if `gqa`; "siglip" has no class token."""
    processor = processor or tiny_processor(image_size, patch)
    if vision == "siglip":
        strategy = processor.vision_feature_select_strategy = "full"
        processor.num_additional_image_tokens = 0
    tower: dict[str, Any] = {
        "hidden_size": 24,
        "intermediate_size": 32,
        "num_hidden_layers": 3,
        "num_attention_heads": 3,
        "image_size": image_size,
        "patch_size": patch,
    }
    text = LlamaConfig(
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=layers,
        num_attention_heads=4,
        num_key_value_heads=2 if gqa else 4,
        vocab_size=len(processor.tokenizer),
        max_position_embeddings=context,
        bos_token_id=1,
        eos_token_id=2,
        pad_token_id=0,
        tie_word_embeddings=tie,
    )
    config = LlavaConfig(
        vision_config=CLIPVisionConfig(**tower) if vision == "clip" else SiglipVisionConfig(**tower),
        text_config=text,
        image_token_id=processor.tokenizer.convert_tokens_to_ids("<image>"),
        vision_feature_layer=-2,
        vision_feature_select_strategy=strategy,
        tie_word_embeddings=tie,
    )
    torch.manual_seed(seed)
    return _shaken(LlavaForConditionalGeneration(config), seed), processor


def tiny_vipllava(seed: int = 0) -> tuple[VipLlavaForConditionalGeneration, LlavaProcessor]:
    """The sister family that joins several layers of the tower; sizes of `tiny_llava`."""
    model, processor = tiny_llava(seed)
    own = model.config
    config = VipLlavaConfig(
        vision_config=own.vision_config,
        text_config=own.text_config,
        image_token_id=own.image_token_id,
        vision_feature_layers=[-2, -1],
    )
    return _shaken(VipLlavaForConditionalGeneration(config), seed), processor


def _shaken(model: Any, seed: int) -> Any:
    """Everything random, norms and biases too: a skipped norm or a forgotten bias must show."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, values in model.named_parameters():
            noise = torch.randn(values.shape, generator=generator)
            values.copy_(1 + 0.2 * noise if "norm" in name and name.endswith("weight") else 0.15 * noise)
    return model.eval()


@functools.cache
def tiny_runner() -> Runner:
    """One runner shared by the tests that only look."""
    model, processor = tiny_llava()
    return Runner(model, processor, checkpoint="tiny", revision="test")
