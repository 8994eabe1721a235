"""Which item changed which: leave one out, and see how far the vectors of the others turn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from explore.errors import ParameterError
from explore.flow.named_arrays import NamedArrays
from explore.flow.text_encoder.items import Item, Items, prompt_items
from explore.flow.text_encoder.vectors import of_prompt, random_positions, turned
from explore.prompt_states import PromptStates, PromptTokens
from explore.runs import TextEncoderLike

_NOTES = (
    "Causal for the vectors, a proxy for the image.",
    "Control: as many random tokens of the prompt, outside the source and the target, left out in place of the source.",
)


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class LeakageMatrix(NamedArrays):
    """How far the tokens of a target turn when a source is left out; 0 on the diagonal.

    Parameters
    ----------
    targets, sources
        Names of the items, in the order of the prompt.
    change
        Mean of 1 - cos(h, h without the source) over the target's tokens, (targets, sources). In a causal encoder it is
        strictly lower-triangular.
    control
        The same for random tokens, mean over draws, (targets, sources); not a number where the prompt has too few.
    """

    axes: ClassVar = {"change": ("targets", "sources"), "control": ("targets", "sources")}

    targets: tuple[str, ...]
    sources: tuple[str, ...]
    change: NDArray[np.float64]
    control: NDArray[np.float64]


def leakage_matrix(
    encoder: TextEncoderLike,
    whole: PromptStates,
    items: Items,
    *,
    instead: str | None = None,
    draws: int = 2,
    seed: int = 0,
) -> LeakageMatrix:
    """Leave out one item at a time and compare the others; items + items × draws more encodings.

    Source: Kaplan et al., arXiv 2504.01137, cross-item question; `specs/information-flow.md` §3.7.

    Parameters
    ----------
    encoder, whole
        The encoder and what it made of the prompt.
    items
        Texts or characters, see `prompt_items`.
    instead
        What stands at the places of what is left out: None for pads (hidden where the encoder runs with a mask), or a
        neutral word, one token, such as "thing".
    draws, seed
        Random controls for every source.

    Raises
    ------
    ParameterError
        An item is not there, or the neutral word is not one token.
    """
    found = prompt_items(whole.tokens, items)
    word = None if instead is None else _one_token(encoder, instead)
    rng, count = np.random.default_rng(seed), len(found)
    change, control = np.zeros((count, count)), np.full((draws, count, count), np.nan)
    for column, source in enumerate(found):
        change[:, column] = _changes(encoder, whole, found, source.positions, word)
        change[column, column] = 0.0
        for draw in range(draws):
            others = np.setdiff1d(whole.tokens.words, source.positions)
            drawn = random_positions(others, len(source.positions), rng)
            if drawn is not None:
                control[draw, :, column] = _changes(encoder, whole, found, drawn, word)
    control[:, range(count), range(count)] = np.nan
    known = np.isfinite(control)
    mean = np.where(known, control, 0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    names = tuple(item.name for item in found)
    return LeakageMatrix(
        targets=names,
        sources=names,
        change=change,
        control=np.where(known.any(axis=0), mean, np.nan),
        **of_prompt(whole, "leakage_matrix", _NOTES, items=list(names), instead=instead, draws=draws, seed=seed),
    )


def _changes(
    encoder: TextEncoderLike, whole: PromptStates, items: Sequence[Item], gone: np.ndarray, word: int | None
) -> NDArray[np.float64]:
    """Mean turn of every item's tokens when some positions are left out, (items,); NaN where it loses one itself."""
    without = _encoded(encoder, whole, whole.tokens.filled(gone, word))
    found = [
        turned(whole.states[item.positions], without.states[item.positions]).mean()
        if not np.isin(item.positions, gone).any()
        else np.nan
        for item in items
    ]
    return np.array(found)


def _encoded(encoder: TextEncoderLike, whole: PromptStates, tokens: PromptTokens) -> PromptStates:
    return encoder.encode(tokens, **whole.how_to_read)


def _one_token(encoder: TextEncoderLike, word: str) -> int:
    """Token id of a word as it stands inside a text: many tokenizers count the space before it to the word."""
    tried = [encoder.tokenize(each) for each in (f" {word}", word)]
    for made in tried:
        if len(made.words) == 1:
            return int(made.ids[made.words[0]])
    raise ParameterError(
        f"instead={word!r} is {len(tried[1].words)} tokens: {[tried[1].texts[at] for at in tried[1].words]}",
        "Every token that is left out is replaced by one.",
        "Use another word, or None for pads.",
    )
