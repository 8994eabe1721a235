"""Recording a run in which tokens leave the sequence: everything keeps its place, and what is not there is NaN."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from explore.models.editing_program import Program
from explore.models.families.base import Family
from explore.models.plans import RecordingPlan
from explore.models.recorder import Recorder, to_host


class ShortRecorder(Recorder):
    """A recorder of a run with dropped tokens, entered after the edits; arguments as for `Recorder`.

    States and columns of dropped positions are NaN from the layer on that goes without them, and so are their rows of
    attention. As columns they have weight 0: nobody looked at them.
    """

    def __init__(
        self,
        family: Family,
        plan: RecordingPlan,
        prompt_length: int,
        on_layer: Callable[[], None] | None = None,
        on_step: Callable[[int], None] | None = None,
        *,
        program: Program,
    ) -> None:
        super().__init__(family, plan, prompt_length, on_layer, on_step)
        self._program = program
        self._kept = torch.from_numpy(np.setdiff1d(np.arange(prompt_length), program.dropped))
        self._rows: tuple[Tensor | None, Tensor | None] = (None, None)

    def hidden_states(self, fed: int) -> dict[int, np.ndarray]:
        """See `Recorder.hidden_states`."""
        return {layer: to_host(self._whole(parts, layer, fed)[0]) for layer, parts in self._states.items()}

    def normed(self, fed: int) -> Tensor:
        """See `Recorder.normed`."""
        return self._whole(self._normed, len(self._family.layers), fed)[0]

    def before_norm(self, fed: int) -> Tensor:
        """See `Recorder.before_norm`."""
        last = len(self._family.layers)
        return self._whole(self._states[last], last, fed)[0]

    def attention_rows(self, fed: int) -> tuple[dict[int, np.ndarray], np.ndarray]:
        """See `Recorder.attention_rows`."""
        places = self._plan.rows_between(self._prompt, 0, fed)
        positions = np.array(places if self._records else (), np.int64)
        if not len(positions):
            return {}, positions
        gone, found = torch.from_numpy(np.isin(positions, self._program.dropped)), dict[int, np.ndarray]()
        columns = torch.cat([self._kept, torch.arange(self._prompt, fed)])
        for layer, record in self._records.items():
            if not record.steps:
                continue
            rows = record.rows()[0].to(self._family.dtype).cpu()
            if layer >= self._program.site:
                short, rows = rows, rows.new_zeros(rows.shape[0], len(positions), fed)
                rows[:, gone] = torch.nan
                there = torch.nonzero(~gone)[:, 0]
                rows[:, there[:, None], columns] = short[:, : len(there), : len(columns)]
            found[layer] = to_host(rows[:, : len(positions), :fed])
        return found, positions

    def _entering(self, number: int) -> Callable[..., None]:
        plain = super()._entering(number)

        def before_layer(module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
            plain(module, args, kwargs)
            self._wanted = self._rows[number >= self._program.site]

        return before_layer

    def _begin_step(self, length: int) -> None:
        first = not self._steps
        if first and not self._program.site:
            length += len(self._program.dropped)
        super()._begin_step(length)
        whole = self._wanted
        if not first:
            self._rows = (whole, whole)
            return
        wanted = torch.arange(length) if whole is None else whole
        order = torch.cat([self._kept, torch.arange(self._prompt, length)])
        self._rows = (whole, torch.nonzero(torch.isin(order, wanted))[:, 0])

    def _whole(self, parts: list[Tensor], layer: int, fed: int) -> Tensor:
        """Steps joined, (1, positions_fed, width), with NaN where tokens were gone."""
        first, later = parts[0], parts[1:]
        if layer >= self._program.site:
            short = first
            length = short.shape[1] + len(self._program.dropped)
            first = short.new_full((short.shape[0], length, short.shape[2]), torch.nan)
            order = torch.cat([self._kept, torch.arange(self._prompt, length)]).to(short.device)
            first[:, order] = short
        return torch.cat([first, *later], dim=1)[:, :fed]


def recorder_of(program: Program, *run: Any) -> Recorder:
    """The recorder of a run with these edits; `run` is as for `Recorder`."""
    return ShortRecorder(*run, program=program) if len(program.dropped) else Recorder(*run)
