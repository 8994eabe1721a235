"""The shipped architecture: stock CLIP tower, LLaVA projector and Llama decoder, small."""

from __future__ import annotations

import math

import torch
from transformers import (
    CLIPImageProcessor,
    CLIPVisionConfig,
    LlamaConfig,
    LlavaConfig,
    LlavaForConditionalGeneration,
    LlavaProcessor,
    PreTrainedTokenizerFast,
)
from transformers.models.llama.modeling_llama import LlamaAttention

from explore.sketch.cells import GRID, PATCH
from explore.sketch.prompts import CHAT_TEMPLATE, IMAGE_TOKEN
from explore.sketch.scenes import SIZE


def build_config(tokenizer: PreTrainedTokenizerFast) -> LlavaConfig:
    """6-layer tower of width 160, 6-layer decoder of width 192 with grouped key-value heads, 12 x 12 visual tokens."""
    vision = CLIPVisionConfig(
        hidden_size=160, intermediate_size=480, num_hidden_layers=6, num_attention_heads=5,
        image_size=SIZE, patch_size=PATCH, projection_dim=160,
    )  # fmt: skip
    text = LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=192, intermediate_size=448, num_hidden_layers=6,
        num_attention_heads=6, num_key_value_heads=3, max_position_embeddings=512, tie_word_embeddings=False,
        bos_token_id=tokenizer.bos_token_id, eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id,
    )  # fmt: skip
    return LlavaConfig(
        vision_config=vision, text_config=text, image_token_index=tokenizer.convert_tokens_to_ids(IMAGE_TOKEN),
        # every tower layer is trained here, so the projector reads the last one instead of LLaVA's last but one
        vision_feature_layer=-1, vision_feature_select_strategy="default",
        image_seq_length=(SIZE // PATCH) ** 2, tie_word_embeddings=False,
    )  # fmt: skip


def build_model(tokenizer: PreTrainedTokenizerFast) -> LlavaForConditionalGeneration:
    """The untrained model."""
    model = LlavaForConditionalGeneration(build_config(tokenizer))
    _place_patches(model)
    _widen_decoder(model)
    model.generation_config.eos_token_id = tokenizer.eos_token_id
    model.generation_config.pad_token_id = tokenizer.pad_token_id
    model.generation_config.bos_token_id = tokenizer.bos_token_id
    return model


def _place_patches(model: LlavaForConditionalGeneration) -> None:
    """Start the tower so that every patch looks at its neighbours and its likes.

    Positions start as 2-D sines of a patch's size, because the library's start is twenty times fainter than the
    patches themselves; queries start equal to keys, so that near and alike patches attend to each other (Trockman
    and Kolter 2023, "Mimetic Initialization of Self-Attention Layers"). Without both, shapes take far longer to learn.
    """
    tower = model.model.vision_tower
    table = tower.embeddings.position_embedding.weight
    frequencies = math.pi * 2.0 ** torch.linspace(-4.5, -0.5, table.shape[1] // 4)
    row, column = torch.meshgrid(torch.arange(GRID), torch.arange(GRID), indexing="ij")
    waves = [wave(axis.flatten()[:, None] * frequencies) for axis in (row, column) for wave in (torch.sin, torch.cos)]
    with torch.no_grad():
        table[1:] = torch.cat(waves, 1) * 0.5
        for layer in tower.encoder.layers:
            layer.self_attn.q_proj.weight.normal_(std=0.066)
            layer.self_attn.k_proj.weight.copy_(layer.self_attn.q_proj.weight)


def _widen_decoder(model: LlavaForConditionalGeneration) -> None:
    """Start the decoder with a spread that fits its width, and so that it attends to like words and copies them.

    The library draws all weights with a standard deviation of 0.02, which suits a width of several thousand and
    leaves attention flat at 192. Queries start equal to keys and outputs as the transpose of values (as in Trockman
    and Kolter 2023), and the head as the embeddings made small, so that what is attended to can be said.
    """
    layers, embedding = model.model.language_model.layers, model.get_input_embeddings().weight
    with torch.no_grad():
        embedding.normal_(std=0.4)
        model.lm_head.weight.copy_(embedding * 0.125)
        embedding[:, 0] = 1.0  # the one thing all words share; see _look_back
        for layer in layers:
            for linear in (layer.mlp.gate_proj, layer.mlp.up_proj, layer.mlp.down_proj):
                linear.weight.normal_(std=linear.in_features**-0.5)
            layer.mlp.down_proj.weight.mul_((2 * len(layers)) ** -0.5)
            attention = layer.self_attn
            for source in (attention.k_proj, attention.v_proj):
                source.weight.normal_(std=source.in_features**-0.5)
            _look_back(attention)
            for source, target, scale in (
                (attention.k_proj.weight, attention.q_proj.weight, 1.0),
                (attention.v_proj.weight, attention.o_proj.weight.T, 1.0),
            ):
                heads = source.unflatten(0, (-1, attention.head_dim))
                groups = target.shape[0] // source.shape[0]
                target.copy_(heads.repeat_interleave(groups, 0).flatten(0, 1) * scale)


def _look_back(attention: LlamaAttention, frequencies: int = 8, strength: float = 0.55) -> None:
    """Start the first key-value head so that it attends to the last few positions, whatever they hold.

    Keys read only the constant that all embeddings share, into the fastest rotary frequencies: the product with an
    equal query then depends on nothing but the distance, and falls off within about four positions. It carries the
    noun of a question on to where the answer begins.
    """
    keys: torch.Tensor = attention.k_proj.weight[: attention.head_dim]
    keys.mul_(0.2)
    keys[:frequencies, 0] = strength


def build_processor(tokenizer: PreTrainedTokenizerFast) -> LlavaProcessor:
    """The stock LLaVA processor; pictures are resized whole, not cropped, so that every pixel is seen."""
    images = CLIPImageProcessor(size={"height": SIZE, "width": SIZE}, do_center_crop=False)
    return LlavaProcessor(
        images, tokenizer, patch_size=PATCH, vision_feature_select_strategy="default", image_token=IMAGE_TOKEN,
        num_additional_image_tokens=1, chat_template=CHAT_TEMPLATE,
    )  # fmt: skip
