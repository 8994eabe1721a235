"""How many of the true neighbours an approximate search finds, measured on some of the queries it is asked."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import Tensor

from explore.errors import ParameterError
from explore.lens.neighbours import Neighbours
from explore.lens.running_best import RunningBest

SAMPLE = 100
"""Queries that recall is measured on, unless told otherwise."""

Exact = Callable[[Tensor], Neighbours]
"""Exact search of some queries."""


@dataclass
class Recalls:
    """What was measured of one index, by settings of the search.

    An exact pass over all rows is what an index is there to avoid. It is made when settings are first used, and again
    only when a search has more queries to check than were checked before.
    """

    known: dict[Hashable, tuple[float, int]] = field(default_factory=dict)

    def attached(
        self, best: RunningBest, units: Tensor, settings: Hashable, exact: Exact, sample: int, method: str
    ) -> Neighbours:
        """The result of an approximate search with its recall beside it.

        Parameters
        ----------
        best
            What was found.
        units
            The queries, (queries, width).
        settings
            All that the recall depends on but the queries.
        sample
            How many queries, evenly spaced, to compare with exact search at most.

        Raises
        ------
        ParameterError
            `sample` is below 1.
        """
        if sample < 1:
            raise ParameterError(
                f"sample={sample} was given", "At least one query is compared with exact search: approximate results "
                "always carry their recall", "Search exactly where that costs too much."
            )  # fmt: skip
        values, layers, rows = (each.cpu().numpy() for each in (best.values, best.layers, best.rows))
        if not len(units):
            return Neighbours(values, layers, rows, method=method)
        found = Neighbours(values, layers, rows, exact=False, method=method, recall=0.0)
        count = min(sample, len(units))
        if self.known.get(settings, (0.0, 0))[1] < count:
            some = np.unique(np.linspace(0, len(units) - 1, count).astype(np.int64))
            part = replace(found, similarities=values[some], layers=layers[some], rows=rows[some])
            self.known[settings] = (part.overlap(exact(units[torch.from_numpy(some)])), len(some))
        recall, checked = self.known[settings]
        return replace(found, recall=recall, checked=checked)
