"""A question on its way to the model: pictures opened, prompt written, positions named, identity hashed."""

from __future__ import annotations

import math
import operator
import sys
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from functools import cached_property
from typing import Any

from PIL import Image

from explore.errors import ContextLengthError, ImageInputError, ParameterError, QuestionError
from explore.frame_times import FrameTimes
from explore.layout import Role
from explore.models.families.base import Family
from explore.models.fingerprints import digest
from explore.models.generation import end_ids
from explore.models.histories import History, checked_history
from explore.models.info import ModelInfo
from explore.models.inputs import PromptInputs, prepare
from explore.models.pictures import open_pictures, picture_hash
from explore.models.plans import RecordingPlan
from explore.models.prompts import Prompt, PromptWriter
from explore.models.videos import Video

_REMEMBERED = 256


@dataclass(frozen=True)
class Request:
    """One question about one or several pictures, or about the frames of a film, ready to run."""

    question: str
    prompt: Prompt
    pictures: tuple[Image.Image, ...]
    inputs: PromptInputs
    system: str | None = None
    history: History = ()
    times: FrameTimes | None = None

    @cached_property
    def hashes(self) -> list[str]:
        """One hash per picture."""
        return [picture_hash(picture) for picture in self.pictures]

    @cached_property
    def key(self) -> str:
        """Hash of everything the model is fed."""
        film = [] if self.times is None else [astuple(self.times)]
        return digest([self.prompt.text, self.inputs.ids.tolist(), self.hashes, *film])


def make_request(
    family: Family, writer: PromptWriter, image: Any, question: str, system: str | None, history: Any = None
) -> Request:
    """Open the pictures, write the prompt, and name its positions.

    Raises
    ------
    ImageInputError, QuestionError, CheckpointError
        One of them cannot be done.
    ParameterError
        The history is no list of pairs of text.
    """
    before = checked_history(history)
    pictures, times = opened(family, image)
    prompt = writer.write(question, len(pictures) if times is None else 1, system, before, film=times is not None)
    inputs = prepare(family, prompt, pictures, times)
    if not len(inputs.positions(Role.QUESTION)):
        raise QuestionError(
            f"The question {question!r} has no token in the model's vocabulary", "", "Ask in words the model can read."
        )
    return Request(question.strip(), prompt, pictures, inputs, system, before, times)


def opened(family: Family, image: Any) -> tuple[tuple[Image.Image, ...], FrameTimes | None]:
    """Pictures, or the frames of a film and their times, as many as the family's prompts hold.

    Raises
    ------
    ImageInputError
        One cannot be read, or they are too many or too few.
    CheckpointError
        A film for a family that takes none.
    """
    pictures, times = _opened(image)
    if times is not None:
        family.require_films()
    _require_pictures(family, len(pictures))
    return pictures, times


def _opened(image: Any) -> tuple[tuple[Image.Image, ...], FrameTimes | None]:
    if isinstance(image, list | tuple) and len(image) == 1 and isinstance(image[0], Video):
        image = image[0]
    if isinstance(image, Video):
        return image.frames, image.times
    if isinstance(image, list | tuple) and any(isinstance(each, Video) for each in image):
        raise ImageInputError(
            f"A list of {len(image)} with a film in it was given",
            "A prompt has one film, or one or several pictures.",
            "Join the films' frames into one Video, or take single frames as pictures.",
        )
    return open_pictures(image), None


def _require_pictures(family: Family, count: int) -> None:
    if family.pictures in (None, count):
        return
    wanted = "one picture" if family.pictures == 1 else f"{family.pictures} frames of one film"
    raise ImageInputError(
        f"{count} pictures were given to {type(family.model).__name__}",
        f"Its prompt holds {wanted}.",
        "Ask about each of them alone." if family.pictures == 1 else "Give explore.Video([frame, ...], fps=1).",
    )


