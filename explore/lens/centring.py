"""Directions seen from the mean of their layer instead of from the origin.

The states of a layer share a large common direction, more in some layers than in others, and a ranking by cosine over
all layers favours those. Subtracting every layer's mean from its rows, and from the query before it is compared with
them, takes that away. Source: `specs/latent-lens.md` §2.3 (no part of the paper's method).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from explore.errors import ParameterError
from explore.lens.row_store import RowStore

_BYTES = 4 * 2**20
SMALLEST = 1e-6
"""A unit vector nearer to the mean than this is rounding error, and similar to nothing."""


def layer_means(store: RowStore, layers: Sequence[int] | None = None) -> Tensor:
    """Mean row of each layer, (layers, width) float32; one pass over the rows. A layer without rows has zeros."""
    means, step = [], max(1, _BYTES // (4 * store.width))
    for layer in store.layers if layers is None else layers:
        total, count = torch.zeros(store.width, dtype=torch.float64), 0
        for part in store.parts(layer):
            for first in range(0, len(part), step):
                rows = part.floats(first, min(first + step, len(part)))
                total += rows.sum(dim=0, dtype=torch.float64)
                count += len(rows)
        means.append((total / max(count, 1)).float())
    return torch.stack(means)


def means_by_layer(
    store: RowStore, layers: Sequence[int], means: Tensor | np.ndarray | None, device: torch.device
) -> dict[int, Tensor]:
    """The mean of each searched layer, from those given for all stored layers or computed here.

    Raises
    ------
    ParameterError
        `means` has not one row of the store's width for each of its layers.
    """
    if means is None:
        return dict(zip(layers, layer_means(store, layers).to(device), strict=True))
    given = torch.as_tensor(means)
    expected = (len(store.layers), store.width)
    if tuple(given.shape) != expected:
        raise ParameterError(
            f"means has the shape {tuple(given.shape)}",
            f"One mean for each stored layer is expected: {expected}",
            "Leave means out to have them computed.",
        )
    found = dict(zip(store.layers, given.to(device).float(), strict=True))
    return {layer: found[layer] for layer in layers}


def seen_from(mean: Tensor, units: Tensor) -> Tensor:
    """Unit vectors (vectors, width) less the mean (width,), made unit again; zeros where nothing remains."""
    moved = units - mean
    lengths = torch.linalg.vector_norm(moved, dim=1, keepdim=True)
    return torch.where(lengths > SMALLEST, moved / lengths.clamp_min(SMALLEST), 0.0)
