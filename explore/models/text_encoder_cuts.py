"""Attention edges cut inside a text encoder, by layer and head."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from explore.edits import CutEdges, Edit
from explore.errors import CheckpointError, ParameterError
from explore.layout import TokenLayout
from explore.models.attention import AttentionCall
from explore.models.editing_cuts import edges_of, without_edges
from explore.models.editing_program import program_of


class EncoderCuts:
    """An `explore.models.attention_roles.Editor` that takes edges from the calls of one run.

    Parameters
    ----------
    edits
        What to cut.
    layout
        The prompt that positions are resolved in.
    depth
        Layers of the encoder; each makes one call, in order.

    Raises
    ------
    ParameterError
        An edit does something else, or names positions or layers that are not there.
    """

    zeroes = False

    def __init__(self, edits: Sequence[Edit], layout: TokenLayout, depth: int) -> None:
        for edit in edits:
            if not isinstance(edit, CutEdges) or edit.zero_value:
                raise ParameterError(
                    f"{edit!r} was given for a text encoder", "Text encoders take CutEdges without zero_value."
                )
        self._cuts = program_of(edits, None, layout, len(layout), depth).cuts
        self._depth, self._calls = depth, 0

    def mask(self, query: Tensor, key: Tensor, mask: Tensor | None, causal: bool, keys: int) -> Tensor | None:
        """The mask of the next layer's call less what is cut there."""
        layer, self._calls = self._calls, self._calls + 1
        places = np.arange(keys)
        cut = edges_of(self._cuts.get(layer, []), places, places, query.shape[1], None, query.device)
        if cut is None:
            return mask
        rows = torch.arange(keys, device=query.device)
        return without_edges(mask, cut, rows, rows, causal)

    def output(
        self, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, call: AttentionCall, output: Tensor
    ) -> Tensor:
        """What was said, unchanged."""
        return output

    def require_all(self) -> None:
        """Check behind the run that every layer made its call.

        Raises
        ------
        CheckpointError
            Some did not, so that which call was which layer's is not known.
        """
        if self._calls != self._depth:
            raise CheckpointError(
                f"{self._calls} attention calls were seen in an encoder of {self._depth} layers",
                "Edges are cut where every layer attends once.",
                "Leave the edits out, or use another encoder.",
            )
