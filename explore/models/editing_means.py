"""Mean attention of some rows, taken while a run goes on: no layer's weights outlive it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from explore.models.attention import AttentionCall, keeping
from explore.models.rows import LayerRecord


class MeanRows:
    """Attention of sets of rows, mean over heads and rows; a `Keeper` for one forward pass over a whole sequence.

    Parameters
    ----------
    layers
        The decoder's.
    rows
        Sets of query positions.
    length
        Positions of the sequence.
    """

    def __init__(self, layers: Sequence[nn.Module], rows: Sequence[np.ndarray], length: int) -> None:
        self._layers, self._layer = layers, 0
        self._rows = [np.asarray(each, np.int64) for each in rows]
        self.means = [np.zeros((len(layers), length), np.float32) for _ in rows]
        """For every set (layers, positions) float32."""

    @contextmanager
    def recording(self) -> Iterator[None]:
        """The run inside is watched."""
        with ExitStack() as stack, keeping(self):
            for number, layer in enumerate(self._layers):
                stack.callback(layer.register_forward_pre_hook(self._entering(number)).remove)
            yield

    def keep(
        self, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, call: AttentionCall, output: Tensor
    ) -> None:
        """See `explore.models.attention.Keeper`."""
        wanted = np.unique(np.concatenate(self._rows)) if self._rows else np.empty(0, np.int64)
        if not len(wanted):
            return
        record = LayerRecord()
        record.add(query, key, mask, call, torch.from_numpy(wanted))
        weights = record.rows()[0].mean(dim=0).cpu().numpy()  # (wanted, positions)
        for means, rows in zip(self.means, self._rows, strict=True):
            means[self._layer] = weights[np.searchsorted(wanted, rows)].mean(axis=0)

    def _entering(self, number: int) -> Callable[..., None]:
        def before(module: nn.Module, args: Any) -> None:
            self._layer = number

        return before
