"""Decoders that pick the keys they look at: a small scorer beside the attention; low-rank keys and values, experts.

They pick at most 512 keys, more than any prompt here has, as real ones pick 2048.
"""

from __future__ import annotations

from typing import Any

import transformers as tf

from tests.zoo.dynamic import MISTRAL_CHAT, pixtral_pictures, pixtral_tower
from tests.zoo.merged import FILM, PICTURE, ids_of, im_chat, linear, qwen3, text_of, vision
from tests.zoo.parts import chat, class_of, processor, shaken, text_sizes, tokenizer

_INDEX = {"index_topk": 512, "index_head_dim": 8, "index_n_heads": 2}
_EXPERTS = {"n_routed_experts": 4, "n_shared_experts": 1, "num_experts_per_tok": 2, "moe_intermediate_size": 20}
_LOW_RANK = {
    "num_key_value_heads": 4,
    "kv_lora_rank": 8,
    "qk_nope_head_dim": 4,
    "qk_rope_head_dim": 4,
    "v_head_dim": 8,
    "mlp_layer_types": ["dense", "sparse"],
}


def mistral_large4() -> tuple[Any, Any]:
    """Mistral Large 4: tower and rows of Mistral 3; every second layer without rotation here; capped logits."""
    words = tokenizer("[SYSTEM_PROMPT]", "[INST]", "[/INST]", "[IMG]", "[IMG_BREAK]", "[IMG_END]", bos=True)
    own = processor(
        class_of("PixtralProcessor", "pixtral.processing_pixtral"),
        image_processor=pixtral_pictures(),
        tokenizer=words,
        patch_size=4,
        spatial_merge_size=2,
        chat_template=MISTRAL_CHAT,
    )
    rope = {"rope_type": "yarn", "rope_theta": 10000.0, "factor": 4.0, "original_max_position_embeddings": 512}
    config = tf.MistralLarge4Config(
        vision_config=pixtral_tower(),
        text_config=text_sizes(words, no_rope_layers=[1, 0], rope_parameters=rope, **_LOW_RANK, **_EXPERTS, **_INDEX),
        image_token_index=own.image_token_id,
        spatial_merge_size=2,
        tie_word_embeddings=False,
    )
    return shaken(tf.MistralLarge4ForConditionalGeneration, config), own


def qwen4_exp() -> tuple[Any, Any]:
    """Qwen4-Exp: four residual streams side by side, mixed into one at the end; embeddings of pairs and triples."""
    own = qwen3()
    config = tf.Qwen4ExpConfig(
        vision_config=vision() | {"num_position_embeddings": 64},
        text_config=text_of(
            own,
            **linear(),
            num_experts=4,
            num_experts_per_tok=2,
            moe_intermediate_size=20,
            shared_expert_intermediate_size=20,
            hc_lowrank=6,
            indexer_n_heads=2,
            indexer_kv_heads=1,
            indexer_head_dim=16,
            indexer_budget=512,
            indexer_compress_ratio=4,
            ple_layer_ids=[1],
            ple_embed_dim=16,
            heads_per_ngram=2,
            ngram_vocab_size_base=50,
            make_ngram_vocab_size_divisible_by=8,
        ),
        **ids_of(own),
    )
    return shaken(tf.Qwen4ExpForConditionalGeneration, config), own


