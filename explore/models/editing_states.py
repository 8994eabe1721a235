"""Changes to the rows of a tensor of states, (batch, positions, width)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from explore.edits import AddNoise, FreezeStates, ReplaceStates, ScaleStates, SkipUpdate
from explore.errors import ParameterError
from explore.models.editing_program import Change


def changed(states: Tensor, changes: Sequence[Change], positions: np.ndarray, before: Tensor | None = None) -> Tensor:
    """The states with all changes made, in order; the very same tensor where none of its rows is meant.

    Parameters
    ----------
    states
        (batch, positions, width).
    changes
        What to do.
    positions
        Sequence positions of the rows, (positions,).
    before
        What entered the layer, for frozen rows.

    Raises
    ------
    ParameterError
        New states are not as wide or as many as those they replace.
    """
    made: Tensor | None = None
    for change in changes:
        index = np.flatnonzero(change.places.mask(positions))
        if not len(index):
            continue
        made = states.clone() if made is None else made
        of = slice(None) if change.row is None else slice(change.row, change.row + 1)
        rows = torch.from_numpy(index).to(states.device)
        own = made[of].index_select(1, rows)
        new = _new(change, own, positions[index], None if before is None else before[of].index_select(1, rows))
        # One variant's rows, or those of all.
        made[of] = made[of].index_copy(1, rows, new.to(made.dtype).expand_as(own).contiguous())
    return states if made is None else made


def _new(change: Change, own: Tensor, positions: np.ndarray, before: Tensor | None) -> Tensor:
    """What stands in the place of some rows, broadcastable to (batch, rows, width)."""
    edit: Any = change.edit
    if isinstance(edit, SkipUpdate):
        return torch.zeros_like(own)
    if isinstance(edit, ScaleStates):
        return own * edit.factor
    if isinstance(edit, FreezeStates):
        assert before is not None
        return before
    if isinstance(edit, AddNoise):
        return own + torch.from_numpy(edit.drawn(change.layer, positions, own.shape[-1])).to(own)
    assert isinstance(edit, ReplaceStates)
    values: np.ndarray = edit.values
    place = np.array([int(change.places.named[:each].sum()) for each in positions])
    if values.shape[-1] != own.shape[-1] or (values.ndim == 2 and place[-1] >= len(values)):
        raise ParameterError(
            f"States of the shape {values.shape} were given for {int(change.places.named.sum())} positions",
            f"This decoder's states are {own.shape[-1]} wide: (positions, {own.shape[-1]}) or ({own.shape[-1]},).",
        )
    return torch.from_numpy(np.array(values if values.ndim == 1 else values[place])).to(own.device)
