"""The prompt's tokens with their roles: which characters each came from, and whose words those are.

Most processors note the characters of their tokens. Some note none, and some change the text before they note them;
then the user's words are found in what the tokens spell.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from explore.errors import CheckpointError
from explore.layout import Role
from explore.models.prompts import Prompt
from explore.models.texts import pieces_of, word_numbers
from explore.trace import Token

Span = tuple[int, int, Role]


def prompt_tokens(
    tokenizer: Any, prompt: Prompt, ids: np.ndarray, visual: np.ndarray, offsets: Any, replaced: Any
) -> tuple[Token, ...]:
    """All tokens of a prompt.

    Parameters
    ----------
    tokenizer
        The processor's.
    prompt
        What was written.
    ids, visual
        Token ids, (prompt_tokens,) int64, and which of them stand for pictures, bool.
    offsets, replaced
        The processor's word about its characters, None where it gives none: (start, end) of every token in the text
        with placeholders expanded, and what each placeholder was expanded to.

    Raises
    ------
    CheckpointError
        The user's words are not among the tokens.
    """
    pictures = [
        str(tokenizer.convert_ids_to_tokens(int(each))) if seen else "" for each, seen in zip(ids, visual, strict=True)
    ]
    named = _by_offsets(prompt, visual, pictures, offsets, replaced) or _by_spelling(tokenizer, prompt, ids, visual)
    pieces, roles = named
    pieces = [shown or piece for shown, piece in zip(pictures, pieces, strict=True)]
    words = word_numbers(pieces, [role is not Role.QUESTION for role in roles])
    return tuple(
        Token(index, int(ids[index]), piece, role, word)
        for index, (piece, role, word) in enumerate(zip(pieces, roles, words, strict=True))
    )


def _by_offsets(
    prompt: Prompt, visual: np.ndarray, pictures: list[str], offsets: Any, replaced: Any
) -> tuple[list[str], list[Role]] | None:
    """Pieces and roles from the processor's offsets; None where it gives none, or gives those of another text."""
    if offsets is None or replaced is None:
        return None
    text, shift = _expanded(prompt.text, replaced)
    places = [(int(start), int(end)) for start, end in offsets]
    shown = [text[start:end] for start, end in places]
    if places and max(end for _, end in places) > len(text):
        return None
    if any(seen and piece != name for seen, piece, name in zip(visual, shown, pictures, strict=True)):
        return None
    spans = [(shift(start), shift(end), role) for start, end, role in prompt.spans]
    roles, pieces, done = list[Role](), list[str](), 0
    for (start, end), seen in zip(places, visual, strict=True):
        # Tokenizers may leave the space before a word out of its offsets; it belongs to the piece all the same.
        gap = text[done:start] if done <= start and not text[done:start].strip() else ""
        pieces.append(gap + text[max(start, done) : end])
        roles.append(Role.IMAGE if seen else _role(text, start, end, spans))
        done = max(done, end)
    return pieces, roles


def _by_spelling(tokenizer: Any, prompt: Prompt, ids: np.ndarray, visual: np.ndarray) -> tuple[list[str], list[Role]]:
    """Pieces and roles from what the tokens spell, without those that stand for pictures."""
    spelled = iter(pieces_of(tokenizer, ids[~visual].tolist()))
    pieces = ["" if seen else next(spelled) for seen in visual]
    ends = np.cumsum([len(piece) for piece in pieces]).tolist()
    text = "".join(pieces)
    spans = [(*_found(text, prompt.text, start, end), role) for start, end, role in prompt.spans]
    roles = [
        Role.IMAGE if seen else _role(text, end - len(piece), end, spans)
        for piece, end, seen in zip(pieces, ends, visual, strict=True)
    ]
    return pieces, roles


def _found(text: str, written: str, start: int, end: int) -> tuple[int, int]:
    """Where the words `written[start:end]` stand in `text`: with what follows them if possible, else the last time.

    Raises
    ------
    CheckpointError
        Nowhere.
    """
    for after in (written[end:], written[end : end + 8], ""):
        place = text.rfind(written[start:end] + after)
        if place >= 0:
            return place, place + end - start
    raise CheckpointError(
        f"The words {written[start:end]!r:.60} are not among the tokens that the processor makes of them",
        "It changes the text, and does not say how.",
        "Write them in plain words, without markup and repeated spaces.",
    )


def _expanded(text: str, replaced: Sequence[dict[str, Any]]) -> tuple[str, Callable[[int], int]]:
    """The text after placeholders were expanded, and a function from old to new character places."""
    parts, last = [], 0
    for each in replaced:
        start, end = each["span"]
        parts += [text[last:start], each["replacement"]]
        last = end

    def shift(place: int) -> int:
        before = [each for each in replaced if each["span"][1] <= place]
        return place + sum(len(each["replacement"]) - (each["span"][1] - each["span"][0]) for each in before)

    return "".join([*parts, text[last:]]), shift


def _role(text: str, start: int, end: int, spans: Sequence[Span]) -> Role:
    """The role of the span a token shares characters with; sharing only the space at its border does not count."""
    for first, last, role in spans:
        if first <= start < end <= last or text[max(start, first) : min(end, last)].strip():
            return role
    return Role.TEMPLATE
