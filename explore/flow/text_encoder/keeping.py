"""Keep some positions of a prompt's encoding and put the empty prompt's in place of all others.

t_i = h_i where i is kept, else p_i: h encodes the prompt, p the empty prompt at the same length, position by position.
Source: Kaplan et al., arXiv 2504.01137, the patching procedure; `specs/information-flow.md` §3.2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from explore.errors import ParameterError
from explore.flow.text_encoder.items import Item, Items, prompt_items
from explore.flow.text_encoder.vectors import random_positions
from explore.prompt_states import PromptStates, PromptTokens
from explore.runs import TextEncoderLike


@dataclass(frozen=True, eq=False)
class KeepSet:
    """Positions that are kept.

    Parameters
    ----------
    name
        What they are.
    keep
        Which, (positions,) bool.
    control
        Whether they were drawn at random, to compare others with.
    """

    name: str
    keep: np.ndarray
    control: bool = False


def empty_prompt(encoder: TextEncoderLike, whole: PromptStates) -> PromptStates:
    """The empty prompt, read as another one was; for T5 it is the end token and pads behind it."""
    return encoder.encode("", **whole.how_to_read)


def mixed(
    whole: PromptStates,
    baseline: PromptStates,
    keep: np.ndarray | KeepSet,
    *,
    pooled: Literal["empty", "whole"] = "empty",
) -> PromptStates:
    """The states with everything outside a set replaced by the baseline's.

    Parameters
    ----------
    whole, baseline
        The prompt and the empty prompt, as `empty_prompt` encodes it.
    keep
        Positions to keep: bool over all, or their numbers, or a set of `keep_sets`.
    pooled
        Whose pooled vector goes to the image model. "empty" keeps the concept from leaking past the tokens, as the
        reference does for every set, the full one included.

    Raises
    ------
    ParameterError
        The two were not read alike, or a position is not there.
    """
    if whole.states.shape != baseline.states.shape or whole.how != baseline.how:
        raise ParameterError(
            f"Prompt {whole.states.shape} and baseline {baseline.states.shape} were read differently",
            "Both have the same length, layer, norm and mask.",
            "Use empty_prompt(encoder, whole).",
        )
    if pooled not in ("empty", "whole"):
        raise ParameterError(f"pooled={pooled!r} was given", 'It is "empty" or "whole".')
    kept = kept_positions(whole.tokens, keep)
    states = np.where(kept[:, None], whole.states, baseline.states)
    of = {"positions": np.flatnonzero(kept).tolist(), "pooled": pooled}
    return replace(
        whole,
        states=states,
        pooled=baseline.pooled if pooled == "empty" else whole.pooled,
        fingerprint={**whole.fingerprint, "flow": {"method": "mixed", **of}},
    )


def kept_positions(tokens: PromptTokens, keep: np.ndarray | KeepSet) -> np.ndarray:
    """Positions to keep as a bool array, (positions,).

    Raises
    ------
    ParameterError
        One is not there.
    """
    given = np.asarray(keep.keep if isinstance(keep, KeepSet) else keep)
    if given.dtype == bool and given.shape == (len(tokens),):
        return given
    if given.dtype == bool or (given.size and (given.min() < 0 or given.max() >= len(tokens))):
        raise ParameterError(
            f"Positions {given.tolist()!r:.80} were to be kept", f"The prompt has the positions 0 to {len(tokens) - 1}."
        )
    found = np.zeros(len(tokens), bool)
    found[given.astype(np.int64)] = True
    return found


def keep_sets(tokens: PromptTokens, items: Items, *, draws: int = 2, seed: int = 0) -> tuple[KeepSet, ...]:
    """The sets of the paper for some items: everything, the prompt, pads, every item, each of its tokens by itself, and
    random tokens, as many as each item has, as controls.

    Parameters
    ----------
    tokens
        The prompt.
    items
        Its items.
    draws, seed
        Random sets for every item, drawn from the prompt's own tokens outside it.
    """
    found = prompt_items(tokens, items)
    sets = [
        KeepSet("everything", np.ones(len(tokens), bool)),
        KeepSet("prompt", ~tokens.pads),
        KeepSet("pads", tokens.pads),
    ]
    rng = np.random.default_rng(seed)
    for item in found:
        sets.append(KeepSet(item.name, kept_positions(tokens, item.positions)))
        if len(item.positions) > 1:
            single = [(f"{item.name}: {tokens.texts[at].strip()} ({at})", np.array([at])) for at in item.positions]
            sets += [KeepSet(name, kept_positions(tokens, at)) for name, at in single]
        others = np.setdiff1d(tokens.words, item.positions)
        for draw in range(draws):
            drawn = random_positions(others, len(item.positions), rng)
            if drawn is not None:
                name = f"{item.name}: random control {draw + 1}"
                sets.append(KeepSet(name, kept_positions(tokens, drawn), control=True))
    return tuple(sets)


def without_redundant(tokens: PromptTokens, item: Item, representative: Sequence[int]) -> KeepSet:
    """Everything but the tokens of an item that do not carry it.

    Source: Kaplan et al., arXiv 2504.01137, redundancy removal.

    Raises
    ------
    ParameterError
        A representative token is none of the item's.
    """
    if not len(representative) or not np.isin(representative, item.positions).all():
        raise ParameterError(
            f"The representative tokens {list(representative)} were given for {item.name!r}",
            f"Its tokens are {item.positions.tolist()}.",
        )
    gone = np.setdiff1d(item.positions, representative)
    return KeepSet(f"without redundant tokens of {item.name}", ~kept_positions(tokens, gone))
