"""A prompt as a text encoder reads it, and the states that an image model is given of it: arrays and no model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from explore.errors import ParameterError
from explore.layout import Role, TokenLayout


@dataclass(frozen=True, eq=False)
class PromptTokens:
    """A prompt as tokens, filled up to a fixed length.

    Parameters
    ----------
    prompt
        The text; empty where token ids were given.
    ids
        Token ids, (positions,) int64.
    offsets
        First and last character (exclusive) of every token in the prompt, (positions, 2) int64; -1 where there is none.
    special, pads
        Which positions the tokenizer added by itself, and which only fill up, (positions,) bool.
    texts
        What each token spells, (positions,). To be read by people; items are never found by it.
    pad_id
        Token id that fills up.
    """

    prompt: str
    ids: np.ndarray
    offsets: np.ndarray
    special: np.ndarray
    pads: np.ndarray
    texts: tuple[str, ...]
    pad_id: int

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def words(self) -> np.ndarray:
        """Positions of the prompt's own tokens, neither special nor filling up, (tokens,) int64."""
        return np.flatnonzero(~self.special & ~self.pads).astype(np.int64)

    @property
    def layout(self) -> TokenLayout:
        """The prompt's own tokens are the question, all others the template."""
        own = ~self.special & ~self.pads
        return TokenLayout(tuple(Role.QUESTION if each else Role.TEMPLATE for each in own))

    def places(self, begin: int, end: int) -> np.ndarray:
        """Positions of the tokens that stand for characters begin to end (exclusive), (tokens,) int64.

        Raises
        ------
        ParameterError
            There are none, or a token reaches over the border, or offsets are not known.
        """
        if not 0 <= begin < end <= len(self.prompt):
            raise ParameterError(
                f"The characters {begin} to {end} were asked for", f"The prompt has {len(self.prompt)} characters."
            )
        found = []
        for place in self.words.tolist():
            first, last = self._letters(place)
            if first < last and first < end and last > begin:
                if first < begin or last > end:
                    raise ParameterError(
                        f"The token {self.prompt[first:last]!r} reaches over the border of {self.prompt[begin:end]!r}",
                        "An item is made of whole tokens.",
                        f"Use the characters {min(first, begin)} to {max(last, end)}.",
                    )
                found.append(place)
        if not found:
            raise ParameterError(
                f"No token stands for the characters {begin} to {end}", "An item has at least one token.", ""
            )
        return np.array(found, np.int64)

    def filled(self, positions: np.ndarray, with_id: int | None = None) -> PromptTokens:
        """The same with another token at some positions; None takes what fills up, which then counts as pads."""
        ids, pads, texts = self.ids.copy(), self.pads.copy(), list(self.texts)
        ids[positions] = self.pad_id if with_id is None else with_id
        pads[positions] = with_id is None
        for place in np.asarray(positions).tolist():
            texts[place] = "" if with_id is None else f"#{with_id}"
        return replace(self, ids=ids, pads=pads, texts=tuple(texts))

    def moved(self, by: int) -> PromptTokens:
        """The same with its own tokens `by` positions further on: pads stand before them, fewer behind.

        Raises
        ------
        ParameterError
            There are fewer pads at the end than that.
        """
        if by < 0 or not self.pads[len(self) - by :].all():
            raise ParameterError(
                f"A text of {int((~self.pads).sum())} tokens was to be moved by {by} of {len(self)} positions",
                "It stays inside the length and is only moved backwards.",
                'Use offset="own".',
            )
        at = int(self.words[0]) if len(self.words) else 0
        order = np.r_[:at, len(self) - by : len(self), at : len(self) - by].astype(np.int64)
        parts = {name: getattr(self, name)[order] for name in ("ids", "offsets", "special", "pads")}
        return replace(self, texts=tuple(self.texts[place] for place in order.tolist()), **parts)

    def _letters(self, place: int) -> tuple[int, int]:
        """Characters of a token without the space around them: tokenizers count it to one neighbour or the other."""
        first, last = (int(each) for each in self.offsets[place])
        text = self.prompt[max(first, 0) : max(last, 0)]
        return first + len(text) - len(text.lstrip()), last - (len(text) - len(text.rstrip()))


@dataclass(frozen=True, eq=False)
class PromptStates:
    """What an image model is given of a prompt.

    Parameters
    ----------
    tokens
        The prompt, filled up.
    states
        One vector per position, (positions, width) float32.
    pooled
        The whole prompt as one vector, (pooled_width,) float32; None where the encoder makes none.
    seen
        Positions that others may attend to, (positions,) bool; None where the encoder ran without a mask.
    how
        What `encode` was told: length, layer, norm and mask. Handed on, so that all prompts are read alike.
    fingerprint
        What identifies the encoder, the prompt's ids and `how`.
    """

    tokens: PromptTokens
    states: np.ndarray
    pooled: np.ndarray | None = None
    seen: np.ndarray | None = None
    how: Mapping[str, Any] = field(default_factory=dict)
    fingerprint: Mapping[str, Any] = field(default_factory=dict)

    @property
    def how_to_read(self) -> dict[str, Any]:
        """Arguments of `encode` that read another prompt alike."""
        return dict(self.how)
