"""Tiny random text encoders of the kinds that image pipelines use, with tokenizers of a few words and letters."""

from __future__ import annotations

import functools
import string

import torch
import transformers
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers
from tokenizers.processors import TemplateProcessing
from transformers import PreTrainedTokenizerFast

from explore.models.text_encoders import TextEncoder
from tests.zoo.parts import text_sizes
from tests.zoo.parts import tokenizer as byte_tokenizer

PROMPT = "a pool by the red table"
ITEMS = ["pool", "red table"]
LENGTH = 24
KINDS = ("clip", "clip_projected", "t5", "umt5", "gemma2", "gemma3", "llama", "qwen2")
CAUSAL = tuple(kind for kind in KINDS if "t5" not in kind)


def clip_tokenizer() -> PreTrainedTokenizerFast:
    """Letters and merges whose last piece ends in </w>, lower case, start and end token, filled up with the end."""
    letters = string.ascii_lowercase
    vocab = {piece: at for at, piece in enumerate([*letters, *(f"{each}</w>" for each in letters)])}
    merges = []
    for first, second in (("t", "h"), ("th", "e</w>"), ("b", "y</w>"), ("p", "o"), ("o", "l</w>"), ("t", "a")):
        merges.append((first, second))
        vocab[first + second] = len(vocab)
    vocab |= {"<|startoftext|>": len(vocab), "<|endoftext|>": len(vocab) + 1}
    raw = Tokenizer(models.BPE(vocab=vocab, merges=merges, end_of_word_suffix="</w>", unk_token="<|endoftext|>"))
    raw.normalizer = normalizers.Lowercase()
    raw.pre_tokenizer = pre_tokenizers.Whitespace()
    raw.decoder = decoders.BPEDecoder(suffix="</w>")
    ends = [(each, vocab[each]) for each in ("<|startoftext|>", "<|endoftext|>")]
    raw.post_processor = TemplateProcessing(single="<|startoftext|> $A <|endoftext|>", special_tokens=ends)
    return PreTrainedTokenizerFast(
        tokenizer_object=raw,
        bos_token="<|startoftext|>",
        eos_token="<|endoftext|>",
        pad_token="<|endoftext|>",
        unk_token="<|endoftext|>",
        model_max_length=LENGTH,
    )


def t5_tokenizer() -> PreTrainedTokenizerFast:
    """Pieces with the space before a word, and an end token."""
    marked = [f"▁{word}" for word in ("a", "by", "the", "red", "ta", "po")]
    pieces = ["<pad>", "</s>", "<unk>", "▁", *marked, "ble", "ol", *string.ascii_lowercase]
    raw = Tokenizer(models.Unigram([(piece, -1.0 - (len(piece) < 2)) for piece in pieces], unk_id=2))
    raw.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    raw.decoder = decoders.Metaspace(prepend_scheme="always")
    raw.post_processor = TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    return PreTrainedTokenizerFast(
        tokenizer_object=raw, eos_token="</s>", pad_token="<pad>", unk_token="<unk>", model_max_length=LENGTH
    )


@functools.cache
def parts(kind: str):
    """Model and tokenizer."""
    if kind.startswith("clip"):
        own = clip_tokenizer()
        config = transformers.CLIPTextConfig(
            vocab_size=len(own),
            hidden_size=32,
            intermediate_size=48,
            num_hidden_layers=3,
            num_attention_heads=4,
            max_position_embeddings=LENGTH,
            projection_dim=20,
            bos_token_id=own.bos_token_id,
            eos_token_id=own.eos_token_id,
            pad_token_id=own.pad_token_id,
        )
        name = "CLIPTextModelWithProjection" if kind == "clip_projected" else "CLIPTextModel"
        config.architectures = [name]
    elif "t5" in kind:
        own = t5_tokenizer()
        sizes = {"vocab_size": len(own), "d_model": 32, "d_ff": 48, "num_layers": 3, "num_heads": 4, "d_kv": 8}
        config = (transformers.UMT5Config if kind == "umt5" else transformers.T5Config)(**sizes)
        name = "UMT5EncoderModel" if kind == "umt5" else "T5EncoderModel"
    else:
        own = byte_tokenizer(bos=True)
        own.model_max_length = LENGTH
        prefix = {"gemma2": "Gemma2", "gemma3": "Gemma3Text", "llama": "Llama", "qwen2": "Qwen2"}[kind]
        config = getattr(transformers, f"{prefix}Config")(**text_sizes(own, num_hidden_layers=3))
        name = f"{prefix}Model"
    model = random_model(getattr(transformers, name), config)
    if kind != "gemma2":  # its soft cap is known to eager attention only
        model.set_attn_implementation("sdpa")
    return model, own


@functools.cache
def encoder(kind: str) -> TextEncoder:
    return TextEncoder(*parts(kind), checkpoint=kind)


@functools.cache
def encoded(kind: str):
    return encoder(kind).encode(PROMPT)


def random_model(model_class, config, seed=0):
    """Random values everywhere, norms and biases too; `shaken` is for models that generate."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = model_class(config).float().eval()
        with torch.no_grad():
            for name, values in model.named_parameters():
                noise = torch.randn(values.shape)
                scale = "norm" in name.lower() and name.endswith("weight")
                values.copy_(1 + 0.2 * noise if scale else 0.15 * noise)
    return model
