"""The best rows of every query so far, while rows come by chunk after chunk."""

from __future__ import annotations

import torch
from torch import Tensor


class RunningBest:
    """Keeps the `k` best of what it is offered, in a fixed order: value down, then the order of offering.

    Parameters
    ----------
    queries, k
        Offered in the order of layer and row, ties end up in that order too.
    """

    def __init__(self, queries: int, k: int, device: torch.device | str = "cpu") -> None:
        self.k = k
        self.values = torch.full((queries, k), -torch.inf, device=device)
        self.layers = torch.full((queries, k), -1, dtype=torch.int64, device=device)
        self.rows = torch.full((queries, k), -1, dtype=torch.int64, device=device)

    def worth_a_look(self, first: int, values: Tensor, slack: float = 0.0) -> tuple[Tensor, Tensor]:
        """Which values of a chunk may be among the best: (query, place in the chunk), ordered by both.

        Parameters
        ----------
        first
            Number of the query of the first row of `values`.
        values
            (queries, places).
        slack
            How far values may be from what will be offered.
        """
        floor = self.values[first : first + len(values), -1]
        if values.shape[1] >= self.k:
            floor = torch.maximum(floor, values.topk(self.k, dim=1, sorted=False).values.amin(dim=1))
        query, place = (values >= (floor - slack)[:, None]).nonzero(as_tuple=True)
        return query + first, place

    def offer(self, queries: Tensor, values: Tensor, layer: int, rows: Tensor) -> None:
        """Take what is good enough of some rows of one layer.

        Parameters
        ----------
        queries, values, rows
            Query, value and row of each pair, (pairs,); ordered by query, then row.
        """
        if not len(queries):
            return
        asked, group, counts = torch.unique_consecutive(queries, return_inverse=True, return_counts=True)
        column = torch.arange(len(queries), device=queries.device) - (counts.cumsum(0) - counts)[group]
        shape = (len(asked), int(counts.max()))
        offered = values.new_full(shape, -torch.inf)
        offered[group, column] = values
        numbers = rows.new_full(shape, -1)
        numbers[group, column] = rows

        merged = torch.cat([self.values[asked], offered], dim=1)
        best = merged.argsort(dim=1, descending=True, stable=True)[:, : self.k]
        layers = torch.cat([self.layers[asked], torch.full_like(numbers, layer)], dim=1)
        self.values[asked] = merged.gather(1, best)
        self.layers[asked] = layers.gather(1, best)
        self.rows[asked] = torch.cat([self.rows[asked], numbers], dim=1).gather(1, best)

    def replace(self, first: int, other: RunningBest) -> None:
        """Take the results of some consecutive queries from elsewhere."""
        here = slice(first, first + len(other.values))
        self.values[here], self.layers[here], self.rows[here] = other.values, other.layers, other.rows
