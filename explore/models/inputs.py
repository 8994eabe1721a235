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
from explore.frame_times import FrameTimes
from explore.layout import ImageGrid, ImageQueries, Role, TokenLayout
from explore.models.families.base import Family
from explore.models.families.grids import Plan
from explore.models.processor_calls import called
from explore.models.prompts import Prompt
from explore.models.texts import pieces_of, word_numbers
from explore.models.token_roles import prompt_tokens
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
    queries
        Those that look at a whole picture.
    """

    tensors: dict[str, Any]
    ids: np.ndarray
    tokens: tuple[Token, ...]
    grids: tuple[ImageGrid, ...]
    queries: tuple[ImageQueries, ...] = ()

    @property
    def length(self) -> int:
        return len(self.ids)

    def positions(self, role: Role) -> np.ndarray:
        """Prompt positions with a role, int64."""
        return np.array([token.position for token in self.tokens if token.role is role], np.int64)


def prepare(
    family: Family, prompt: Prompt, pictures: Sequence[Image.Image], times: FrameTimes | None = None
) -> PromptInputs:
    """Run the processor and name every position; with `times` the pictures are frames of a film.

    Raises
    ------
    CheckpointError
        Tokenizer or processor do not say where their tokens come from, or the grids do not fit the placeholders.
    """
    asked = {"return_offsets_mapping": True, "return_text_replacement_offsets": True}
    made = processed(family, prompt, pictures, times, **asked)
    offsets, replaced = made.pop("offset_mapping", None), made.pop("text_replacement_offsets", None)
    ids = made["input_ids"][0].numpy().astype(np.int64)
    visual = family.visual_mask(ids, made)
    tokens = prompt_tokens(
        family.processor.tokenizer,
        prompt,
        ids,
        visual,
        None if offsets is None else np.asarray(offsets)[0],
        replaced[0] if replaced else None,
    )
    sizes = [picture.size for picture in pictures]
    plans = family.grids(sizes, made) if times is None else family.film(sizes, made)
    placed = _placed(plans, np.flatnonzero(visual))
    grids = tuple(each for each in placed if isinstance(each, ImageGrid))
    queries = tuple(each for each in placed if isinstance(each, ImageQueries))
    return PromptInputs(made, ids, tokens, grids, queries)


def processed(
    family: Family,
    prompt: Prompt,
    pictures: Sequence[Image.Image],
    times: FrameTimes | None = None,
    **options: Any,
) -> dict[str, Any]:
    """What the processor makes of one prompt and what it shows, with everything the model reads and nothing else."""
    shown = {"images": list(pictures)} if times is None else family.film_inputs(pictures, times)
    return called(family, [prompt.text], shown, add_special=prompt.add_special, **options)


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


def layout_of(tokens: Sequence[Token], inputs: PromptInputs) -> TokenLayout:
    """The layout of prompt and answer together."""
    return TokenLayout(tuple(token.role for token in tokens), inputs.grids, inputs.queries)


def with_answer(family: Family, tensors: dict[str, Any], ids: Sequence[int]) -> dict[str, Any]:
    """The prompt's inputs with answer tokens behind them, for one forward pass over both.

    Inputs that have one entry per prompt token grow along; what stands in the new places is what the prompt's last
    token has (1 for the attention mask, "text" for type ids), or what the family says an answer is.
    """
    if not len(ids):
        return dict(tensors)
    batch, length = tensors["input_ids"].shape
    more, grown = len(ids), dict[str, Any](tensors)
    grown["input_ids"] = torch.cat([tensors["input_ids"], torch.tensor([list(ids)]).expand(batch, -1)], dim=-1)
    for name, values in tensors.items():
        if not isinstance(values, torch.Tensor) or name == "input_ids" or values.shape != (batch, length):
            continue
        if name.endswith(("_ids", "_mask")):
            tail = values[..., -1:].expand(batch, more)
            if name in family.answer_values:
                tail = torch.full_like(tail, family.answer_values[name])
            grown[name] = torch.cat([values, tail], dim=-1)
    return grown


def _placed(plans: Sequence[Plan], positions: np.ndarray) -> list[ImageGrid | ImageQueries]:
    at, placed = 0, list[ImageGrid | ImageQueries]()
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
    return placed
