"""A question on its way to the model: pictures opened, prompt written, positions named, identity hashed."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from PIL import Image

from explore.errors import ContextLengthError, ParameterError, QuestionError
from explore.layout import Role
from explore.models.families.base import Family
from explore.models.fingerprints import digest
from explore.models.generation import end_ids
from explore.models.info import ModelInfo
from explore.models.inputs import PromptInputs, prepare
from explore.models.pictures import open_pictures, picture_hash
from explore.models.plans import RecordingPlan
from explore.models.prompts import Prompt, PromptWriter

_REMEMBERED = 256


@dataclass(frozen=True)
class Request:
    """One question about one or several pictures, ready to run."""

    question: str
    prompt: Prompt
    pictures: tuple[Image.Image, ...]
    inputs: PromptInputs

    @cached_property
    def hashes(self) -> list[str]:
        """One hash per picture."""
        return [picture_hash(picture) for picture in self.pictures]

    @cached_property
    def key(self) -> str:
        """Hash of everything the model is fed."""
        return digest([self.prompt.text, self.inputs.ids.tolist(), self.hashes])


def make_request(family: Family, writer: PromptWriter, image: Any, question: str, system: str | None) -> Request:
    """Open the pictures, write the prompt, and name its positions.

    Raises
    ------
    ImageInputError, QuestionError, CheckpointError
        One of them cannot be done.
    """
    pictures = open_pictures(image)
    prompt = writer.write(question, len(pictures), system)
    inputs = prepare(family, prompt, pictures)
    if not len(inputs.positions(Role.QUESTION)):
        raise QuestionError(
            f"The question {question!r} has no token in the model's vocabulary", "", "Ask in words the model can read."
        )
    return Request(question.strip(), prompt, pictures, inputs)


def require_room(info: ModelInfo, length: int) -> None:
    """Refuse a prompt that leaves no place in the context for even one answer token.

    Raises
    ------
    ContextLengthError
        It is too long.
    """
    if info.context_length and length >= info.context_length:
        raise ContextLengthError(
            f"The prompt has {length} tokens, image tokens included",
            f"The model's context holds {info.context_length}, of which at least one is needed for the answer.",
            "Shorten the question, or use fewer or smaller pictures.",
        )


def require_budget(info: ModelInfo, plan: RecordingPlan, request: Request, new_tokens: int) -> None:
    """Refuse a recording over its plan's budget.

    Raises
    ------
    BudgetError
        The estimate is larger; the message names what to drop.
    """
    parts = plan.estimate(
        info,
        request.inputs.length,
        new_tokens,
        question_tokens=len(request.inputs.positions(Role.QUESTION)),
        visual_tokens=len(request.inputs.positions(Role.IMAGE)),
    )
    plan.require_budget(parts, info.layers)


class SaidAnswers:
    """Token ids of the answers a runner gave lately, by request and text.

    A model may spell a text with other tokens than its tokenizer would; reading back what it said must use the same.
    """

    def __init__(self) -> None:
        self._ids: OrderedDict[tuple[str, str], list[int]] = OrderedDict()

    def remember(self, request: Request, answer: str, ids: list[int]) -> None:
        """Keep the tokens of an answer; the oldest are forgotten."""
        self._ids[request.key, answer] = ids
        while len(self._ids) > _REMEMBERED:
            self._ids.popitem(last=False)

    def ids_of(self, family: Family, request: Request, answer: str | Sequence[int], vocab: int) -> list[int]:
        """Token ids of a given answer: as it was said, else as it would go on after the prompt, with an end token.

        Raises
        ------
        ParameterError
            Ids were given, and one is outside the vocabulary or there is none.
        """
        if not isinstance(answer, str):
            ids = [int(each) for each in answer]
            if not ids or not all(0 <= each < vocab and each not in family.placeholder_ids for each in ids):
                raise ParameterError(
                    f"The answer was given as {len(ids)} token ids",
                    f"At least one is needed, from 0 to {vocab - 1}, and none may stand for a picture.",
                )
            return ids
        text = answer.strip()
        said = self._ids.get((request.key, text))
        if said is not None:
            return list(said)
        bridged = f"{request.prompt.bridge}{text}" if text else ""
        return [*_continued(family.processor.tokenizer, request.prompt.text, bridged), *end_ids(family)[:1]]


def _continued(tokenizer: Any, before: str, text: str) -> list[int]:
    """Token ids of `text` as it goes on after `before`; a tokenizer may treat the start of a text differently."""
    if not text:
        return []
    joint = tokenizer(before + text, add_special_tokens=False, return_offsets_mapping=True)
    offsets, edge = joint["offset_mapping"], len(before)
    first = next((index for index, (_, end) in enumerate(offsets) if end > edge), len(offsets))
    if first < len(offsets) and offsets[first][0] < edge:
        # The first token would reach back into the prompt, which is fixed already.
        found: list[int] = tokenizer(text, add_special_tokens=False)["input_ids"]
        return found
    return list(joint["input_ids"][first:])