def glm5_next() -> tuple[Any, Any]:
    """GLM-5 Next: pictures padded to whole tokens, not stretched; four residual streams on an axis of their own."""
    marks = ["<|begin_of_image|>", "<|end_of_image|>", "<|begin_of_video|>", "<|end_of_video|>"]
    words = tokenizer(
        "[gMASK]",
        "<sop>",
        "<|user|>",
        "<|assistant|>",
        *marks,
        image_token="<|image|>",
        video_token="<|video|>",
    )
    sizes = {"patch_size": 4, "merge_size": 2, "temporal_patch_size": 2, "min_image_tokens": 4, "max_image_tokens": 64}
    own = processor(
        tf.Glm5NextProcessor,
        image_processor=tf.Glm5NextImageProcessorPil(**sizes),
        video_processor=class_of("Glm5NextVideoProcessor", "glm5_next.video_processing_glm5_next")(**sizes),
        tokenizer=words,
        chat_template=chat("<|begin_of_image|><|image|><|end_of_image|>", "<|{role}|>\n", "", "[gMASK]<sop>"),
    )
    image_start, image_end, video_start, video_end = words.convert_tokens_to_ids(marks)
    config = tf.Glm5NextConfig(
        vision_config=vision() | {"image_size": 32, "projection_intermediate_size": 40},
        text_config=text_sizes(
            words,
            **_LOW_RANK | {"qk_rope_head_dim": 0},
            **_EXPERTS,
            **_INDEX,
            q_lora_rank=12,
            layer_types=["linear_attention", "indexed_attention"],
            index_kpool=4,
            linear_head_dim=8,
            linear_num_heads=4,
        ),
        image_token_id=own.image_token_id,
        video_token_id=own.video_token_id,
        image_start_token_id=image_start,
        image_end_token_id=image_end,
        video_start_token_id=video_start,
        video_end_token_id=video_end,
    )
    return shaken(tf.Glm5NextForConditionalGeneration, config), own


def dots3_note() -> tuple[Any, Any]:
    """dots.note 3: experts in the tower too; heads of another number and width in each kind of layer; hears."""
    marks = ["<|imgpad|>", "<|video_pad|>", "<|audio_comp_pad|>"]
    words = tokenizer("<|im_start|>", "<|im_end|>", "<|img|>", "<|endofimg|>", *marks)
    sizes = {"patch_size": 4, "merge_size": 2, "temporal_patch_size": 1}
    own = processor(
        tf.Dots3NoteProcessor,
        image_processor=tf.Qwen2VLImageProcessorPil(**sizes, size=PICTURE),
        video_processor=class_of("Qwen3VLVideoProcessor", "qwen3_vl.video_processing_qwen3_vl")(**sizes, size=FILM),
        feature_extractor=tf.Dots3NoteFeatureExtractor(feature_size=16),
        tokenizer=words,
        chat_template=im_chat("<|img|><|imgpad|><|endofimg|>", video="<|img|><|video_pad|><|endofimg|>"),
    )
    config = tf.Dots3NoteConfig(
        vision_config={
            "hidden_size": 24,
            "intermediate_size": 40,
            "num_hidden_layers": 2,
            "num_attention_heads": 3,
            "patch_size": 4,
            "moe_intermediate_size": 20,
            "pyramid_num_routed": [-1, 4],
            "adapter_in_dim": 24,
            "adapter_out_dim": 32,
        },
        text_config=text_sizes(
            words,
            **_LOW_RANK,
            **_EXPERTS,
            **_INDEX,
            q_lora_rank=12,
            shared_experts_intermediate_size=20,
            layer_types=["indexed_attention", "sliding_attention"],
            sliding_window=64,
            swa_num_attention_heads=2,
            swa_num_key_value_heads=2,
            swa_q_lora_rank=12,
            swa_kv_lora_rank=10,
            swa_head_dim=12,
            swa_qk_nope_head_dim=8,
            swa_v_head_dim=6,
        ),
        audio_config={
            "hidden_size": 16,
            "intermediate_size": 24,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
            "feature_size": 16,
            "downsample_hidden_size": 8,
            "max_position_embeddings": 64,
            "adapter_input_size": 16,
            "adapter_out_dim": 32,
        },
        image_token_id=own.image_token_id,
        video_token_id=own.video_token_id,
        audio_token_id=own.audio_token_id,
        tie_word_embeddings=False,
    )
    return shaken(tf.Dots3NoteForConditionalGeneration, config), own
