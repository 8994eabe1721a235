"""Edits resolved for one sequence: which layer does what to which positions of which variant."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from explore.edits import (
    CutEdges,
    DropTokens,
    Edit,
    FreezeStates,
    MergeTokens,
    Places,
    SkipUpdate,
    Where,
    places_of,
)
from explore.edits.states import StateEdit
from explore.errors import ParameterError
from explore.layout import TokenLayout


@dataclass(frozen=True, eq=False)
class Cut:
    """One cut in one layer; `row` is the variant it belongs to, None for all."""

    row: int | None
    source: Places
    target: Places
    edit: CutEdges


@dataclass(frozen=True, eq=False)
class Change:
    """One change of states in one layer."""

    row: int | None
    places: Places
    edit: Edit
    layer: int


@dataclass(frozen=True, eq=False)
class Program:
    """What every layer does.

    Parameters
    ----------
    cuts
        Layer to its cuts.
    changes
        (part, layer) to what is done to its states, in order; "frozen" stands beside "state", "attention" and "mlp".
    dropped
        Prompt positions that leave the sequence, (dropped,) int64 ascending.
    merged
        Groups that go on as their mean.
    site
        The layer at which they leave.
    first
        Nothing before this position is changed.
    variants
        How many sequences a batch has; None for any number of equal ones.
    """

    cuts: dict[int, list[Cut]] = field(default_factory=lambda: defaultdict(list))
    changes: dict[tuple[str, int], list[Change]] = field(default_factory=lambda: defaultdict(list))
    dropped: np.ndarray = field(default_factory=lambda: np.empty(0, np.int64))
    merged: tuple[tuple[int, ...], ...] = ()
    site: int = 0
    first: int = 0
    variants: int | None = None

    @property
    def empty(self) -> bool:
        """Whether nothing is done at all."""
        return not self.cuts and not self.changes and not len(self.dropped)


def program_of(
    shared: Sequence[Edit],
    variants: Sequence[Sequence[Edit]] | None,
    layout: TokenLayout,
    prompt_length: int,
    depth: int,
) -> Program:
    """The edits of all sequences of a batch, positions resolved.

    Parameters
    ----------
    shared
        What is done to all of them.
    variants
        What is done to each; None where there are only shared ones.
    layout, prompt_length
        The sequence they are variants of.
    depth
        Decoder layers.

    Raises
    ------
    ParameterError
        Positions that are not there, or tokens dropped in some variants only.
    """
    owned: list[tuple[int | None, Edit]] = [(None, edit) for edit in shared]
    owned += [(row, edit) for row, edits in enumerate(variants or ()) for edit in edits]
    dropped, merged, site = _sites(owned, layout, prompt_length)
    count = None if variants is None else len(variants)
    found = Program(dropped=dropped, merged=merged, site=site, variants=count)
    known: dict[object, Places] = {}

    def placed(where: Where) -> Places:
        if where not in known:
            known[where] = places_of(where, layout, prompt_length)
        return known[where]

    first = len(layout)
    for row, edit in owned:
        first = min([first, *(placed(where).first for where in edit.where())])
        layers = edit.layer_numbers(depth)
        if isinstance(edit, CutEdges):
            cut = Cut(row, placed(edit.source), placed(edit.target), edit)
            for layer in layers:
                found.cuts[layer].append(cut)
        elif isinstance(edit, (StateEdit, SkipUpdate)):
            for layer in layers:
                found.changes[edit.part, layer].append(Change(row, placed(edit.rows), edit, layer))
        elif isinstance(edit, FreezeStates):
            for layer in layers:
                found.changes["frozen", layer].append(Change(row, placed(edit.rows), edit, layer))
    object.__setattr__(found, "first", 0 if len(found.dropped) else first)
    return found


def _sites(
    owned: Sequence[tuple[int | None, Edit]], layout: TokenLayout, prompt: int
) -> tuple[np.ndarray, tuple[tuple[int, ...], ...], int]:
    """Which tokens leave the sequence (dropped,), which of them in which groups, and at which layer."""
    if any(row is not None and isinstance(edit, (DropTokens, MergeTokens)) for row, edit in owned):
        raise ParameterError(
            "Tokens would be dropped in some variants of a batch only",
            "All sequences of a batch have the same tokens.",
            "Use runner.edited(...) around the run, or cut the tokens' edges: CutEdges(tokens, 'all').",
        )
    gone, merged, site = np.zeros(prompt, bool), list[tuple[int, ...]](), 0
    for _, edit in owned:
        if isinstance(edit, MergeTokens):
            if max(group[-1] for group in edit.groups) >= prompt:
                raise ParameterError("Positions behind the prompt would be merged", f"The prompt has {prompt}.")
            merged, site = [*merged, *edit.groups], edit.layer
            gone[list(edit.left_out)] = True
        elif isinstance(edit, DropTokens):
            site, places = edit.layer, places_of(edit.tokens, layout, prompt)
            gone |= places.mask(np.arange(prompt))
    if any(gone[group[0]] for group in merged):
        raise ParameterError("A group's first token would be dropped", "It goes on as the group's mean.")
    return np.flatnonzero(gone), tuple(merged), site
