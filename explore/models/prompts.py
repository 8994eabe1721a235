"""The prompt: rendered by the checkpoint's own template, with the place of the user's words known to the character.

Where the question and the other texts stand is found by rendering the template a second time around marks no text
contains, never by searching for the texts, which may occur in the template too.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from explore.errors import CheckpointError, QuestionError
from explore.layout import Role
from explore.models.histories import History
from explore.models.templates import Conversation, Template, film_placeholders_of, placeholders_of

_EDGE = "\ue0f0"
_ANY_MARK = re.compile(f"({_EDGE}[^{_EDGE}]+{_EDGE})")
_QUESTION, _SYSTEM, _ANSWER = (f"{_EDGE}{name}{_EDGE}" for name in ("question", "system", "answer"))


@dataclass(frozen=True)
class Prompt:
    """A rendered prompt, one placeholder per image.

    Parameters
    ----------
    text
        What goes to the processor.
    spans
        (start, end, role) of the user's words, of a given system text and of the turns before, in characters and in
        order; the rest is template.
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
    plain
        Writes the prompt where there is no template, from placeholders, question and system text.
    marks
        Whether a prompt holds a placeholder for each picture.
    """

    def __init__(self, processor: Any, plain: Callable[[str, str, str | None], str], *, marks: bool = True) -> None:
        self._tokenizer = processor.tokenizer
        pictures, films = placeholders_of(processor) if marks else (), film_placeholders_of(processor)
        self._placeholders = tuple(dict.fromkeys((*pictures, *films)))
        self._templates = {
            False: Template(processor, plain, pictures),
            True: Template(processor, plain, films, "video"),
        }
        self._frames: dict[tuple[int, bool, int, bool], tuple[str, str]] = {}

    def write(
        self, question: str, images: int, system: str | None = None, history: History = (), *, film: bool = False
    ) -> Prompt:
        """The prompt for a question about so many images, or films.

        Parameters
        ----------
        question, system
            The user's words, and text for the system turn.
        images
            How many pictures stand in the first of the user's turns.
        history
            The turns before, as `explore.models.histories.checked_history` gives them.
        film
            Whether films stand there instead of pictures.

        Raises
        ------
        QuestionError
            The question is empty, or one of the texts holds the image placeholder or a control token.
        CheckpointError
            The template cannot put the texts and the images into a prompt.
        """
        said = self._checked(question, system, history)
        frame, bridge = self._frame(images, said.system is not None, len(history), film)
        text = self._templates[film].render(said, images)
        filled, spans = _filled(frame, said)
        if text != filled:
            raise CheckpointError(
                "The checkpoint's chat template changes the question's text"
                + (" or that of the turns before" if history else ""),
                "",
                "Remove line breaks and markup from it, or use a checkpoint with a plain template.",
            )
        bos = getattr(self._tokenizer, "bos_token", None)
        return Prompt(text, spans, not (bos and text.startswith(bos)), bridge)

    def _checked(self, question: str, system: str | None, history: History) -> Conversation:
        if not isinstance(question, str) or not question.strip():
            raise QuestionError(
                f"The question is {question!r}", "A question is text with at least one character.", "Type a question."
            )
        before = tuple(
            (self._plain(f"question of turn {number}", asked), self._plain(f"answer of turn {number}", answered))
            for number, (asked, answered) in enumerate(history, start=1)
        )
        given = self._plain("system text", system.strip()) if system and system.strip() else None
        return Conversation(self._plain("question", question.strip()), given, before)

    def _plain(self, what: str, text: str) -> str:
        """Text that means nothing to the template and the tokenizer but itself."""
        try:
            text.encode()
        except UnicodeEncodeError:
            raise QuestionError(
                f"The {what} {text!r:.60} holds half a character", "", "Type it again, or decode it as UTF-8."
            ) from None
        for token in (each for each in self._placeholders if each in text):
            raise QuestionError(
                f"The {what} holds {token!r}, which stands for a picture or film",
                "Pictures are given as the first argument and put into the prompt automatically.",
                f"Take it out of the {what}.",
            )
        # Some tokenizers pad with a plain character such as "!", which people may type.
        special = [str(token) for token in getattr(self._tokenizer, "all_special_tokens", ()) if len(str(token)) > 1]
        for mark in (*special, _EDGE):
            if mark in text:
                raise QuestionError(
                    f"The {what} holds {mark!r}, which the model reads as a control token",
                    "It would end or change the turns of the conversation.",
                    f"Take it out of the {what}.",
                )
        return text

    def _frame(self, images: int, system: bool, turns: int, film: bool) -> tuple[str, str]:
        """The prompt around the marks, and the text between prompt and answer; both depend on the template only."""
        key, template = (images, system, turns, film), self._templates[film]
        if key not in self._frames:
            marked = Conversation(_QUESTION, _SYSTEM if system else None, tuple(map(_turn_marks, range(turns))))
            frame = template.fitted(marked, images)
            if system and frame.count(_SYSTEM) != 1:
                raise CheckpointError(
                    "The checkpoint's chat template has no place for a system text", "", "Leave system=None."
                )
            if any(frame.count(mark) != 1 for turn in marked.history for mark in turn):
                raise CheckpointError(
                    f"The checkpoint's chat template does not keep the {turns} turns before the question",
                    "",
                    "Leave history=None, and write what matters of them into the question.",
                )
            self._frames[key] = frame, self._bridge(template, frame, marked, images)
        return self._frames[key]

    def _bridge(self, template: Template, prompt: str, marked: Conversation, images: int) -> str:
        """What the template writes between the prompt and an answer; a space after plain text if it does not tell."""
        if template.chats:
            answered = template.render(marked, images, answer=_ANSWER)
            if answered.startswith(prompt) and answered.count(_ANSWER) == 1:
                between = answered[len(prompt) : answered.index(_ANSWER)]
                if not between.strip():
                    return between
        ends_open = prompt[-1:].isspace() or any(
            prompt.endswith(str(token)) for token in getattr(self._tokenizer, "all_special_tokens", ())
        )
        return "" if ends_open else " "


def _turn_marks(number: int) -> tuple[str, str]:
    return f"{_EDGE}asked {number}{_EDGE}", f"{_EDGE}answered {number}{_EDGE}"


def _filled(frame: str, said: Conversation) -> tuple[str, tuple[tuple[int, int, Role], ...]]:
    """The frame with the texts in place of its marks, and where they came to stand."""
    words: dict[str, tuple[str, Role]] = {_QUESTION: (said.question, Role.QUESTION)}
    if said.system is not None:
        words[_SYSTEM] = said.system, Role.SYSTEM
    for number, turn in enumerate(said.history):
        words |= {mark: (text, Role.HISTORY) for mark, text in zip(_turn_marks(number), turn, strict=True)}
    text, spans = "", list[tuple[int, int, Role]]()
    for piece in _ANY_MARK.split(frame):
        written, role = words.get(piece, (piece, Role.TEMPLATE))
        if piece in words:
            spans.append((len(text), len(text) + len(written), role))
        text += written
    return text, tuple(spans)