def checked_count(name: str, value: Any) -> int:
    """A number of at least one.

    Raises
    ------
    ParameterError
        It is not a whole number, or less.
    """
    try:
        count = operator.index(value)
    except TypeError:
        count = 0
    if count < 1:
        raise ParameterError(f"{name}={value!r} was given", "It is a whole number, at least 1.")
    return count


def checked_plan(record: Any) -> RecordingPlan:
    """The plan of a run; None means the default one.

    Raises
    ------
    ParameterError
        Something else than a plan was given.
    """
    if record is None:
        return RecordingPlan()
    if not isinstance(record, RecordingPlan):
        raise ParameterError(
            f"record={record!r} was given", "It is a RecordingPlan or None.", 'Try RecordingPlan(attention="all").'
        )
    return record


def room_of(info: ModelInfo, prompt: int) -> int:
    """How many tokens an answer behind a prompt of so many tokens may have."""
    return info.context_length - prompt if info.context_length else sys.maxsize


def require_room(info: ModelInfo, prompt: int, answer: int = 1) -> None:
    """Refuse a prompt that leaves no place in the context for its answer.

    Parameters
    ----------
    prompt, answer
        Their tokens; of an answer that is still to be made, at least one.

    Raises
    ------
    ContextLengthError
        They are too long.
    """
    if room_of(info, prompt) >= answer:
        return
    whose = "the prompt" if answer == 1 else f"the answer has {answer} tokens and the prompt"
    raise ContextLengthError(
        f"{whose[:1].upper()}{whose[1:]} has {prompt} tokens, image tokens included",
        f"The model's context holds {info.context_length} for both, of which at least one is the answer's.",
        "Shorten the answer." if answer > 1 else "Shorten the question, or use fewer or smaller pictures.",
    )


def require_budget(info: ModelInfo, plan: RecordingPlan, request: Request, new_tokens: int) -> int:
    """Bytes the recording keeps at most; refuses more than the plan's budget.

    Raises
    ------
    BudgetError
        The estimate is larger; the message names what to drop.
    """
    parts = recorded_bytes(info, plan, request, new_tokens)
    plan.require_budget(parts, info.layers)
    return parts["total"]


def recorded_bytes(info: ModelInfo, plan: RecordingPlan, request: Request, new_tokens: int) -> dict[str, int]:
    """The plan's estimate for a request."""
    queries = request.inputs.queries
    return plan.estimate(
        info,
        request.inputs.length,
        new_tokens,
        question_tokens=len(request.inputs.positions(Role.QUESTION)),
        visual_tokens=len(request.inputs.positions(Role.IMAGE)),
        queries=(sum(len(each.positions) for each in queries), sum(math.prod(each.shape) for each in queries)),
    )


class SaidAnswers:
    """Token ids of the answers a runner gave lately, by request and text.

    A model may spell a text with other tokens than its tokenizer would; reading back what it said must use the same.
    """

    def __init__(self) -> None:
        self._ids: OrderedDict[tuple[str, str], list[int]] = OrderedDict()

    def remember(self, request: Request, answer: str, ids: list[int]) -> None:
        """Keep the tokens of an answer; the oldest are forgotten."""
        self._ids[request.key, answer] = ids
        self._ids.move_to_end((request.key, answer))
        while len(self._ids) > _REMEMBERED:
            self._ids.popitem(last=False)

    def ids_of(self, family: Family, request: Request, answer: str | Sequence[int], vocab: int) -> list[int]:
        """Token ids of a given answer: as it was said, else as it would go on after the prompt, with an end token.

        Raises
        ------
        ParameterError
            Neither text nor ids were given, or an id is outside the vocabulary, or there is none.
        """
        if not isinstance(answer, str):
            try:
                ids = [operator.index(each) for each in answer]
            except TypeError:
                raise ParameterError(
                    f"The answer was given as {answer!r:.80}", "An answer is text or a list of token ids."
                ) from None
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
