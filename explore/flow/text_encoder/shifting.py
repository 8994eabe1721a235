"""How much the rest of a prompt has changed the vectors of an item."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from explore.flow.named_arrays import NamedArrays
from explore.flow.text_encoder.alone import Offset, alone_states
from explore.flow.text_encoder.items import Items, item_numbers, prompt_items
from explore.flow.text_encoder.vectors import moved, of_prompt, turned
from explore.prompt_states import PromptStates
from explore.runs import TextEncoderLike

_NOTES = (
    "An exact measure of vectors, and a proxy for leakage: whether a concept shows in an image, only images tell.",
    "Control: the angle to a random token of another item encoded alone.",
)


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class ContextShift(NamedArrays):
    """Tokens in the prompt against the same tokens of their item encoded alone; not a number outside items.

    Parameters
    ----------
    items
        Their names, in the order of the prompt.
    shift
        1 - cos(h, u), (positions,).
    norm_ratio
        Length of h - u over that of u, (positions,).
    control
        1 - cos(h, v), v a random token of another item encoded alone, (positions,); not a number with one item only.
    item
        Number of the item that each position belongs to, -1 for none, (positions,) int64.
    """

    axes: ClassVar = dict.fromkeys(("shift", "norm_ratio", "control", "item"), ("positions",))

    items: tuple[str, ...]
    shift: NDArray[np.float64]
    norm_ratio: NDArray[np.float64]
    control: NDArray[np.float64]
    item: NDArray[np.int64]

    def by_item(self) -> dict[str, float]:
        """Mean shift of every item's tokens."""
        return {name: float(self.shift[self.item == number].mean()) for number, name in enumerate(self.items)}


def context_shift(
    encoder: TextEncoderLike, whole: PromptStates, items: Items, *, offset: Offset = "own", seed: int = 0
) -> ContextShift:
    """Context shift of every token of some items; one more encoding for each.

    Source: Kaplan et al., arXiv 2504.01137; `specs/information-flow.md` §3.7.

    Parameters
    ----------
    encoder, whole
        The encoder and what it made of the prompt.
    items
        Texts or characters, see `prompt_items`.
    offset
        Where an item stands when it is alone, see `alone_states`.
    seed
        Of the control.

    Raises
    ------
    ParameterError
        An item is not there, or is split into other tokens when it is alone.
    """
    found = prompt_items(whole.tokens, items)
    alone = [alone_states(encoder, whole, item, offset) for item in found]
    rng = np.random.default_rng(seed)
    shift, ratio, control = np.full((3, len(whole.tokens)), np.nan)
    for number, (item, own) in enumerate(zip(found, alone, strict=True)):
        states = whole.states[item.positions]
        shift[item.positions], ratio[item.positions] = turned(states, own), moved(states, own)
        others = [each for place, each in enumerate(alone) if place != number]
        if others:
            pool = np.concatenate(others)
            control[item.positions] = turned(states, pool[rng.integers(len(pool), size=len(states))])
    return ContextShift(
        items=tuple(item.name for item in found),
        shift=shift,
        norm_ratio=ratio,
        control=control,
        item=item_numbers(whole.tokens, found),
        **of_prompt(whole, "context_shift", _NOTES, items=[item.name for item in found], offset=offset, seed=seed),
    )
