"""The k largest values of each row in an order that does not depend on how they were found."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


def best_places(values: Tensor, k: int) -> Tensor:
    """Columns of the k largest values of every row (rows, columns), largest first, (rows, k).

    Equal values keep the order of their columns, which `topk` alone does not promise.
    """
    top = values.topk(k, dim=-1)
    # Only rows in which the last place is shared by more columns than fit need the slow way.
    shared = (values >= top.values[:, -1:]).sum(-1) > k
    places = top.indices.sort(-1).values
    if bool(shared.any()):
        whole = values[shared].sort(dim=-1, descending=True, stable=True).indices[:, :k]
        places[shared] = whole.sort(-1).values
    order = values.gather(-1, places).sort(dim=-1, descending=True, stable=True).indices
    return places.gather(-1, order)
