"""More models that hear too: grids as large as the picture, patches row by row, 2x2 of them a token."""

from __future__ import annotations

from typing import Any

import transformers as tf

from tests.zoo.merged import im_chat
from tests.zoo.parts import chat, class_of, processor, shaken, text_sizes, tokenizer


def nemotron_h_omni() -> tuple[Any, Any]:
    """Nemotron Omni: the tower is a RADIO; each decoder layer is mamba, experts, attention or a plain block."""
    words = tokenizer(
        "<|im_start|>",
        "<|im_end|>",
        image_token="<image>",
        video_token="<video>",
        audio_token="<so_embedding>",
        image_start_token="<img>",
        image_end_token="</img>",
        audio_start_token="<so_start>",
        audio_end_token="<so_end>",
    )
    folder = "nemotron_h_omni.image_processing_nemotron_h_omni"
    pictures = class_of("NemotronH_Omni_Reasoning_V3ImageProcessor", folder)
    films = class_of("NemotronH_Omni_Reasoning_V3VideoProcessor", folder.replace("image", "video"))
    own = processor(
        class_of("NemotronH_Omni_Reasoning_V3Processor", "nemotron_h_omni.processing_nemotron_h_omni"),
        image_processor=pictures(patch_size=4, min_num_patches=16, max_num_patches=256),
        video_processor=films(patch_size=4, video_target_num_patches=64, norm_mean=[0.5] * 3, norm_std=[0.5] * 3),
        feature_extractor=tf.ParakeetFeatureExtractor(feature_size=16),
        tokenizer=words,
        chat_template=im_chat("<image>\n"),
    )
    text = text_sizes(
        words,
        layers_block_type=["linear_attention", "moe", "full_attention", "mlp"],
        ssm_state_size=8,
        mamba_num_heads=4,
        mamba_head_dim=8,
        n_groups=2,
        chunk_size=16,
        n_routed_experts=4,
        moe_intermediate_size=20,
        moe_shared_expert_intermediate_size=20,
    )
    config = tf.NemotronH_Omni_Reasoning_V3_Config(
        vision_config={
            "hidden_size": 24,
            "num_hidden_layers": 2,
            "num_attention_heads": 3,
            "mlp_ratio": 2.0,
            "patch_size": 4,
            "max_img_size": 32,
            "num_cls_tokens": 2,
            "num_registers": 1,
            "video_temporal_patch_size": 2,
        },
        text_config=text,
        audio_config={
            "hidden_size": 16,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
            "intermediate_size": 24,
            "subsampling_conv_channels": 8,
            "num_mel_bins": 16,
            "projection_hidden_size": 20,
            "projection_bias": True,
        },
        vision_hidden_size=24,
        projector_hidden_size=40,
        image_token_id=own.image_token_id,
        video_token_id=own.video_token_id,
        audio_token_id=own.audio_token_id,
    )
    return shaken(tf.NemotronH_Omni_Reasoning_V3, config), own


def muse_spark() -> tuple[Any, Any]:
    """Muse Spark: Muse Glimmer with experts of a width of their own and gates on the residual stream."""
    words = tokenizer(
        "<|turn|>",
        "<|end|>",
        image_token="<|patch|>",
        image_start_token="<|image_start|>",
        image_end_token="<|image_end|>",
        video_token="<|video|>",
        video_sep_token="<|vid_frame_separator|>",
        video_start_token="<|vid_start|>",
        video_end_token="<|vid_end|>",
        audio_token="<|audio|>",
        audio_start_token="<|soft_audio_start|>",
        audio_end_token="<|soft_audio_end|>",
    )
    sizes = {"patch_size": 4, "merge_size": 2, "temporal_patch_size": 2}
    folder = "muse_glimmer.image_processing_muse_glimmer"
    own = processor(
        class_of("MuseSparkProcessor", "muse_spark.processing_muse_spark"),
        image_processor=class_of("MuseGlimmerImageProcessor", folder)(**sizes, max_image_tokens=64),
        video_processor=class_of("MuseGlimmerVideoProcessor", folder.replace("image", "video"))(**sizes),
        feature_extractor=tf.MuseSparkFeatureExtractor(samples_per_token=12),
        tokenizer=words,
        chat_template=chat("<|patch|>", "<|turn|>{role}\n", "<|end|>", video="<|video|>"),
    )
    config = tf.MuseSparkConfig(
        vision_config={
            "patch_size": 4,
            "pos_emb_height": 8,
            "pos_emb_width": 8,
            "num_attention_heads": 3,
            "num_hidden_layers": 2,
            "hidden_size": 24,
            "intermediate_size": 40,
            "max_position_embeddings": 64,
        },
        text_config=text_sizes(
            words,
            layer_types=["sliding_attention", "full_attention"],
            sliding_window=512,
            output_multiplier=0.5,
            num_local_experts=4,
            num_experts_per_tok=2,
            moe_intermediate_size=20,
            moe_hidden_size=16,
        ),
        audio_config={
            "patch_sizes": [4, 3],
            "hidden_sizes": [8, 16],
            "depths": [1, 1],
            "num_hidden_layers": 2,
            "out_hidden_size": 32,
        },
        image_token_id=own.image_token_id,
        video_token_id=own.video_token_id,
        audio_token_id=own.audio_token_id,
        out_hidden_size=96,
        projector_hidden_size=40,
    )
    return shaken(tf.MuseSparkForConditionalGeneration, config), own
