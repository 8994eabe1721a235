"""Items of a prompt: words or expressions that stand for one concept, found by their characters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

import numpy as np

from explore.errors import ParameterError
from explore.prompt_states import PromptTokens

Span: TypeAlias = tuple[int, int]
Items: TypeAlias = Sequence[str] | Mapping[str, Span]
"""Texts that stand in the prompt once, or names with first and last character (exclusive)."""


@dataclass(frozen=True, eq=False)
class Item:
    """One item.

    Parameters
    ----------
    name
        What it is called.
    begin, end
        Its characters in the prompt, the end exclusive.
    positions
        Its tokens, (tokens,) int64.
    """

    name: str
    begin: int
    end: int
    positions: np.ndarray


def prompt_items(tokens: PromptTokens, items: Items) -> tuple[Item, ...]:
    """Items in the order of the prompt.

    Source: Kaplan et al., arXiv 2504.01137, lexical items.

    Parameters
    ----------
    tokens
        The prompt.
    items
        Which.

    Raises
    ------
    ParameterError
        There are none, one stands in the prompt never or several times, two overlap, or a token reaches over a border.
    """
    if isinstance(items, str) or not items:
        raise ParameterError(
            f"items={items!r} were given", 'Items are a list such as ["pool", "table"], or names with characters.'
        )
    spans = items if isinstance(items, Mapping) else {text: _span(tokens.prompt, text) for text in items}
    found = sorted(
        (Item(name, int(begin), int(end), tokens.places(int(begin), int(end))) for name, (begin, end) in spans.items()),
        key=lambda item: item.begin,
    )
    for former, item in pairwise(found):
        if np.intersect1d(former.positions, item.positions).size:
            raise ParameterError(f"The items {former.name!r} and {item.name!r} share tokens", "Items stand apart.")
    return tuple(found)


def one_item(tokens: PromptTokens, item: str | Span | Item) -> Item:
    """One item, by its text or its characters.

    Raises
    ------
    ParameterError
        As for `prompt_items`.
    """
    if isinstance(item, Item):
        return item
    if isinstance(item, str):
        return prompt_items(tokens, [item])[0]
    return prompt_items(tokens, {tokens.prompt[item[0] : item[1]]: item})[0]


def item_numbers(tokens: PromptTokens, items: Sequence[Item]) -> np.ndarray:
    """Number of the item that each position belongs to, -1 for none, (positions,) int64."""
    found = np.full(len(tokens), -1, np.int64)
    for number, item in enumerate(items):
        found[item.positions] = number
    return found


def _span(prompt: str, text: str) -> Span:
    count = prompt.count(text) if text else 0
    if count != 1:
        raise ParameterError(
            f"The item {text!r} stands in the prompt {count} times",
            f"The prompt is {prompt!r}.",
            "Name its characters: items={'pool': (2, 6)}.",
        )
    return prompt.index(text), prompt.index(text) + len(text)
