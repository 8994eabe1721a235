"""What the contract is run on: every family of the zoo that is not refused, its runner, pictures and features."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeAlias

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from explore.models.attention import _attention_configs
from explore.models.decoder_inputs import caught_inputs as catch
from explore.models.families import REFUSED
from explore.models.inputs import PromptInputs, prepare
from explore.models.runner import Runner
from explore.models.videos import Video
from explore.trace import Trace
from tests.zoo import ZOO

_ATTENTION_OUTPUTS = ("o_proj", "out_proj", "proj", "wo", "dense", "projection_layer", "linear")
QUESTION = "what is the colour of this?"
SIZES = ((40, 30), (30, 64), (101, 67))
Shown: TypeAlias = Sequence[Image.Image] | Video
SUPPORTED = [name for name in ZOO if name not in REFUSED]


@functools.cache
def runner_of(name: str) -> Runner:
    """The family's runner, shared by the tests that only look."""
    model, processor = ZOO[name].build()
    return Runner(model, processor, checkpoint=f"zoo/{name}")


def noise(width: int, height: int, seed: int = 0) -> Image.Image:
    """A picture of random pixels."""
    values = np.random.default_rng((width, height, seed)).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(values)


def pictures_of(name: str, *sizes: tuple[int, int]) -> list[Image.Image]:
    """Pictures of these sizes, only the first where a prompt of this family holds one, or that as frames of a film."""
    if ZOO[name].frames:
        return [noise(*sizes[0], seed=seed) for seed in range(ZOO[name].frames)]
    return [noise(*size) for size in (sizes if ZOO[name].several else sizes[:1])]


@functools.cache
def trace_of(name: str) -> Trace:
    """A short recorded answer about two pictures (or one)."""
    from explore.models.plans import RecordingPlan

    plan = RecordingPlan(attention="all")
    return runner_of(name).ask(pictures_of(name, (40, 30), (30, 64)), QUESTION, max_new_tokens=4, record=plan)


@contextmanager
def tower_without_attention(runner: Runner) -> Iterator[None]:
    """A vision tower in which no patch hears of another by attention, so that pixels reach only their own tokens."""
    own = runner._family.vision_tower
    films = [each for name, each in runner._family.model.named_modules() if name.endswith("video_tower")]
    towers = [*films, *([] if own is None else [own])]
    silenced = [
        values
        for each in towers
        for name, values in each.named_parameters()
        if "att" in name.rpartition(".")[0].lower() and name.split(".")[-2] in _ATTENTION_OUTPUTS
    ]
    before = [values.detach().clone() for values in silenced]
    with torch.no_grad():
        for values in silenced:
            values.zero_()
    try:
        yield
    finally:
        with torch.no_grad():
            for values, old in zip(silenced, before, strict=True):
                values.copy_(old)


@contextmanager
def eager(model: Any) -> Iterator[None]:
    """The library's own eager attention in a submodel."""
    configs = _attention_configs(model)
    before = [config._attn_implementation for config in configs]
    for config in configs:
        config._attn_implementation_internal = "eager"
    try:
        yield
    finally:
        for config, old in zip(configs, before, strict=True):
            config._attn_implementation_internal = old


def decoder_inputs(runner: Runner, pictures: Shown) -> Tensor:
    """All that the decoder is given, (positions, numbers): embeddings, and features that enter between its layers."""
    family, made = runner._family, prepared(runner, pictures)
    visual = torch.from_numpy(family.visual_mask(made.ids, made.tensors))
    caught = catch(family, family.on_device(made.tensors))
    count = int(visual.sum())
    embeds = caught.pop("inputs_embeds").detach()[0]
    deep = torch.zeros(len(embeds), 0)
    for value in _tensors(caught):
        rows = value.detach().reshape(-1, value.shape[-1]) if value.ndim > 1 else value
        if value.is_floating_point() and value.ndim > 1 and len(rows) == count and value.shape[-1] > 4:
            spread = torch.zeros(len(embeds), rows.shape[-1])
            spread[visual] = rows.float()
            deep = torch.cat([deep, spread], dim=-1)
    return torch.cat([embeds, deep], dim=-1)


def visual_inputs(runner: Runner, pictures: Shown) -> Tensor:
    """`decoder_inputs` at the visual positions, (visual_tokens, numbers)."""
    made = prepared(runner, pictures)
    return decoder_inputs(runner, pictures)[torch.from_numpy(runner._family.visual_mask(made.ids, made.tensors))]


def prepared(runner: Runner, pictures: Shown) -> PromptInputs:
    """The question about pictures or a film, as the processor makes it."""
    if isinstance(pictures, Video):
        prompt = runner._writer.write(QUESTION, 1, film=True)
        return prepare(runner._family, prompt, pictures.frames, pictures.times)
    return prepare(runner._family, runner._writer.write(QUESTION, len(pictures)), pictures)


def planted(picture: Image.Image, box: np.ndarray) -> Image.Image | None:
    """The picture with the middle of a box repainted; None where part of that lies outside the picture."""
    x0, y0, x1, y1 = box
    inner = (x0 + 0.25 * (x1 - x0), y0 + 0.25 * (y1 - y0), x1 - 0.25 * (x1 - x0), y1 - 0.25 * (y1 - y0))
    left, top, right, bottom = np.rint(inner).astype(int)
    right, bottom = max(right, left + 1), max(bottom, top + 1)
    if left < 0 or top < 0 or right > picture.width or bottom > picture.height:
        return None
    values = np.array(picture)
    values[top:bottom, left:right] = 255 - values[top:bottom, left:right]
    values[top:bottom, left:right] = np.where(values[top:bottom, left:right] > 127, 255, 0)
    return Image.fromarray(values)


def _tensors(value: Any) -> list[Tensor]:
    if isinstance(value, Tensor):
        return [value]
    if isinstance(value, dict):
        return [each for part in value.values() for each in _tensors(part)]
    if isinstance(value, (list, tuple)):
        return [each for part in value for each in _tensors(part)]
    return []
