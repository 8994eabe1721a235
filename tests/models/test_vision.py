"""Signals of the vision tower against eager attention and the library's own states."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from explore.errors import ParameterError
from explore.models.plans import RecordingPlan
from explore.models.runner import Runner
from tests.tiny import tiny_llava

ALL = RecordingPlan(hidden="none", attention="none", vision=("cls_attention", "keys", "features"))


def noise(seed: int) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (40, 50, 3), np.uint8))


@pytest.mark.parametrize("count", [1, 2])
def test_signals_equal_the_eager_tower(count: int) -> None:
    model, processor = tiny_llava(seed=3)
    runner = Runner(model, processor)
    images = [noise(each) for each in range(count)]
    found = runner.ask(images, "what?", max_new_tokens=2, record=ALL).vision

    tower = model.model.vision_tower
    pixels = processor.image_processor(images, return_tensors="pt")["pixel_values"]
    keys: list[torch.Tensor] = []
    handles = [
        layer.self_attn.k_proj.register_forward_hook(lambda module, args, output: keys.append(output))
        for layer in tower.encoder.layers
    ]
    tower.set_attn_implementation("eager")
    with torch.inference_mode():
        made = tower(pixels, output_attentions=True, output_hidden_states=True)
    for handle in handles:
        handle.remove()

    rows = torch.stack([weights[:, :, 0, 1:] for weights in made.attentions])  # layers, images, heads, patches
    wanted = rows.permute(0, 2, 1, 3).reshape(3, 3, count * 16)
    np.testing.assert_allclose(found["cls_attention"], wanted, atol=1e-6)
    stacked = torch.stack(keys)[:, :, 1:].reshape(3, count, 16, 3, 8)  # layers, images, patches, heads, width
    np.testing.assert_allclose(found["keys"], stacked.permute(0, 3, 1, 2, 4).reshape(3, 3, count * 16, 8), atol=1e-5)
    np.testing.assert_allclose(found["features"], made.hidden_states[-2][:, 1:].reshape(count * 16, 24), atol=1e-5)


def test_only_what_was_asked_for_is_kept() -> None:
    runner = Runner(*tiny_llava())
    for name, shape in (("cls_attention", (3, 3, 16)), ("keys", (3, 3, 16, 8)), ("features", (16, 24))):
        trace = runner.ask(noise(0), "what?", max_new_tokens=1, record=RecordingPlan(vision=(name,)))
        assert {key: values.shape for key, values in trace.vision.items()} == {name: shape}
        assert runner.read(noise(0), "what?", "a", record=RecordingPlan(vision=(name,))).vision[name].shape == shape


def test_tower_and_text_are_recorded_side_by_side() -> None:
    runner = Runner(*tiny_llava())
    both = runner.ask(noise(0), "what?", max_new_tokens=3, record=RecordingPlan(attention="all", vision=ALL.vision))
    text = runner.ask(noise(0), "what?", max_new_tokens=3, record=RecordingPlan(attention="all"))
    for layer in range(2):
        np.testing.assert_array_equal(both.attention(layer), text.attention(layer))
    assert both.vision.keys() == set(ALL.vision)


def test_a_tower_without_class_token_has_no_class_attention() -> None:
    model, processor = tiny_llava(vision="siglip")
    runner = Runner(model, processor)
    assert runner.info.vision is not None
    assert not runner.info.vision.cls
    with pytest.raises(ParameterError, match="no class token"):
        runner.ask(noise(0), "what?", max_new_tokens=1, record=RecordingPlan(vision=("cls_attention",)))
    trace = runner.ask(noise(0), "what?", max_new_tokens=1, record=RecordingPlan(vision=("keys", "features")))
    assert trace.vision["keys"].shape == (3, 3, 16, 8)
    assert trace.vision["features"].shape == (16, 24)
