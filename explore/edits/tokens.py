"""Going on with fewer visual tokens: some dropped, or several merged into one.

Both really shorten the sequence from a layer on; the tokens that stay keep their positions. The opposite, inserting
tokens, is not offered: see the package's text.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from explore.edits.edit import Edit, layers_within
from explore.edits.places import Where, checked_where
from explore.errors import ParameterError


@dataclass(frozen=True, eq=False)
class DropTokens(Edit):
    """Visual tokens that leave the decoder's sequence.

    Parameters
    ----------
    tokens
        Positions of visual tokens.
    layer
        The first decoder layer that goes without them.
    """

    kind: ClassVar[str] = "drop_tokens"

    tokens: Where
    layer: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "tokens", checked_where(self.tokens))

    def where(self) -> tuple[Where, ...]:
        return (self.tokens,)

    def layer_numbers(self, layers: int) -> tuple[int, ...]:
        return layers_within((self.layer,), layers - 1)


@dataclass(frozen=True, eq=False)
class MergeTokens(Edit):
    """Groups of visual tokens, each of which goes on as one: their mean, at the place of the group's first token.

    Parameters
    ----------
    groups
        Positions of each group, at least two; no position may be in two groups.
    layer
        The first decoder layer that goes on with the means.
    """

    kind: ClassVar[str] = "merge_tokens"

    groups: tuple[tuple[int, ...], ...]
    layer: int = 0

    def __post_init__(self) -> None:
        groups = tuple(tuple(sorted(int(each) for each in group)) for group in self.groups)
        flat = [each for group in groups for each in group]
        if not groups or min(map(len, groups)) < 2 or len(set(flat)) != len(flat) or min(flat) < 0:
            raise ParameterError(
                f"The groups {groups!r:.80} were given", "Each has at least two positions, and none is in two of them."
            )
        object.__setattr__(self, "groups", groups)

    @property
    def left_out(self) -> tuple[int, ...]:
        """Positions that leave the sequence."""
        return tuple(each for group in self.groups for each in group[1:])

    def where(self) -> tuple[Where, ...]:
        return tuple(each for group in self.groups for each in group)

    def layer_numbers(self, layers: int) -> tuple[int, ...]:
        return layers_within((self.layer,), layers - 1)
