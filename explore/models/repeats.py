"""A decoder's arguments for one sequence, made those of a batch of equal ones."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor


def repeated(name: str, value: Any, count: int, deep: Iterator[Tensor] | None = None) -> Any:
    """One argument for a batch of equal sequences.

    Parameters
    ----------
    name, value
        As the decoder takes it for one.
    count
        How many sequences.
    deep
        What to put in place of features that are added between layers, each (count, visual_tokens, width).
    """
    if isinstance(value, Tensor):
        if value.ndim and value.shape[0] == 1:
            spread = value.expand(count, *value.shape[1:])
            # Some decoders look at features as one long list, which takes memory of its own.
            return spread.contiguous() if value.is_floating_point() else spread
        if name == "position_ids" and value.ndim == 3 and value.shape[1] == 1:
            return value.expand(-1, count, -1)  # one row per axis of a multi-axis rotary embedding
        return value
    if isinstance(value, dict):
        return {key: _features(each, count, deep) for key, each in value.items()}
    if isinstance(value, (list, tuple)) and value and all(isinstance(each, Tensor) for each in value):
        return [_features(each, count, deep) for each in value]
    return value


def _features(value: Any, count: int, deep: Iterator[Tensor] | None) -> Any:
    """One of several things in a container: a mask for every sequence, or features that are added between layers."""
    if not is_deep(value):
        return repeated("", value, count)
    # Such features stand one sequence after the other.
    return torch.cat([value] * count) if deep is None else next(deep).flatten(0, 1)


def is_deep(value: Any) -> bool:
    """Whether one of several things in a container is features that are added between layers."""
    return isinstance(value, Tensor) and value.ndim == 2 and value.is_floating_point()


def parts_of(value: Any) -> list[Any]:
    """What stands in a container of the decoder's arguments."""
    if isinstance(value, dict):
        return list(value.values())
    return list(value) if isinstance(value, (list, tuple)) and all(isinstance(each, Tensor) for each in value) else []
