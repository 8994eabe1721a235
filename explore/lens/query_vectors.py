"""What a search is asked: directions of unit length, checked before any row is read."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch
from torch import Tensor

from explore.errors import ParameterError
from explore.lens.row_store import RowStore


def unit_vectors(vectors: Tensor | np.ndarray, width: int, *, device: torch.device | str = "cpu", what: str) -> Tensor:
    """Vectors of any number type and length as unit vectors, (vectors, width) float32.

    They are cast, then divided by their largest entry, before anything is squared: norms of visual tokens reach 1e6,
    whose square no half precision holds.

    Parameters
    ----------
    vectors
        (vectors, width).
    what
        What one of them is called in messages.

    Raises
    ------
    ParameterError
        They are no matrix of this width, or one of them is zero or not finite; the message names its number.
    """
    given = torch.as_tensor(vectors)
    if given.ndim != 2 or given.shape[1] != width:
        raise ParameterError(
            f"{what.capitalize()} vectors have the shape {tuple(given.shape)}",
            f"Expected are rows of {width} numbers: (any number, {width})",
            "Compare states of the model that the rows were made with.",
        )
    given = given.detach().to(device)
    numbers = given if given.dtype == torch.float64 else given.float()
    largest = numbers.abs().amax(dim=1, keepdim=True) if width else numbers.new_zeros(len(numbers), 1)
    _require(~torch.isfinite(largest[:, 0]), what, "holds infinite or undefined numbers")
    _require(largest[:, 0] == 0, what, "is zero everywhere and has no direction")
    scaled = (numbers / largest).float()
    return scaled / torch.linalg.vector_norm(scaled, dim=1, keepdim=True)


def wanted_layers(store: RowStore, layers: Iterable[int] | None) -> tuple[int, ...]:
    """The layers to search, ascending and each once; None means all.

    Raises
    ------
    ParameterError
        A layer that the store does not hold.
    """
    if layers is None:
        return store.layers
    wanted = tuple(sorted({int(each) for each in layers}))
    missing = [each for each in wanted if each not in store.layers]
    if missing or not wanted:
        given = f"Layer {missing[0]} was asked for" if missing else "No layer was asked for"
        raise ParameterError(given, f"Rows are stored of layers {', '.join(map(str, store.layers))}.")
    return wanted


def require_k(k: int) -> int:
    """`k` itself; raises `ParameterError` unless it is at least 1."""
    if k < 1:
        raise ParameterError(f"k={k} was given", "At least one neighbour has to be asked for.")
    return int(k)


def _require(bad: Tensor, what: str, wrong: str) -> None:
    places = bad.nonzero()[:, 0].tolist()
    if places:
        more = f" ({len(places)} are like this)" if len(places) > 1 else ""
        raise ParameterError(
            f"{what.capitalize()} {places[0]} {wrong}{more}",
            "Every one needs a finite direction.",
            "Leave such positions out.",
        )
