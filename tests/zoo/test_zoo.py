"""Every animal runs: its processor's placeholders fit its model, logits are finite, generation agrees with them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from transformers.models.auto.modeling_auto import MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES

from tests.zoo import LEFT_OUT, ZOO
from tests.zoo.parts import inputs, prompt, special

families = pytest.mark.parametrize("name", ZOO)
pytestmark = pytest.mark.filterwarnings("ignore")


def test_every_family_is_here_or_says_why_not() -> None:
    assert not set(ZOO) & set(LEFT_OUT)
    assert {*ZOO, *LEFT_OUT} == set(MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES)


@families
def test_two_builds_are_alike_and_every_parameter_is_random(name: str) -> None:
    build = ZOO[name].build
    model, again = build()[0], build.__wrapped__()[0]  # type: ignore[attr-defined]
    assert model.config.model_type == name
    other = dict(again.named_parameters())
    for place, values in model.named_parameters():
        assert torch.equal(values, other[place]), place
        assert values.numel() == 1 or values.std() > 0.02, place


@families
@pytest.mark.parametrize("sizes", [[(40, 30)], [(30, 64)], [(40, 30), (30, 64)]], ids=["wide", "tall", "two"])
def test_runs_and_generates(name: str, sizes: list[tuple[int, int]]) -> None:
    entry = ZOO[name]
    model, processor = entry.build()
    if len(sizes) > 1 and not entry.several:
        sizes = sizes[:1]
    pictures = [_picture(*size) for size in sizes for _ in range(entry.frames or 1)]
    text, made = inputs(model, processor, pictures, mixed=entry.mixed, **dict.fromkeys(entry.asks, True))
    offsets, replaced = made.pop("offset_mapping", None), made.pop("text_replacement_offsets", None)
    assert _offsets(processor, text, made["input_ids"][0].tolist(), offsets, replaced) == entry.offsets
    with torch.inference_mode():
        start = {}
        if model.config.is_encoder_decoder:
            start = {"decoder_input_ids": torch.tensor([[model.generation_config.decoder_start_token_id]])}
        logits = model(**_read(model, made) if entry.cuts else made, **start).logits
        answer = model.generate(**made, max_new_tokens=3, min_new_tokens=3, do_sample=False)
    assert torch.isfinite(logits).all()
    assert logits[logits > torch.finfo(logits.dtype).min].std() > 0.1  # some models forbid tokens by the lowest number
    first = logits[0, -1].clone()
    words = processor.tokenizer
    first[words.sep_token_id if words.eos_token is None else words.eos_token_id] = -torch.inf
    assert answer[0, -3] == first.argmax()


@pytest.mark.parametrize("name", [name for name, entry in ZOO.items() if entry.video])
def test_films_run(name: str) -> None:
    entry = ZOO[name]
    model, processor = entry.build()
    frames = np.random.default_rng(3).integers(0, 256, (8, 24, 32, 3), dtype=np.uint8)
    film = {"images": list(frames[: entry.frames])} if entry.frames else {"videos": [frames]}
    made = processor(
        text=[prompt(processor, 0, films=1)],
        **film,
        return_tensors="pt",
        do_sample_frames=False,
        **dict.fromkeys(entry.asks, True),
    )
    made.pop("video_metadata", None)
    with torch.inference_mode():
        logits = model(
            **{key: value.to(model.dtype) if value.is_floating_point() else value for key, value in made.items()}
        ).logits
    assert torch.isfinite(logits).all()


def _offsets(processor: Any, text: str, ids: list[int], offsets: Any, replaced: Any) -> str:
    """Whether the processor's word about its characters leads from the prompt to the tokens."""
    if offsets is None or replaced is None:
        return "missing"
    parts, last = list[str](), 0
    for each in replaced[0] if replaced else []:  # nothing where the prompt holds every placeholder
        start, end = each["span"]
        parts += [text[last:start], each["replacement"]]
        last = end
    whole = "".join([*parts, text[last:]])
    alike = processor.tokenizer(whole, add_special_tokens=special(processor, text))["input_ids"] == ids
    return "good" if alike else "shifted"


def _read(model: Any, made: dict[str, Any]) -> dict[str, Any]:
    """What a generation that cuts the prompt reads of it."""
    ids = made["input_ids"][:, :-1].clone()
    ids[:, 0] = model.config.text_config.bos_token_id
    return made | {"input_ids": ids, "attention_mask": made["attention_mask"][:, :-1]}


def _picture(width: int, height: int) -> Image.Image:
    return Image.fromarray(np.random.default_rng(width).integers(0, 256, (height, width, 3), dtype=np.uint8))
