"""The prompt: rendered by the checkpoint's own template, with the place of the user's words known to the character.

Where the question stands is found by rendering the template a second time around a mark no text contains, never by
searching for the question's text, which may occur in the template too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from jinja2 import TemplateError

from explore.errors import CheckpointError, QuestionError
from explore.layout import Role

_MARK = "\ue0f0question\ue0f1"
_SYSTEM_MARK = "\ue0f0system\ue0f1"


@dataclass(frozen=True)
class Prompt:
    """A rendered prompt, one placeholder per image.

    Parameters
    ----------
    text
        What goes to the processor.
    spans
        (start, end, role) of the user's words and of a given system text, in characters; the rest is template.
    add_special
        Whether the tokenizer still has to add its own first token.
    bridge
        Text between the prompt and an answer, usually "" or a space.
    """

    text: str
    spans: tuple[tuple[int, int, Role], ...]
    add_special: bool
    bridge: str


class PromptWriter:
    """Writes prompts for one processor.

    Parameters
    ----------
    processor
        A transformers processor with a tokenizer and, mostly, a chat template.
    """

    def __init__(self, processor: Any) -> None:
        self._processor = processor
        self._tokenizer = processor.tokenizer
        self._template = getattr(processor, "chat_template", None) or getattr(self._tokenizer, "chat_template", None)
        self.image_token = str(getattr(processor, "image_token", "<image>"))
        self._listed = True  # whether the template takes content as a list of parts
        self._frames: dict[tuple[int, bool], tuple[str, str]] = {}

    def write(self, question: str, images: int, system: str | None = None) -> Prompt:
        """The prompt for a question about so many images.

        Raises
        ------
        QuestionError
            The question is empty, or it or the system text holds the image placeholder or a control token.
        CheckpointError
            The template cannot put a question and its images into a prompt.
        """
        question = self._checked(question)
        system = self._plain("system text", system.strip()) if system else None
        frame, bridge = self._frame(images, system is not None)
        text = self._render(question, images, system)
        marked = frame if system is None else frame.replace(_SYSTEM_MARK, system)
        start = marked.index(_MARK)
        if text != marked.replace(_MARK, question):
            raise CheckpointError(
                "The checkpoint's chat template changes the question's text",
                "",
                "Remove line breaks and markup from the question, or use a checkpoint with a plain template.",
            )
        spans = [(start, start + len(question), Role.QUESTION)]
        if system is not None:
            place = frame.index(_SYSTEM_MARK)
            place += (len(question) - len(_MARK)) * (frame.index(_MARK) < place)
            spans.append((place, place + len(system), Role.SYSTEM))
        bos = getattr(self._tokenizer, "bos_token", None)
        return Prompt(text, tuple(spans), not (bos and text.startswith(bos)), bridge)

    def _checked(self, question: str) -> str:
        if not isinstance(question, str) or not question.strip():
            raise QuestionError(
                f"The question is {question!r}", "A question is text with at least one character.", "Type a question."
            )
        return self._plain("question", question.strip())

    def _plain(self, what: str, text: str) -> str:
        """Text that means nothing to the template and the tokenizer but itself."""
        try:
            text.encode()
        except UnicodeEncodeError:
            raise QuestionError(
                f"The {what} {text!r:.60} holds half a character", "", "Type it again, or decode it as UTF-8."
            ) from None
        if self.image_token in text:
            raise QuestionError(
                f"The {what} holds {self.image_token!r}, which stands for a picture",
                "Pictures are given as the first argument and put into the prompt automatically.",
                f"Take it out of the {what}.",
            )
        # Some tokenizers pad with a plain character such as "!", which people may type.
        special = [str(token) for token in getattr(self._tokenizer, "all_special_tokens", ()) if len(str(token)) > 1]
        for mark in (*special, _MARK, _SYSTEM_MARK):
            if mark in text:
                raise QuestionError(
                    f"The {what} holds {mark!r}, which the model reads as a control token",
                    "It would end or change the turns of the conversation.",
                    f"Take it out of the {what}.",
                )
        return text

    def _frame(self, images: int, system: bool) -> tuple[str, str]:
        """The prompt around the marks, and the text between prompt and answer; both depend on the template only."""
        if (images, system) not in self._frames:
            given = _SYSTEM_MARK if system else None
            frame = self._render(_MARK, images, given)
            if self._listed and (frame.count(_MARK) != 1 or frame.count(self.image_token) != images):
                self._listed = False  # an older template that wants the content as one string
                frame = self._render(_MARK, images, given)
            if frame.count(_MARK) != 1 or frame.count(self.image_token) != images:
                raise CheckpointError(
                    f"For {images} images and one question the checkpoint's chat template made "
                    f"{frame.count(self.image_token)} placeholders and {frame.count(_MARK)} places",
                    "It must make one for each.",
                    "Use an instruction-tuned checkpoint with a template for pictures.",
                )
            if system and frame.count(_SYSTEM_MARK) != 1:
                raise CheckpointError(
                    "The checkpoint's chat template has no place for a system text", "", "Leave system=None."
                )
            self._frames[images, system] = frame, self._bridge(frame, images, given)
        return self._frames[images, system]

    def _bridge(self, prompt: str, images: int, system: str | None) -> str:
        """What the template writes between the prompt and an answer; a space after plain text if it does not tell."""
        if self._template is not None:
            answered = self._render(_MARK, images, system, answer=_MARK)
            if answered.startswith(prompt) and answered.count(_MARK) == 2:
                between = answered[len(prompt) : answered.rindex(_MARK)]
                if not between.strip():
                    return between
        ends_open = prompt[-1:].isspace() or any(
            prompt.endswith(str(token)) for token in getattr(self._tokenizer, "all_special_tokens", ())
        )
        return "" if ends_open else " "

    def _render(self, question: str, images: int, system: str | None, answer: str | None = None) -> str:
        if self._template is None:
            head = f"{system} " if system else ""
            pictures = f"{self.image_token}\n" * images
            return f"{head}USER: {pictures}{question} ASSISTANT:" + ("" if answer is None else f" {answer}")
        messages: list[dict[str, Any]] = [{"role": "user", "content": self._content(question, images)}]
        if system:
            messages.insert(0, {"role": "system", "content": self._content(system, 0)})
        if answer is not None:
            messages.append({"role": "assistant", "content": self._content(answer, 0)})
        try:
            rendered = self._processor.apply_chat_template(
                messages, chat_template=self._template, tokenize=False, add_generation_prompt=answer is None
            )
        except (TemplateError, TypeError, ValueError) as error:
            raise CheckpointError(
                f"The checkpoint's chat template failed: {error}",
                "",
                "Its authors may allow fewer images or no system text; else use another checkpoint.",
            ) from error
        return str(rendered)

    def _content(self, text: str, images: int) -> str | list[dict[str, str]]:
        if self._listed:
            return [*({"type": "image"} for _ in range(images)), {"type": "text", "text": text}]
        return f"{self.image_token}\n" * images + text
