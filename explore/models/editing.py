"""Edits at work: hooks that change a run while it goes on, and are gone when it is over, however it ends.

They act at three places only: in the attention function (edges), before and behind decoder layers and in front of the
final norm (states), and behind attention and MLP (updates). Tokens that leave the sequence are `explore.models.drops`'.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from explore.edits import Edit
from explore.errors import CheckpointError
from explore.layout import TokenLayout
from explore.models.attention import AttentionCall, editing_attention, watched
from explore.models.drops import dropped
from explore.models.editing_cuts import edges_of, less_values, without_edges
from explore.models.editing_merges import merging
from explore.models.editing_parts import has_attention, require_editable, sublayer_of
from explore.models.editing_program import Cut, Program, program_of
from explore.models.editing_states import changed
from explore.models.families.base import Family


@contextmanager
def edited_run(
    family: Family,
    edits: Sequence[Edit],
    layout: TokenLayout,
    prompt_length: int,
    variants: Sequence[Sequence[Edit]] | None = None,
    *,
    start: int | None = None,
) -> Iterator[Program]:
    """Everything the decoder runs inside is edited.

    Parameters
    ----------
    family
        The loaded model.
    edits
        What is done to all sequences of a batch.
    layout, prompt_length
        The sequence that positions are resolved in.
    variants
        What is done besides to each sequence of a batch, in order.
    start
        Where every call begins in the sequence; None where each goes on from the one before, as in generation.

    Raises
    ------
    ParameterError, CheckpointError
        The edits do not fit the sequence or the decoder; before anything runs.
    """
    require_editable(family, [*edits, *(edit for each in variants or () for edit in each)])
    program = program_of(edits, variants, layout, prompt_length, len(family.layers))
    if program.empty:
        yield program
        return
    with ExitStack() as stack:
        if len(program.dropped):
            stack.enter_context(_fewer_tokens(family, layout, program, prompt_length))
        stack.enter_context(watched(family.text_model))
        hooks = _Hooks(family, program, prompt_length, start)
        stack.enter_context(editing_attention(hooks))
        hooks.attach(stack)
        yield program


@contextmanager
def _fewer_tokens(family: Family, layout: TokenLayout, program: Program, prompt_length: int) -> Iterator[None]:
    visual = np.zeros(prompt_length, bool)
    visual[layout.visual] = True
    kept = np.setdiff1d(np.arange(prompt_length), program.dropped)
    # The means are made while all tokens are there, so before they are dropped: hooks run in the order of attaching.
    with merging(family, program), dropped(family, visual, kept, layer=program.site):
        yield


class _Hooks:
    """The hooks of one run. From one call to the next they remember only how far the sequence is."""

    def __init__(self, family: Family, program: Program, prompt: int, start: int | None) -> None:
        self._family, self._program, self._prompt, self._start = family, program, prompt, start
        self._layer: int | None = None
        self._cut: Tensor | None = None
        self._attended = False
        self._seen = 0
        self._all = self._rows = np.empty(0, np.int64)  # positions seen so far, and those of this call

    def attach(self, stack: ExitStack) -> None:
        """Attach all hooks; the stack takes them away."""
        modules = [*self._family.layers, self._family.final_norm]
        for number, module in enumerate(modules):
            stack.callback(module.register_forward_pre_hook(self._entering(number), with_kwargs=True).remove)
            if number < len(self._family.layers):
                stack.callback(module.register_forward_hook(self._leaving(number), with_kwargs=True).remove)
        for part, layer in self._program.changes:
            if part in ("attention", "mlp"):
                module = sublayer_of(self._family, layer, part)
                stack.callback(module.register_forward_hook(self._handed_on(part, layer)).remove)

    def mask(self, query: Tensor, key: Tensor, mask: Tensor | None, causal: bool, keys: int) -> Tensor | None:
        """See `explore.models.attention.Editor`."""
        self._attended, self._cut = True, None
        cuts = self._program.cuts.get(self._layer, []) if self._layer is not None else []
        masked, zeroed = ([cut for cut in cuts if cut.edit.zero_value is kind] for kind in (False, True))
        if not cuts:
            return mask
        rows, columns = self._own_rows(self._layer), self._own_columns(self._layer)[-keys:]
        placed = [torch.from_numpy(each).to(query.device) for each in (rows, columns)]
        edges = self._edges(masked, rows, columns, query)
        if edges is not None:
            mask = without_edges(mask, edges, placed[0], placed[1], causal)
        self._cut = self._edges(zeroed, rows, columns, query)
        if self._cut is not None and mask is None:
            mask = without_edges(None, torch.zeros_like(self._cut[:1, :1]), placed[0], placed[1], causal)
        return mask

    @property
    def zeroes(self) -> bool:
        """See `explore.models.attention.Editor`."""
        return self._cut is not None

    def output(
        self, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, call: AttentionCall, output: Tensor
    ) -> Tensor:
        """See `explore.models.attention.Editor`."""
        assert self._cut is not None
        assert mask is not None
        return less_values(output, query, key, value, mask, self._cut, call)

    def _edges(self, cuts: list[Cut], rows: np.ndarray, columns: np.ndarray, query: Tensor) -> Tensor | None:
        return edges_of(cuts, rows, columns, query.shape[1], self._program.variants, query.device) if cuts else None

    def _own_rows(self, layer: int | None) -> np.ndarray:
        return self._without_gone(self._rows, layer)

    def _own_columns(self, layer: int | None) -> np.ndarray:
        return self._without_gone(self._all, layer)

    def _without_gone(self, positions: np.ndarray, layer: int | None) -> np.ndarray:
        """Positions of a call that are still there in a layer; `layer` may be the depth, for the final norm."""
        gone = self._program.dropped
        if not len(gone) or layer is None or layer < self._program.site:
            return positions
        return positions[~np.isin(positions, gone)]

    def _begin(self, length: int) -> None:
        """A call of the decoder begins with so many tokens in its first layer."""
        if self._start is not None:
            self._all = np.arange(self._start + length)
            self._rows = self._all[self._start :]
            return
        if not self._seen and not self._program.site:
            length += len(self._program.dropped)
        self._rows = np.arange(self._seen, self._seen + length)
        self._seen += length
        self._all = np.arange(self._seen)

    def _entering(self, number: int) -> Callable[..., Any]:
        changes, depth = self._program.changes.get(("state", number), []), len(self._family.layers)

        def before(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
            states = args[0] if args else kwargs["hidden_states"]
            if number == 0:
                self._begin(self._family.stream(states).shape[1])
            self._layer, self._attended = (number if number < depth else None), False
            if not changes:
                return None
            # In the layer where tokens leave they are still there when this hook runs.
            made = changed(states, changes, self._positions(states, number))
            return ((made, *args[1:]), kwargs) if args else (args, {**kwargs, "hidden_states": made})

        return before

    def _leaving(self, number: int) -> Callable[..., Any]:
        frozen = self._program.changes.get(("frozen", number), [])
        must = bool(self._program.cuts.get(number)) and has_attention(self._family, number)

        def behind(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> Any:
            self._layer = None
            if must and not self._attended:
                raise CheckpointError(
                    f"Layer {number} of {type(self._family.text_model).__name__} did not call the attention function",
                    "Its edges were not cut.",
                    "Cut edges in other layers, or use another model.",
                )
            if not frozen:
                return None
            before = args[0] if args else kwargs["hidden_states"]
            return _with_first(output, lambda own: changed(own, frozen, self._positions(own, number), before))

        return behind

    def _handed_on(self, part: str, layer: int) -> Callable[..., Any]:
        changes = self._program.changes[part, layer]

        def behind(module: nn.Module, args: tuple[Any, ...], output: Any) -> Any:
            def edit(own: Tensor) -> Tensor:
                # Some MLPs hand on all tokens of a batch as one list.
                rows = len(self._own_rows(layer))
                states = own if own.ndim == 3 else own.reshape(-1, rows, own.shape[-1])
                return changed(states, changes, self._positions(states, layer)).reshape(own.shape)

            return _with_first(output, edit)

        return behind

    def _positions(self, states: Tensor, layer: int) -> np.ndarray:
        """Sequence positions of the rows of states in or before a layer."""
        rows = self._rows if states.shape[1] == len(self._rows) else self._own_rows(layer)
        assert states.shape[1] == len(rows), (states.shape, len(rows))
        return rows


def _with_first(output: Any, edit: Callable[[Tensor], Tensor]) -> Any:
    """A module's output with its first tensor edited; some hand on a tuple."""
    if isinstance(output, Tensor):
        return edit(output)
    return type(output)((edit(output[0]), *output[1:]))
