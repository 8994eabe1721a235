"""What the model is fed, and what every position of it is.

The processor expands each placeholder into as many image tokens as the picture has; its offsets say which characters
each token came from, and so which role it has.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from PIL import Image

from explore.errors import CheckpointError
from explore.layout import ImageGrid, Role, TokenLayout
from explore.models.families.base import Family
from explore.models.prompts import Prompt
from explore.models.texts import pieces_of, word_numbers
from explore.trace import Token


@dataclass(frozen=True)
class PromptInputs:
    """A prompt ready to run.

    Parameters
    ----------
    tensors
        Everything the processor made, batch of one, for the model's forward.
    ids
        Token ids, (prompt_tokens,) int64.
    tokens
        The prompt's tokens with their roles.
    grids
        Where the visual tokens look.
    """

    tensors: dict[str, Any]
    ids: np.ndarray
    tokens: tuple[Token, ...]
    grids: tuple[ImageGrid, ...]

    @property
    def length(self) -> int:
        return len(self.ids)

    def positions(self, role: Role) -> np.ndarray:
        """Prompt positions with a role, int64."""
        return np.array([token.position for token in self.tokens if token.role is role], np.int64)


def prepare(family: Family, prompt: Prompt, pictures: Sequence[Image.Image]) -> PromptInputs:
    """Run the processor and name every position.

    Raises
    ------
    CheckpointError
        Tokenizer or processor do not say where their tokens come from, or the grids do not fit the placeholders.
    """
    processor = family.processor
    made = dict(
        processor(
            text=[prompt.text],
            images=list(pictures),
            return_tensors="pt",
            add_special_tokens=prompt.add_special,
            return_offsets_mapping=True,
            return_text_replacement_offsets=True,
        )
    )
    if "offset_mapping" not in made or "text_replacement_offsets" not in made:
        raise CheckpointError(
            f"{type(processor).__name__} does not say which characters its tokens come from",
            "A fast tokenizer and a processor of transformers 5.23 do.",
            "Convert the tokenizer to a fast one (tokenizer.json).",
        )
    offsets = np.asarray(made.pop("offset_mapping"))[0]
    replaced = made.pop("text_replacement_offsets")[0]
    ids = made["input_ids"][0].numpy().astype(np.int64)
    visual = np.isin(ids, family.placeholder_ids)
    tokens = _prompt_tokens(family, prompt, ids, offsets, replaced, visual)
    grids = _placed(family, [picture.size for picture in pictures], made, np.flatnonzero(visual))
    return PromptInputs(made, ids, tokens, grids)


def answer_tokens(family: Family, prompt: PromptInputs, ids: Sequence[int]) -> tuple[Token, ...]:
    """The answer's tokens with their words, positions counted on from the prompt."""
    tokenizer = family.processor.tokenizer
    special = set(tokenizer.all_special_ids)
    pieces = pieces_of(tokenizer, list(ids), prompt.ids[-4:].tolist())
    words = word_numbers(pieces, [each in special for each in ids])
    return tuple(
        Token(prompt.length + index, int(each), piece, Role.ANSWER, word)
        for index, (each, piece, word) in enumerate(zip(ids, pieces, words, strict=True))
    )


def layout_of(tokens: Sequence[Token], grids: Sequence[ImageGrid]) -> TokenLayout:
    """The layout of prompt and answer together."""
    return TokenLayout(tuple(token.role for token in tokens), tuple(grids))


def with_answer(tensors: dict[str, Any], ids: Sequence[int]) -> dict[str, Any]:
    """The prompt's inputs with answer tokens behind them, for one forward pass over both.

    Inputs that have one entry per prompt token grow along; what stands in the new places is what the prompt's last
    token has (1 for the attention mask, "text" for type ids).
    """
    if not len(ids):
        return dict(tensors)
    length, grown = tensors["input_ids"].shape[-1], dict[str, Any](tensors)
    grown["input_ids"] = torch.cat([tensors["input_ids"], torch.tensor([list(ids)], dtype=torch.long)], dim=-1)
    for name in ("attention_mask", "token_type_ids", "mm_token_type_ids", "moe_mm_token_type_ids"):
        values = tensors.get(name)
        if values is not None and values.shape[-1] == length:
            grown[name] = torch.cat([values, values[..., -1:].expand(*values.shape[:-1], len(ids))], dim=-1)
    return grown


def _prompt_tokens(
    family: Family,
    prompt: Prompt,
    ids: np.ndarray,
    offsets: np.ndarray,
    replaced: list[dict[str, Any]],
    visual: np.ndarray,
) -> tuple[Token, ...]:
    text, shift = _expanded(prompt.text, replaced)
    spans = [(shift(start), shift(end), role) for start, end, role in prompt.spans]
    placeholder = {each: family.processor.tokenizer.convert_ids_to_tokens(each) for each in family.placeholder_ids}
    roles, pieces, done = list[Role](), list[str](), 0
    for index, (start, end) in enumerate(offsets.tolist()):
        # Tokenizers may leave the space before a word out of its offsets; it belongs to the piece all the same.
        gap = text[done:start] if done <= start and not text[done:start].strip() else ""
        pieces.append(placeholder[int(ids[index])] if visual[index] else gap + text[max(start, done) : end])
        roles.append(Role.IMAGE if visual[index] else _role(text, start, end, spans))
        done = max(done, end)
    words = word_numbers(pieces, [role is not Role.QUESTION for role in roles])
    return tuple(
        Token(index, int(ids[index]), piece, role, word)
        for index, (piece, role, word) in enumerate(zip(pieces, roles, words, strict=True))
    )


def _expanded(text: str, replaced: list[dict[str, Any]]) -> tuple[str, Any]:
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


def _role(text: str, start: int, end: int, spans: list[tuple[int, int, Role]]) -> Role:
    """The role of the span a token shares characters with; sharing only the space at its border does not count."""
    for first, last, role in spans:
        if first <= start < end <= last or text[max(start, first) : min(end, last)].strip():
            return role
    return Role.TEMPLATE


def _placed(
    family: Family, sizes: list[tuple[int, int]], inputs: dict[str, Any], positions: np.ndarray
) -> tuple[ImageGrid, ...]:
    plans, at, placed = family.grids(sizes, inputs), 0, list[ImageGrid]()
    if sum(plan.length for plan in plans) != len(positions):
        raise CheckpointError(
            f"The prompt has {len(positions)} image tokens, but the pictures' grids have "
            f"{sum(plan.length for plan in plans)}",
            "The checkpoint's processor and model must agree on patch size and class token.",
            "Check patch_size, num_additional_image_tokens and vision_feature_select_strategy of the processor.",
        )
    for plan in plans:
        placed.append(plan.placed(positions[at : at + plan.length]))
        at += plan.length
    return tuple(placed)
