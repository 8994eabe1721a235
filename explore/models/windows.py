"""Vision towers that look through windows: their patches stand window after window while the layers run.

Their order is the library's, made from the pictures' grids; here it is made once more and undone.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from explore.errors import ParameterError

_SIZES = ("spatial_merge_size", "window_size", "patch_size")


class Windows:
    """The order of a tower's patches in one run.

    Parameters
    ----------
    tower
        The image encoder.

    Raises
    ------
    ParameterError
        It has windows of another kind.
    """

    def __init__(self, tower: nn.Module) -> None:
        self._tower, self._orders = tower, list[Tensor]()
        self._index: Any = getattr(sys.modules[type(tower).__module__], "get_vision_window_index", None)
        if self._index is not None and not all(hasattr(tower, name) for name in _SIZES):
            raise ParameterError(
                f"Signals were asked of {type(tower).__name__}, whose windows put patches in an order of their own",
                "Patches must be told which visual token they belong to.",
                "Use vision=().",
            )

    @contextmanager
    def noted(self) -> Iterator[None]:
        """Take note of the grids that the tower is given."""
        hook = self._tower.register_forward_pre_hook(self._entering, with_kwargs=True)
        try:
            yield
        finally:
            hook.remove()

    def undone(self, values: Tensor, axis: int) -> Tensor:
        """Values with their patches, along an axis, in the order the tower was given them."""
        if not self._orders:
            return values
        at, ordered = 0, []
        units = sum(len(order) for order in self._orders)
        for order in self._orders:  # one for each run of the tower
            ordered.append(order.argsort() + at)
            at += len(order)
        index = torch.cat(ordered).to(values.device)
        # What stands together in a window are whole blocks of patches, one for each visual token.
        return values.unflatten(axis, (units, -1)).index_select(axis, index).flatten(axis, axis + 1)

    def _entering(self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if self._index is not None:
            grids = kwargs["grid_thw"] if "grid_thw" in kwargs else args[1]
            sizes = {name: getattr(module, name) for name in _SIZES}
            self._orders.append(self._index(grids, **sizes, kwargs={})[0])
