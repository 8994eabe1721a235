"""Many questions at once, without recording: left-padded batches, each picture opened and encoded once per batch."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from PIL import Image
from transformers.modeling_outputs import BaseModelOutputWithPooling

from explore.frame_times import FrameTimes
from explore.models.families.base import Family
from explore.models.generation import checked_layers, generate_batch
from explore.models.guards import cancel_check
from explore.models.info import ModelInfo
from explore.models.inputs import processed
from explore.models.processor_calls import called_together
from explore.models.prompts import Prompt, PromptWriter
from explore.models.requests import opened, require_room, room_of
from explore.runs import Report


@dataclass(frozen=True, eq=False)
class _Shown:
    """The pictures or the film of one or several questions, processed once.

    Parameters
    ----------
    pictures
        Upright and RGB.
    times
        When they were taken, if they are frames of a film.
    tensors
        What the processor made of them, without what it made of the text.
    replacements
        What each placeholder of a prompt is expanded to, None where the processor does not say.
    visual
        How many visual tokens they are.
    """

    pictures: tuple[Image.Image, ...]
    times: FrameTimes | None
    tensors: dict[str, Any]
    replacements: tuple[str, ...] | None
    visual: int


def batched_answers(
    family: Family,
    writer: PromptWriter,
    info: ModelInfo,
    pairs: list[tuple[Any, str]],
    max_new_tokens: int,
    batch_size: int,
    progress: Report | None,
) -> list[str]:
    """Answers to (image, question) pairs, in their order; see `explore.models.runner.Runner.answers`.

    The pairs are a list, which keeps every picture alive: their identities tell them apart.
    """
    order = _by_picture(pairs)
    found, known = [""] * len(pairs), dict[Any, _Shown]()
    with checked_layers(family.layers, cancel_check(progress)):
        for start in range(0, len(order), batch_size):
            batch = order[start : start + batch_size]
            keys = [_key(pairs[index][0]) for index in batch]
            # Only pictures of this batch stay: a thousand open photos would not fit in memory.
            known = {key: known[key] for key in keys if key in known}
            prompts = []
            for key, index in zip(keys, batch, strict=True):
                if key not in known:
                    known[key] = _process(family, writer, *opened(family, pairs[index][0]))
                prompts.append(_written(writer, pairs[index][1], known[key].pictures, known[key].times))
            answers: list[str] = []
            for tensors in _inputs(family, prompts, [known[key] for key in keys]):
                room = [room_of(info, int(length)) for length in tensors["attention_mask"].sum(1)]
                require_room(info, tensors["input_ids"].shape[1])
                answers += generate_batch(family, tensors, max_new_tokens, room)
            for index, answer in zip(batch, answers, strict=True):
                found[index] = answer
            if progress is not None:
                done = start + len(batch)
                progress(done / len(order), f"{done} of {len(order)} questions")
    return found


def _by_picture(pairs: Sequence[tuple[Any, str]]) -> list[int]:
    """Indices with those of one picture side by side, pictures in order of their first question."""
    first: dict[Any, int] = {}
    for index, (image, _) in enumerate(pairs):
        first.setdefault(_key(image), index)
    return sorted(range(len(pairs)), key=lambda index: (first[_key(pairs[index][0])], index))


def _key(image: Any) -> Any:
    if isinstance(image, os.PathLike):
        return os.fspath(image)
    return image if isinstance(image, str | bytes) else id(image)


def _written(writer: PromptWriter, question: str, pictures: Sequence[Image.Image], times: FrameTimes | None) -> Prompt:
    return writer.write(question, len(pictures)) if times is None else writer.write(question, 1, film=True)


def _process(
    family: Family, writer: PromptWriter, pictures: tuple[Image.Image, ...], times: FrameTimes | None
) -> _Shown:
    prompt = _written(writer, "?", pictures, times)
    made = processed(family, prompt, pictures, times, return_text_replacement_offsets=True)
    replaced = made.pop("text_replacement_offsets", None)
    length = made["input_ids"].shape[-1]
    per_token = {name for name in made if name.endswith("_ids") or name == "attention_mask"}
    tensors = {name: each for name, each in made.items() if name not in per_token or each.shape[-1] != length}
    # A film's placeholder may expand to times written out; its questions go one after the other.
    expanded = tuple(each["replacement"] for each in replaced[0]) if replaced and times is None else None
    return _Shown(pictures, times, tensors, expanded, family.visual_count(made))


def _inputs(family: Family, prompts: list[Prompt], shown: list[_Shown]) -> Iterator[dict[str, Any]]:
    """The model's inputs for one batch: shared image features where the family has them, else pixels per prompt.

    Processors of an older make, which do not say what they expand, pad in ways of their own: on the right, or without
    moving what stands beside the tokens. There one prompt comes after the other.
    """
    if any(each.replacements is None for each in shown):
        yield from _one_by_one(family, prompts, shown)
        return
    features = _features(family, list(dict.fromkeys(shown))) if family.marks_pictures else None
    if features is None:
        yield from _own_pixels(family, prompts, shown)
        return
    made = family.processor.tokenizer(
        [_expanded(family, prompt, each.replacements) for prompt, each in zip(prompts, shown, strict=True)],
        return_tensors="pt",
        padding=True,
        padding_side="left",
        add_special_tokens=prompts[0].add_special,
        return_token_type_ids=False,
    )
    rows: Any = [feature for each in shown for feature in features[each]]
    if isinstance(features[shown[0]], torch.Tensor):
        rows = torch.stack(rows)
    yield {**family.on_device(made), "mm_encoder_outputs": {"image": BaseModelOutputWithPooling(pooler_output=rows)}}


def _features(family: Family, unique: list[_Shown]) -> dict[_Shown, Any] | None:
    """Projected features of the pictures, each picture encoded once; None if the family does not share them."""
    if any(not isinstance(value, torch.Tensor) for each in unique for value in each.tensors.values()):
        return None  # pictures of several shapes, which come in lists
    if len({tuple((name, value.shape[1:]) for name, value in each.tensors.items()) for each in unique}) > 1:
        return None  # each has a canvas of its own, or parts that others lack
    joined = {name: torch.cat([each.tensors[name] for each in unique]) for name in unique[0].tensors}
    features = family.image_features(family.on_device(joined))
    if features is None:
        return None
    found, at = dict[_Shown, Any](), 0
    for each in unique:
        found[each] = features[at : at + len(each.pictures)]
        at += len(each.pictures)
    return found


def _expanded(family: Family, prompt: Prompt, replacements: Sequence[str] | None) -> str:
    """The prompt with its placeholders expanded as the processor expands them."""
    parts = prompt.text.split(str(family.processor.image_token))
    return "".join(part + tail for part, tail in zip(parts, [*(replacements or ()), ""], strict=True))


def _own_pixels(family: Family, prompts: list[Prompt], shown: list[_Shown]) -> Iterator[dict[str, Any]]:
    made = called_together(family, prompts, [each.pictures for each in shown], [each.visual for each in shown])
    if made is None:
        yield from _one_by_one(family, prompts, shown)
    else:
        yield family.on_device(made)


def _one_by_one(family: Family, prompts: list[Prompt], shown: list[_Shown]) -> Iterator[dict[str, Any]]:
    for prompt, each in zip(prompts, shown, strict=True):
        yield family.on_device(processed(family, prompt, each.pictures, each.times))
