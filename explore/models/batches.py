"""Many questions at once, without recording: left-padded batches, each picture opened and encoded once per batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from PIL import Image
from transformers.modeling_outputs import BaseModelOutputWithPooling

from explore.errors import ParameterError
from explore.models.families.base import Family
from explore.models.generation import checked_layers, generate_batch
from explore.models.guards import cancel_check
from explore.models.info import ModelInfo
from explore.models.pictures import open_pictures
from explore.models.prompts import Prompt, PromptWriter
from explore.models.requests import require_room
from explore.runs import Report


@dataclass
class _Shown:
    """The pictures of one or several questions, processed."""

    pictures: tuple[Image.Image, ...]
    tensors: dict[str, Any] | None = None
    replacements: tuple[str, ...] = ()


def batched_answers(
    family: Family,
    writer: PromptWriter,
    info: ModelInfo,
    pairs: Sequence[tuple[Any, str]],
    max_new_tokens: int,
    batch_size: int,
    progress: Report | None,
) -> list[str]:
    """Answers to (image, question) pairs, in their order; see `explore.models.runner.Runner.answers`."""
    if batch_size < 1 or max_new_tokens < 1:
        raise ParameterError(
            f"batch_size={batch_size} and max_new_tokens={max_new_tokens} were given", "Both are at least 1."
        )
    order = _by_picture(pairs)
    found, done = [""] * len(pairs), 0
    shown: dict[Any, _Shown] = {}
    with checked_layers(family.layers, cancel_check(progress)):
        for start in range(0, len(order), batch_size):
            batch = order[start : start + batch_size]
            keys = [_key(pairs[index][0]) for index in batch]
            # Only pictures of this batch stay: a thousand open photos would not fit in memory.
            shown = {key: shown[key] for key in keys if key in shown}
            for key, index in zip(keys, batch, strict=True):
                if key not in shown:
                    shown[key] = _Shown(open_pictures(pairs[index][0]))
            prompts = [
                writer.write(pairs[index][1], len(shown[key].pictures)) for key, index in zip(keys, batch, strict=True)
            ]
            tensors = _batch(family, prompts, [shown[key] for key in keys])
            require_room(info, tensors["input_ids"].shape[1])
            for index, answer in zip(batch, generate_batch(family, tensors, max_new_tokens), strict=True):
                found[index] = answer
            done += len(batch)
            if progress is not None:
                progress(done / len(order), f"{done} of {len(order)} questions")
    return found


def _by_picture(pairs: Sequence[tuple[Any, str]]) -> list[int]:
    """Indices with those of one picture side by side, pictures in order of their first question."""
    first: dict[Any, int] = {}
    for index, (image, _) in enumerate(pairs):
        first.setdefault(_key(image), index)
    return sorted(range(len(pairs)), key=lambda index: (first[_key(pairs[index][0])], index))


def _key(image: Any) -> Any:
    return image if isinstance(image, str | bytes) else id(image)


def _batch(family: Family, prompts: list[Prompt], shown: list[_Shown]) -> dict[str, Any]:
    """The model's inputs for one batch: shared image features where the family has them, else pixels per prompt."""
    unique = list({id(each): each for each in shown}.values())
    for each in unique:
        if each.tensors is None:
            _process(family, prompts[shown.index(each)], each)
    joined = {
        name: torch.cat([each.tensors[name] for each in unique if each.tensors is not None])
        for name in unique[0].tensors or {}
        if unique[0].tensors and isinstance(unique[0].tensors[name], torch.Tensor)
    }
    features = family.image_features(family.on_device(joined))
    if features is None:
        return _own_pixels(family, prompts, shown)
    of: dict[int, list[torch.Tensor]] = {}
    for each in unique:
        of[id(each)], features = features[: len(each.pictures)], features[len(each.pictures) :]
    texts = [_expanded(family, prompt, each.replacements) for prompt, each in zip(prompts, shown, strict=True)]
    made = family.processor.tokenizer(
        texts,
        return_tensors="pt",
        padding=True,
        padding_side="left",
        add_special_tokens=prompts[0].add_special,
        return_token_type_ids=False,
    )
    rows = [feature for each in shown for feature in of[id(each)]]
    return {
        **family.on_device(made),
        "mm_encoder_outputs": {"image": BaseModelOutputWithPooling(pooler_output=rows)},
    }


def _process(family: Family, prompt: Prompt, shown: _Shown) -> None:
    made = dict(
        family.processor(
            text=[prompt.text],
            images=list(shown.pictures),
            return_tensors="pt",
            return_text_replacement_offsets=True,
        )
    )
    shown.replacements = tuple(each["replacement"] for each in made.pop("text_replacement_offsets")[0])
    length = made["input_ids"].shape[-1]
    per_token = {name for name, value in made.items() if name.endswith("_ids") or name == "attention_mask"}
    shown.tensors = {name: value for name, value in made.items() if name not in per_token or value.shape[-1] != length}


def _expanded(family: Family, prompt: Prompt, replacements: Sequence[str]) -> str:
    token = str(family.processor.image_token)
    parts = prompt.text.split(token)
    return "".join(
        part + (replacements[index] if index < len(replacements) else "") for index, part in enumerate(parts)
    )


def _own_pixels(family: Family, prompts: list[Prompt], shown: list[_Shown]) -> dict[str, Any]:
    made = family.processor(
        text=[prompt.text for prompt in prompts],
        images=[list(each.pictures) for each in shown],
        return_tensors="pt",
        padding=True,
        padding_side="left",
        add_special_tokens=prompts[0].add_special,
    )
    return family.on_device(dict(made))
