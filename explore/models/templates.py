"""Conversations as a checkpoint was trained to read them: by its chat template, or plainly where it has none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from jinja2 import TemplateError

from explore.errors import CheckpointError
from explore.models.histories import History


@dataclass(frozen=True)
class Conversation:
    """What is said before an answer.

    Parameters
    ----------
    question
        The user's words.
    system
        Text of the system turn, None where there is none.
    history
        The turns before.
    """

    question: str
    system: str | None = None
    history: History = ()


class Template:
    """Renders conversations for one processor; pictures stand in the first of the user's turns.

    Parameters
    ----------
    processor
        A transformers processor with a tokenizer and, mostly, a chat template.
    plain
        Writes the prompt where there is no template, from placeholders, question and system text.
    candidates
        What may stand for a picture; none where the processor puts pictures in by itself.
    part
        What a template calls what is shown, "image" or "video".
    """

    def __init__(
        self,
        processor: Any,
        plain: Callable[[str, str, str | None], str],
        candidates: tuple[str, ...],
        part: str = "image",
    ) -> None:
        own = getattr(processor, "chat_template", None)
        self._template = own or getattr(processor.tokenizer, "chat_template", None)
        self._processor, self._plain, self._candidates, self._part = processor, plain, candidates, part
        self._listed = True  # whether the template takes content as a list of parts
        self.image_token = candidates[0] if candidates else ""

    @property
    def chats(self) -> bool:
        """Whether there is a chat template; base models have none."""
        return self._template is not None

    def fitted(self, said: Conversation, images: int) -> str:
        """The rendered conversation, in whichever form of content and placeholder the template understands.

        Raises
        ------
        CheckpointError
            There is none in which the question stands once and every picture has its placeholder.
        """
        text = self.render(said, images)
        if self._listed and not self._complete(text, said, images):
            self._listed = False  # an older template that wants the content as one string
            text = self.render(said, images)
        if self._complete(text, said, images):
            return text
        raise CheckpointError(
            f"For {images} {self._part}s and one question the checkpoint's chat template made "
            f"{text.count(self.image_token or said.question)} placeholders and {text.count(said.question)} places",
            "It must make one for each.",
            f"Use an instruction-tuned checkpoint with a template for {self._part}s.",
        )

    def render(self, said: Conversation, images: int, answer: str | None = None) -> str:
        """The prompt, up to where an answer begins; or with this answer given.

        Raises
        ------
        CheckpointError
            The template fails, or there is none and turns before the question would need one.
        """
        if not self.chats:
            return self._plainly(said, images, answer)
        try:
            rendered = self._processor.apply_chat_template(
                self._messages(said, images, answer),
                chat_template=self._template,
                tokenize=False,
                add_generation_prompt=answer is None,
            )
        except (TemplateError, TypeError, ValueError) as error:
            raise CheckpointError(
                f"The checkpoint's chat template failed: {error}",
                "",
                "Its authors may allow fewer images, no system text or no earlier turns; else use another checkpoint.",
            ) from error
        return str(rendered)

    def _plainly(self, said: Conversation, images: int, answer: str | None) -> str:
        if said.history:
            raise CheckpointError(
                "A history was given to a checkpoint without a chat template",
                "Such a base model goes on from one text: it was never taught where a turn ends.",
                "Write the earlier turns into the question yourself, or load an instruction-tuned checkpoint.",
            )
        pictures = f"{self.image_token}\n" * images if self.image_token else ""
        prompt = self._plain(pictures, said.question, said.system)
        return prompt if answer is None else f"{prompt} {answer}"

    def _messages(self, said: Conversation, images: int, answer: str | None) -> list[dict[str, Any]]:
        spoken = [text for turn in said.history for text in turn]
        spoken += [said.question] if answer is None else [said.question, answer]
        messages = [
            {"role": ("user", "assistant")[number % 2], "content": self._content(text, 0 if number else images)}
            for number, text in enumerate(spoken)
        ]
        if said.system is not None:
            messages.insert(0, {"role": "system", "content": self._content(said.system, 0)})
        return messages

    def _content(self, text: str, images: int) -> str | list[dict[str, str]]:
        if self._listed:
            return [*({"type": self._part} for _ in range(images)), {"type": "text", "text": text}]
        return f"{self.image_token}\n" * images + text

    def _complete(self, text: str, said: Conversation, images: int) -> bool:
        """Whether a rendered prompt has one place for the question and one for every picture."""
        # Without a placeholder the processor itself puts the pictures in.
        for token in self._candidates if images else ():
            if text.count(token) == images:
                self.image_token = token
                break
        return text.count(said.question) == 1 and (not self.image_token or text.count(self.image_token) == images)


def placeholders_of(processor: Any) -> tuple[str, ...]:
    """What may stand for a picture in a prompt; none where the processor puts pictures in by itself.

    Most templates write the image token. Gemma's processor looks for the start of a picture and writes soft tokens
    behind it, Qianfan's for a name of its own.
    """
    names = ("image_token", "boi_token", "image_placeholder_token")
    return _texts(processor, names)


def film_placeholders_of(processor: Any) -> tuple[str, ...]:
    """What may stand for a film in a prompt; none where the processor takes no films."""
    return _texts(processor, ("video_token",)) if getattr(processor, "video_processor", None) is not None else ()


def _texts(processor: Any, names: tuple[str, ...]) -> tuple[str, ...]:
    found = [getattr(processor, name, None) for name in names]
    return tuple(dict.fromkeys(each for each in found if isinstance(each, str) and each))
