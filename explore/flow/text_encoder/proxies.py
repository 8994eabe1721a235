"""Which tokens of an item may carry it, guessed from vectors alone. Only images tell: see `judge_sets`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from explore.errors import ParameterError
from explore.flow.named_arrays import NamedArrays
from explore.flow.text_encoder.items import Items, item_numbers, prompt_items
from explore.flow.text_encoder.vectors import cosine, of_prompt, random_positions
from explore.prompt_states import PromptStates

_NOTES = (
    "PROXY: these numbers say how vectors lie, not whether a concept shows in the image made of them.",
    "Control: similarity to the mean of as many random other tokens of the prompt.",
)


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class TokenProxies(NamedArrays):
    """Guesses at representative tokens; not a number outside items.

    Parameters
    ----------
    items
        Their names, in the order of the prompt.
    similarity
        cos of h with the mean of its item's tokens, (positions,); 1 for an item of one token.
    control
        cos of h with the mean of random other tokens, as many, (positions,).
    distance
        Length of h - p, p the empty prompt's state at that place, (positions,); known at every token of the prompt.
    item
        Number of the item that each position belongs to, -1 for none, (positions,) int64.
    """

    axes: ClassVar = dict.fromkeys(("similarity", "control", "distance", "item"), ("positions",))
    proxy: ClassVar[bool] = True

    items: tuple[str, ...]
    similarity: NDArray[np.float64]
    control: NDArray[np.float64]
    distance: NDArray[np.float64]
    item: NDArray[np.int64]


def token_proxies(whole: PromptStates, baseline: PromptStates, items: Items, *, seed: int = 0) -> TokenProxies:
    """Proxies for representative tokens; no more encodings.

    Source: Kaplan et al., arXiv 2504.01137; `specs/information-flow.md` §3.7.

    Parameters
    ----------
    whole, baseline
        The prompt and the empty prompt, read alike, see `empty_prompt`.
    items
        Texts or characters, see `prompt_items`.
    seed
        Of the control.

    Raises
    ------
    ParameterError
        An item is not there, or the two were read differently.
    """
    if whole.states.shape != baseline.states.shape or whole.how != baseline.how:
        raise ParameterError("Prompt and baseline were read differently", "", "Use empty_prompt(encoder, whole).")
    found, rng = prompt_items(whole.tokens, items), np.random.default_rng(seed)
    similarity, control, distance = np.full((3, len(whole.tokens)), np.nan)
    words = whole.tokens.words
    distance[words] = np.linalg.norm(whole.states[words].astype(np.float64) - baseline.states[words], axis=-1)
    for item in found:
        states = whole.states[item.positions]
        similarity[item.positions] = cosine(states, states.mean(axis=0))
        drawn = random_positions(np.setdiff1d(words, item.positions), len(item.positions), rng)
        if drawn is not None:
            control[item.positions] = cosine(states, whole.states[drawn].mean(axis=0))
    return TokenProxies(
        items=tuple(item.name for item in found),
        similarity=similarity,
        control=control,
        distance=distance,
        item=item_numbers(whole.tokens, found),
        **of_prompt(whole, "token_proxies", _NOTES, items=[item.name for item in found], proxy=True, seed=seed),
    )


def sense_similarity(states: np.ndarray, prototypes: Mapping[str, np.ndarray]) -> dict[str, float]:
    """Proxy for the sense an item is read in: cos of its mean vector with that of each sense's prototype.

    Parameters
    ----------
    states
        Of the item's tokens, (tokens, width).
    prototypes
        Sense to the item's states in a prompt that has this sense without doubt, each (tokens, width).

    Raises
    ------
    ParameterError
        The widths differ.
    """
    for name, each in prototypes.items():
        if each.shape[-1] != states.shape[-1]:
            raise ParameterError(
                f"The prototype of {name!r} is {each.shape[-1]} wide", f"The item is {states.shape[-1]} wide."
            )
    mean = states.mean(axis=0)[None]
    return {name: float(cosine(mean, each.mean(axis=0))[0]) for name, each in prototypes.items()}
