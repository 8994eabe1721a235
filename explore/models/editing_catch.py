"""The states of one part of a decoder, caught while it runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from explore.edits import Part
from explore.errors import CheckpointError
from explore.models.editing_parts import sublayer_of
from explore.models.families.base import Family


@contextmanager
def catching(family: Family, part: Part, found: list[Tensor]) -> Iterator[None]:
    """The states of a part in the runs inside, layer by layer, put into `found`."""
    if family.streams > 1:
        raise CheckpointError(
            f"{type(family.model).__name__} carries {family.streams} residual streams side by side",
            "States can be patched where there is one.",
            "Cut attention edges instead, or use another model.",
        )

    def entering(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        found.append(args[0] if args else kwargs["hidden_states"])

    def handed_on(module: nn.Module, args: tuple[Any, ...], output: Any) -> None:
        own = output if isinstance(output, Tensor) else output[0]
        found.append(own if own.ndim == 3 else own.reshape(1, -1, own.shape[-1]))

    with ExitStack() as stack:
        if part == "state":
            for module in (*family.layers, family.final_norm):
                stack.callback(module.register_forward_pre_hook(entering, with_kwargs=True).remove)
        else:
            for layer in range(len(family.layers)):
                stack.callback(sublayer_of(family, layer, part).register_forward_hook(handed_on).remove)
        yield


def rows_of(states: Sequence[Tensor], positions: np.ndarray) -> np.ndarray:
    """Rows of every layer's states (1, all positions, width), (layers, positions, width) float32."""
    rows = torch.from_numpy(np.asarray(positions, np.int64))
    found = [each.detach()[0].index_select(0, rows.to(each.device)).float().cpu().numpy() for each in states]
    return np.stack(found)
