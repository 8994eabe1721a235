"""An item encoded by itself: what its tokens say without the rest of the prompt."""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np

from explore.edits import CutEdges
from explore.errors import ParameterError
from explore.flow.text_encoder.items import Item
from explore.prompt_states import PromptStates, PromptTokens
from explore.runs import TextEncoderLike

Offset: TypeAlias = Literal["own", "kept"]
"""Where an item stands when it is encoded alone: at the beginning, or at the place it has in the prompt."""


def alone_states(encoder: TextEncoderLike, whole: PromptStates, item: Item, offset: Offset = "own") -> np.ndarray:
    """States of an item's tokens, encoded without the rest of the prompt, (tokens, width) float32.

    Parameters
    ----------
    encoder
        The one that encoded `whole`.
    whole
        The prompt's encoding; the item is read alike.
    item
        One of its items.
    offset
        "own" encodes the item as a short prompt. "kept" puts pads before it, so that it keeps the place it has in the
        prompt, and cuts all edges from these pads: what is left is the difference of content, also where positions
        are absolute (CLIP). Where edges can be cut only; the encoder is asked for `CutEdges`.

    Raises
    ------
    ParameterError
        Alone the item is split into other tokens than in the prompt.
    """
    if offset not in ("own", "kept"):
        raise ParameterError(f"offset={offset!r} was given", 'It is "own" or "kept".')
    tokens = aligned_alone(encoder, whole.tokens, item)
    cuts: list[CutEdges] = []
    if offset == "kept":
        at = int(tokens.words[0])
        by = int(item.positions[0]) - at
        if by > 0:
            tokens = tokens.moved(by)
            filling = np.arange(at, at + by)
            cuts = [CutEdges(filling, np.setdiff1d(np.arange(len(tokens)), filling))]
    states: np.ndarray = encoder.encode(tokens, **whole.how_to_read, edits=cuts).states[tokens.words]
    return states


def aligned_alone(encoder: TextEncoderLike, tokens: PromptTokens, item: Item) -> PromptTokens:
    """An item as a prompt of its own, its tokens those it has in the whole prompt, one by one.

    Some tokenizers count the space before a word to the word, so it is tried with that space too.

    Raises
    ------
    ParameterError
        The tokens differ either way.
    """
    wanted = tokens.ids[item.positions]
    text = tokens.prompt[item.begin : item.end]
    spaced = tokens.prompt[item.begin - 1 : item.end] if item.begin and tokens.prompt[item.begin - 1].isspace() else ""
    tried = []
    for each in filter(None, (text, spaced)):
        made = encoder.tokenize(each, length=len(tokens))
        if np.array_equal(made.ids[made.words], wanted):
            return made
        tried.append([made.texts[at] for at in made.words])
    raise ParameterError(
        f"The item {item.name!r} is {[tokens.texts[at] for at in item.positions]} in the prompt and {tried[0]} alone",
        "Vectors can be compared and put in place of each other only where the tokens are the same.",
        "Write the prompt so that the item stands between spaces.",
    )
