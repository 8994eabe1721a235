"""Watches one run of the text decoder: hooks that keep references while it runs, arrays once it is over.

Inside the decoding loop nothing is computed. Pre-hooks keep the tensor that enters each wanted layer, the attention
function shows queries and keys to the `LayerRecord` of the layer that is running, and the final norm shows what goes in
and out of it. Rows, columns and copies to the host are made afterwards, once per layer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from explore.layout import ImageQueries
from explore.models.attention import AttentionCall, watched, watching
from explore.models.families.base import Family
from explore.models.plans import RecordingPlan
from explore.models.rows import LayerRecord
from explore.models.vision import VisionRecorder

_HALF_MAX = 65504.0  # the largest float16


class Recorder:
    """Keeps what a plan wants of one run.

    Parameters
    ----------
    family
        The loaded model's parts.
    plan
        What to keep.
    prompt_length
        Prompt positions; the rows that predict the answer start at the last of them.
    on_layer
        Called before every decoder layer; raises to stop the run.
    on_step
        Called with the number of finished forward passes each time a new one begins.
    """

    def __init__(
        self,
        family: Family,
        plan: RecordingPlan,
        prompt_length: int,
        on_layer: Callable[[], None] | None = None,
        on_step: Callable[[int], None] | None = None,
    ) -> None:
        self._family, self._plan, self._prompt = family, plan, prompt_length
        self._on_layer, self._on_step = on_layer, on_step
        layers = len(family.layers)
        self._states: dict[int, list[Tensor]] = {layer: [] for layer in plan.hidden_layers(layers)}
        self._normed: list[Tensor] = []
        self._records = {layer: LayerRecord() for layer in plan.row_layers(layers)}
        self._current: LayerRecord | None = None
        self._steps = 0
        self._wanted: Tensor | None = None
        self._seen = 0
        self._vision = VisionRecorder(family, plan.vision) if plan.vision else None

    @contextmanager
    def recording(self) -> Iterator[None]:
        """Everything run inside is recorded; hooks and attention selection are undone on the way out."""
        with ExitStack() as stack:
            stack.enter_context(watching(self))
            if self._records:
                stack.enter_context(watched(self._family.text_model))
            for number, layer in enumerate(self._family.layers):
                stack.enter_context(_pre_hook(layer, self._entering(number)))
            stack.enter_context(_pre_hook(self._family.final_norm, self._before_norm))
            stack.enter_context(_hook(self._family.final_norm, self._after_norm))
            if self._vision is not None:
                stack.enter_context(self._vision.recording())
            yield

    def attend(self, query: Tensor, key: Tensor, mask: Tensor | None, call: AttentionCall) -> None:
        """See `explore.models.attention.Tap`."""
        if self._vision is not None and self._vision.attend(query, key, mask, call):
            return
        if self._current is not None:
            self._current.add(query, key, mask, call, self._wanted)

    def hidden_states(self, fed: int) -> dict[int, np.ndarray]:
        """Layer to states of the first `fed` positions, each (positions_fed, width)."""
        return {layer: to_host(_joined(parts, fed)[0]) for layer, parts in self._states.items()}

    def attention_rows(self, fed: int) -> tuple[dict[int, np.ndarray], np.ndarray]:
        """Layer to weights (heads, rows, positions_fed), and the rows' sequence positions (rows,) int64."""
        places = self._plan.rows_between(self._prompt, 0, fed)
        positions = np.array(places if self._records else (), np.int64)
        if not len(positions):
            return {}, positions
        dtype = self._family.dtype
        found = {
            layer: to_host(record.rows()[0, :, : len(positions), :fed].to(dtype))
            for layer, record in self._records.items()
            if record.steps
        }
        return found, positions

    def normed(self, fed: int) -> Tensor:
        """What the head reads at the first `fed` positions, (positions_fed, width), on the model's device."""
        return _joined(self._normed, fed)[0]

    def before_norm(self, fed: int) -> Tensor:
        """What the final norm reads, if the plan keeps the last hidden layer; (positions_fed, width)."""
        return _joined(self._states[len(self._family.layers)], fed)[0]

    def vision(self, queries: Sequence[ImageQueries] = ()) -> dict[str, np.ndarray]:
        """Signals of the vision tower by name; `queries` are the learned queries of the prompt, in its order."""
        if self._vision is None:
            return {}
        return {name: to_host(values) for name, values in self._vision.signals(queries).items()}

    def _entering(self, number: int) -> Callable[..., None]:
        states, record, first = self._states.get(number), self._records.get(number), number == 0

        def before_layer(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
            entering = self._family.stream(args[0] if args else kwargs["hidden_states"])
            if first:
                self._begin_step(entering.shape[1])
            if self._on_layer is not None:
                self._on_layer()
            self._current = record
            if states is not None:
                states.append(entering)

        return before_layer

    def _begin_step(self, length: int) -> None:
        if self._on_step is not None:
            self._on_step(self._steps)
        self._steps += 1
        start, self._seen = self._seen, self._seen + length
        rows = self._plan.rows_between(self._prompt, start, self._seen)
        self._wanted = None if len(rows) == length else torch.tensor([row - start for row in rows], dtype=torch.long)

    def _before_norm(self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        last = self._states.get(len(self._family.layers))
        if last is not None:
            last.append(self._family.stream(args[0] if args else kwargs["hidden_states"]))

    def _after_norm(self, module: nn.Module, args: tuple[Any, ...], output: Tensor) -> None:
        if self._plan.columns:
            self._normed.append(output)


def to_host(values: Tensor) -> np.ndarray:
    """A numpy array: float32 as it is, half precision as float16, or float32 where float16 would overflow.

    numpy has no bfloat16. In float16 its values below 6e-5 lose digits: the error is at most 3e-8.
    """
    values = values.detach()
    if values.dtype == torch.bfloat16:
        fits = bool((values.abs().amax() <= _HALF_MAX).item()) if values.numel() else True
        values = values.to(torch.float16 if fits else torch.float32)
    array: np.ndarray = values.contiguous().cpu().numpy()
    return array


def _joined(parts: list[Tensor], fed: int) -> Tensor:
    # A library that stops one step late runs one forward pass too many: its states are cut off here.
    return torch.cat(parts, dim=1)[:, :fed] if len(parts) > 1 else parts[0][:, :fed]


@contextmanager
def _pre_hook(module: nn.Module, hook: Callable[..., None]) -> Iterator[None]:
    handle = module.register_forward_pre_hook(hook, with_kwargs=True)
    try:
        yield
    finally:
        handle.remove()


@contextmanager
def _hook(module: nn.Module, hook: Callable[..., None]) -> Iterator[None]:
    handle = module.register_forward_hook(hook)
    try:
        yield
    finally:
        handle.remove()
