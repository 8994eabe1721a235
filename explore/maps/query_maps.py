"""Where learned queries look: maps of the compressor's own attention, and through them a word's.

Visual tokens that are learned queries lie in no grid; the patches that they read do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from explore.errors import NotRecordedError, ParameterError
from explore.layout import ImageQueries
from explore.maps.overlay import draw_heat
from explore.maps.query_use import uniform_use, use_of_queries
from explore.maps.result import Key
from explore.maps.through_map import ThroughMap, grid_of, picture_of
from explore.trace import Trace

RECORD = 'Run again with record=RecordingPlan(vision=("query_attention",)).'

Which = int | Sequence[int] | None


def query_attention(trace: Trace, layer: Which = None, heads: Which | Literal["mean"] = "mean") -> QueryMaps:
    """Where every learned query of a run looks, from the recorded attention of its compressor.

    Source: attention weights of Vaswani et al., NeurIPS 2017, arXiv 1706.03762, in the module that reads the patches:
    the Q-Former of Li et al., ICML 2023, arXiv 2301.12597, the perceiver of Jaegle et al., ICML 2021, 2103.03206.
    Attention says where a query could read, not what it took; from the second layer on a query also holds what it and
    other queries read before.

    Parameters
    ----------
    trace
        A run recorded with ``vision=("query_attention",)``.
    layer
        Layer of the compressor, counted from 0 over those that read patches, or several; None is the mean of all.
    heads
        A head, several, or "mean" over all.

    Raises
    ------
    ParameterError
        The run's visual tokens lie in a grid, or nobody knows where the patches are, or there is no such layer or head.
    NotRecordedError
        The run does not hold the attention; the message says how to record it.
    """
    _require_queries(trace)
    weights = trace.vision["query_attention"]
    layers = _chosen("layer", layer, weights.shape[0])
    chosen = _chosen("heads", None if isinstance(heads, str) and heads == "mean" else heads, weights.shape[1])
    mean = weights[np.ix_(layers, chosen)].mean(axis=(0, 1), dtype=np.float64).astype(np.float32)
    return QueryMaps(trace, mean, tuple(layers), tuple(chosen))


@dataclass(frozen=True, eq=False)
class QueryMaps:
    """Maps of all learned queries over the patches they read; keys are the queries' sequence positions.

    `maps[position]` is (rows, cols) float32 over the patches of the query's own view (picture, frame or tile): the
    share of the query's attention that each patch got. It sums to less than 1 where a class token, padding or other
    queries got the rest: `elsewhere`.

    Parameters
    ----------
    trace
        The run.
    array
        (queries, patches) float32: queries in the order of the sequence, patches of all views one after the other, each
        row by row. Weights at other views' patches are 0.
    layers, heads
        Of the compressor, that were averaged.
    """

    trace: Trace
    array: NDArray[np.float32]
    layers: tuple[int, ...]
    heads: tuple[int, ...]

    def __getitem__(self, position: int) -> NDArray[np.float32]:
        number = self.number(position)
        view = self.views[number]
        found: NDArray[np.float32] = self.array[self._row_of[int(position)], self.columns[number]].reshape(view.shape)
        return found

    def __len__(self) -> int:
        return len(self.array)

    @property
    def views(self) -> tuple[ImageQueries, ...]:
        """Queries and patches of every picture, frame or tile."""
        return self.trace.layout.queries

    @cached_property
    def positions(self) -> NDArray[np.int64]:
        """Sequence position of every query, (queries,)."""
        return np.concatenate([view.positions for view in self.views])

    @cached_property
    def columns(self) -> tuple[slice, ...]:
        """Which columns of `array` are the patches of each view."""
        ends = np.cumsum([0, *(rows * cols for rows, cols in (view.shape for view in self.views))]).tolist()
        return tuple(slice(start, end) for start, end in pairwise(ends))

    def number(self, position: int) -> int:
        """Which of `views` a query belongs to.

        Raises
        ------
        ParameterError
            No query stands at this position.
        """
        row = self._row_of.get(int(position))
        if row is None:
            raise ParameterError(
                f"There is no query at position {position}",
                f"The {len(self)} queries stand at {self.positions.min()} to {self.positions.max()}: maps.positions.",
            )
        return int(np.searchsorted(np.cumsum([len(view.positions) for view in self.views]), row, side="right"))

    def elsewhere(self, position: int) -> float:
        """The share of a query's attention that no patch got: class token, padding, other queries; 0..1."""
        return max(0.0, 1.0 - float(self[position].sum(dtype=np.float64)))

    def through(self, token: Key, control: Literal["uniform"] | None = None) -> ThroughMap:
        """Where a token looked, in two steps: how much it used each query, times where that query looks.

        A proxy, and not what the model computed: queries mix what they read, the decoder mixes queries over its layers,
        and attention of either is no measure of what was taken. Hold it against its control.

        Parameters
        ----------
        token
            A position, token or word of the answer; the pieces of a word are averaged. Tokens of the question have one
            where their rows were recorded.
        control
            "uniform" uses every query alike, whatever the token.

        Raises
        ------
        NotRecordedError
            Neither attention rows nor head columns were recorded for the token.
        """
        if control not in (None, "uniform"):
            raise ParameterError(f"control={control!r} was given", 'Allowed: None and "uniform".')
        use = uniform_use(len(self)) if control else use_of_queries(self.trace, token, self.positions)
        values = (use.weights @ self.array.astype(np.float64)).astype(np.float32)
        pieces = tuple(values[part].reshape(view.shape) for part, view in zip(self.columns, self.views, strict=True))
        return ThroughMap(pieces, use, self.views, self.trace.images)

    def overlay(self, position: int, *, stretch: bool = True, **look: Any) -> Image.Image:
        """The query's picture with its map over it.

        Parameters
        ----------
        position
            Sequence position of the query.
        stretch
            Draw the map's own maximum in the brightest colour; off, that is the highest value of all queries.
        **look
            opacity, colormap, size, smooth: see `explore.maps.overlay.draw_heat`.
        """
        view, values = self.views[self.number(position)], self[position]
        highest = float((values if stretch else self.array).max())
        return draw_heat(picture_of(view, self.trace.images), [grid_of(view)], [values / (highest or 1.0)], **look)

    @cached_property
    def _row_of(self) -> dict[int, int]:
        return {int(position): row for row, position in enumerate(self.positions)}


def _require_queries(trace: Trace) -> None:
    queries = trace.layout.queries
    if not queries:
        raise ParameterError(
            "query_attention was asked of a run whose visual tokens are no learned queries",
            "They lie in a grid, or there are none.",
            "Use explore.maps.METHODS, which map tokens to that grid.",
        )
    if any(each.boxes is None for each in queries):
        raise ParameterError(
            "The visual tokens of this run are learned queries, or their layout is not known, and nor is where the "
            "patches lie that they look at",
            "The trace is of a former version, or the model's compressor has no line in the table.",
            "Run it again, or add the compressor to explore/models/families/compressors.py.",
        )
    if "query_attention" not in trace.vision:
        raise NotRecordedError("Where the learned queries look was not recorded", "", RECORD)


def _chosen(name: str, which: Which, count: int) -> list[int]:
    found = list(range(count)) if which is None else list(which) if isinstance(which, Sequence) else [which]
    if not found or not all(isinstance(each, int | np.integer) and 0 <= each < count for each in found):
        raise ParameterError(f"{name}={which!r} was given", f"The compressor has 0 to {count - 1}.")
    return [int(each) for each in found]
