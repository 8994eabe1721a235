"""Images from patched states: a stub in place of a pipeline, and judges that are runners of this toolkit."""

from __future__ import annotations

import importlib.util
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from explore.errors import CheckpointError, ParameterError
from explore.flow import text_encoder as flow
from explore.models.loading import load_runner
from explore.sketch import scene
from tests.flow.text_encoder_cases import PROMPT, encoded, encoder, parts


class Pipeline:
    """Paints the mean of what it is given; takes what pipelines of diffusers take."""

    dtype, device = torch.bfloat16, "cpu"

    def __init__(self):
        self.calls = []

    def __call__(self, prompt=None, prompt_embeds=None, pooled_prompt_embeds=None, generator=None, steps=1):
        self.calls.append((prompt_embeds, pooled_prompt_embeds, torch.rand(1, generator=generator).item(), steps))
        return SimpleNamespace(images=[Image.new("RGB", (8, 8), (int(prompt_embeds.float().abs().mean() * 50), 0, 0))])


def masked(prompt_embeds=None, prompt_attention_mask=None, generator=None):
    return SimpleNamespace(images=[(prompt_embeds, prompt_attention_mask)])


def test_a_pipeline_gets_the_states():
    pipeline, whole = Pipeline(), encoded("clip")
    images = flow.images_from(pipeline, whole, seeds=(1, 2, 1), steps=4)
    assert len(images) == 3
    states, pooled, _, steps = pipeline.calls[0]
    assert states.dtype == torch.bfloat16
    torch.testing.assert_close(states[0], torch.from_numpy(whole.states.copy()).bfloat16())
    torch.testing.assert_close(pooled[0], torch.from_numpy(whole.pooled.copy()).bfloat16())
    assert steps == 4
    noises = [call[2] for call in pipeline.calls]
    assert noises[0] == noises[2] != noises[1]


def test_pooled_vectors_and_masks():
    with pytest.raises(ParameterError, match="pooled"):
        flow.images_from(Pipeline(), encoded("t5"))
    pipeline = Pipeline()
    flow.images_from(pipeline, encoded("t5"), pooled=encoder("clip").encode("").pooled, seeds=(1,))
    assert pipeline.calls[0][1].shape == (1, 32)
    _, mask = flow.images_from(masked, encoded("gemma2"), seeds=(1,))[0]
    assert mask[0].tolist() == encoded("gemma2").seen.astype(int).tolist()
    assert flow.images_from(masked, encoded("t5"), seeds=(1,))[0][1] is None
    with pytest.raises(ParameterError, match="prompt_embeds"):
        flow.images_from(lambda prompt: None, encoded("t5"))


@pytest.mark.skipif(importlib.util.find_spec("diffusers") is not None, reason="diffusers is installed")
def test_without_diffusers_the_error_says_what_to_install():
    with pytest.raises(CheckpointError, match="pip install diffusers"):
        flow.load_pipeline("black-forest-labs/FLUX.1-schnell")


def test_a_runner_judges_by_its_logits_of_yes_and_no():
    runner, image = load_runner(), scene(seed=7).image
    made = flow.judge(runner, image, "a circle")
    logits = {}
    for word in ("Yes", "yes", "No", "no"):
        trace = runner.read(image, flow.judging.QUESTION.replace("{concept}", "a circle"), word)
        logits[word] = trace.logits[0][trace.answer_ids[0]]
    gap = max(logits["Yes"], logits["yes"]) - max(logits["No"], logits["no"])
    assert made.probability == pytest.approx(1 / (1 + np.exp(-gap)), abs=1e-5)
    assert bool(made) == made.visible == (gap > 0)
    with pytest.raises(ParameterError, match="concept"):
        flow.judge(runner, image, " ")


def test_sets_are_judged_by_the_majority_of_their_images():
    whole = encoded("clip")
    empty = flow.empty_prompt(encoder("clip"), whole)
    item = flow.one_item(whole.tokens, "pool")
    carrier = int(item.positions[-1])

    def draw(states):
        shows = np.array_equal(states.states[carrier], whole.states[carrier])
        assert states.pooled is empty.pooled
        return [shows, shows, False]

    made = flow.judge_sets(
        whole,
        empty,
        flow.keep_sets(whole.tokens, ["pool"]),
        "a pool",
        draw,
        lambda image, concept: flow.Verdict(concept, 0.9 if image else 0.1),
    )
    singles = {name: seen for name, seen in made.visible.items() if name.startswith("pool: ") and "random" not in name}
    assert [name for name, seen in singles.items() if seen] == [name for name in singles if f"({carrier})" in name]
    assert made.visible["everything"]
    assert not made.visible["pads"]
    assert not any(seen for (name, seen), drawn in zip(made.visible.items(), made.control, strict=True) if drawn)
    assert made.probability.shape == (len(made.sets), 3)
    assert {"sets", "images", "probability"} <= set(made.to_frame().columns)


@pytest.mark.filterwarnings("ignore")
def test_a_real_pipeline_makes_the_same_image_of_the_states_and_of_the_prompt():
    diffusers = pytest.importorskip("diffusers")
    model, own = parts("clip")
    sizes = {"block_out_channels": (32, 64)}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        unet = diffusers.UNet2DConditionModel(
            **sizes,
            layers_per_block=1,
            sample_size=8,
            down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
            up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
            cross_attention_dim=32,
        )
        kinds = {"down_block_types": ("DownEncoderBlock2D",) * 2, "up_block_types": ("UpDecoderBlock2D",) * 2}
        decoder = diffusers.AutoencoderKL(**sizes, **kinds)
    pipeline = diffusers.StableDiffusionPipeline(
        decoder, model, own, unet, diffusers.DDIMScheduler(), None, None, requires_safety_checker=False
    )
    pipeline.set_progress_bar_config(disable=True)
    whole, settings = encoded("clip"), {"num_inference_steps": 2, "guidance_scale": 4.0, "height": 16, "width": 16}
    np.testing.assert_array_equal(pipeline.encode_prompt(PROMPT, "cpu", 1, False)[0][0].detach(), whole.states)
    expected = pipeline(PROMPT, generator=torch.Generator().manual_seed(42), **settings).images[0]
    (made,) = flow.images_from(pipeline, whole, seeds=(42,), **settings)
    np.testing.assert_array_equal(np.asarray(made), np.asarray(expected))
    (less,) = flow.images_from(
        pipeline, flow.mixed(whole, flow.empty_prompt(encoder("clip"), whole), [3]), seeds=(42,), **settings
    )
    assert not np.array_equal(np.asarray(less), np.asarray(expected))
