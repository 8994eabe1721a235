"""Which pairs of query and row are still in question while products of chunks come by.

Products are rounded, so they decide nothing; but a row whose product is clearly below the `k`-th best so far can be
forgotten. Little is looked at per chunk: its few largest products, and all of them only where those do not settle it.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

_MORE = 3  # rows beyond k that are looked at for ties before all are


class Shortlist:
    """Pairs that may be among the `k` best, by products that are at most `slack` from the truth.

    Parameters
    ----------
    queries, k
        How many of each.
    slack
        Largest error of a product.
    """

    def __init__(self, queries: int, k: int, slack: float, device: torch.device) -> None:
        self.k, self._margin = k, 2 * slack
        self._top = torch.full((queries, k), -torch.inf, device=device)
        self._pairs: dict[int, list[tuple[Tensor, Tensor, Tensor]]] = {}
        self.length = 0

    def take(self, first: int, values: Tensor, layer: int, start: int) -> bool:
        """Note what a chunk has.

        Parameters
        ----------
        first, start
            Number of the query of the first row of `values`, and of the stored row of its first column.
        values
            Products, (queries, rows).
        layer
            The layer of the rows.

        Returns
        -------
        bool
            Whether its largest products are numbers; "not a number" is larger than all.
        """
        here, count = slice(first, first + len(values)), min(values.shape[1], self.k + _MORE)
        largest, place = values.topk(count, dim=1)
        if not bool(torch.isfinite(largest).all()):
            return False
        self._top[here] = torch.cat([self._top[here], largest[:, : self.k]], dim=1).topk(self.k, dim=1).values
        floor = self._top[here, -1:] - self._margin
        kept = largest >= floor
        if count < values.shape[1] and bool((unsettled := kept[:, -1].nonzero()[:, 0]).numel()):
            kept[unsettled] = False
            which, column = (values[unsettled] >= floor[unsettled]).nonzero(as_tuple=True)
            self._note(layer, unsettled[which] + first, column + start, values[unsettled[which], column])
        query, rank = kept.nonzero(as_tuple=True)
        self._note(layer, query + first, place[query, rank] + start, largest[query, rank])
        return True

    def shorten(self) -> None:
        """Forget pairs that later ones have outdone."""
        pairs, self._pairs, self.length = self._pairs, {}, 0
        for layer, some in pairs.items():
            query, row, value = (torch.cat(each) for each in zip(*some, strict=True))
            kept = value >= self._top[query, -1] - self._margin
            self._note(layer, query[kept], row[kept], value[kept])

    def drain(self) -> Iterator[tuple[int, Tensor, Tensor]]:
        """Layer, queries and rows of all pairs still in question, layers ascending; the list is empty then."""
        self.shorten()
        pairs, self._pairs, self.length = self._pairs, {}, 0
        for layer in sorted(pairs):
            query, row, _ = (torch.cat(each) for each in zip(*pairs[layer], strict=True))
            yield layer, query.cpu(), row.cpu()

    def _note(self, layer: int, queries: Tensor, rows: Tensor, values: Tensor) -> None:
        if len(queries):
            self._pairs.setdefault(layer, []).append((queries, rows, values))
            self.length += len(queries)
