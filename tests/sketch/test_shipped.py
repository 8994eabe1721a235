"""What ships: stock classes, small files, a grid of 12 x 12, a decoder that the frozen checkpoint left alone."""

import json

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForImageTextToText, AutoProcessor, LlavaForConditionalGeneration

from explore.sketch.scenes import scene
from explore.sketch.training.shipping import SHIPPED, WEIGHTS


def test_all_checkpoints_together_stay_under_32_megabytes() -> None:
    files = list(WEIGHTS.rglob("*.safetensors"))
    assert len(files) == len(SHIPPED)
    assert sum(path.stat().st_size for path in files) <= 32e6


@pytest.mark.parametrize("name", SHIPPED.values())
def test_a_checkpoint_is_an_ordinary_llava_folder(name: str) -> None:
    model = AutoModelForImageTextToText.from_pretrained(WEIGHTS / name)
    processor = AutoProcessor.from_pretrained(WEIGHTS / name)
    assert type(model) is LlavaForConditionalGeneration
    assert processor.tokenizer.is_fast
    messages = [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "What is this?"}]}]
    prompt = processor.apply_chat_template(messages, add_generation_prompt=True)
    assert prompt == "USER: <image>\nWhat is this? ASSISTANT:"
    inputs = processor(images=[scene(seed=3).image], text=prompt, return_tensors="pt")
    assert int((inputs.input_ids == model.config.image_token_id).sum()) == 144
    with torch.inference_mode():
        assert model(**inputs).logits.isfinite().all()


def test_the_two_checkpoints_differ_in_every_part() -> None:
    default, frozen = (load_file(WEIGHTS / name / "model.safetensors") for name in ("default", "frozen"))
    assert default.keys() == frozen.keys()
    for part in ("vision_tower", "multi_modal_projector", "language_model"):
        keys = [key for key in default if part in key]
        assert keys
        assert any(not torch.equal(default[key], frozen[key]) for key in keys)


def test_the_cost_of_the_training_is_on_record() -> None:
    for name in SHIPPED.values():
        costs = json.loads((WEIGHTS / name / "training.json").read_text())
        assert costs.keys() >= {"tower", "text", "frozen"}
        assert all(entry["steps"] > 0 and entry["seconds"] > 0 for entry in costs.values())
