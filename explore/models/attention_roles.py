"""Who may take part in the watched attention calls of a run: listeners, keepers, editors, kept beginnings."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor


class Tap(Protocol):
    """Listens to the attention calls of one run."""

    def attend(self, query: Tensor, key: Tensor, mask: Tensor | None, call: AttentionCall) -> None:
        """Called once per attention call, before the output is computed.

        Parameters
        ----------
        query
            (batch, heads, queries, head_width)
        key
            (batch, kv_heads, keys, head_width), cached keys first, not repeated over query heads.
        mask
            Broadcastable to (batch, heads, queries, keys): bool with True = may attend, or a float that is added;
            None means causal where `call.causal`, else everything.
        """
        ...


class Keeper(Protocol):
    """Keeps everything that goes in and out of the attention calls of one run."""

    def keep(
        self, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, call: AttentionCall, output: Tensor
    ) -> None:
        """Called once per attention call, after it; shapes as in `Tap.attend`.

        Parameters
        ----------
        value
            (batch, kv_heads, keys, head_width).
        output
            (batch, queries, heads, head_width), before the output projection.
        """
        ...


class Editor(Protocol):
    """Changes what the attention calls of one run see, and what comes of it; see `explore.models.editing`."""

    @property
    def zeroes(self) -> bool:
        """Whether the call's output has to be changed too."""
        ...

    def mask(self, query: Tensor, key: Tensor, mask: Tensor | None, causal: bool, keys: int) -> Tensor | None:
        """The mask to go on with; arguments as in `Tap.attend`, `keys` counts those of a kept beginning too."""
        ...

    def output(
        self, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, call: AttentionCall, output: Tensor
    ) -> Tensor:
        """What to hand on in place of the output, (batch, queries, heads, head_width)."""
        ...


class Beginning(Protocol):
    """Keys and values of the beginning of a sequence that is not run again; see `explore.models.editing_prefix`."""

    @property
    def length(self) -> int:
        """Its positions."""
        ...

    def mask(self, device: torch.device) -> Tensor:
        """The mask of the next call's queries over all keys, those of the beginning first."""
        ...

    def attend(self, query: Tensor, key: Tensor, value: Tensor, mask: Tensor, call: AttentionCall) -> Tensor:
        """The output over all keys, (batch, queries, heads, head_width)."""
        ...

    def whole(self, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        """Keys and values of all positions, (batch, kv_heads, keys, head_width)."""
        ...


class AttentionCall:
    """The scalars of one attention call: scaling of the scores, soft cap, whether None means causal."""

    __slots__ = ("causal", "scaling", "softcap")

    def __init__(self, scaling: float, softcap: float | None, causal: bool) -> None:
        self.scaling, self.softcap, self.causal = scaling, softcap, causal
