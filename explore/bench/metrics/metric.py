"""What every metric is: a few parameters, a source, and how its values add up to one number over many scenes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from explore.bench.metrics.truth import Truth


@dataclass(frozen=True)
class Metric(ABC):
    """One way to say how good a map is.

    A subclass is a frozen dataclass whose fields are its parameters, names its `name` in the table, its `source` and
    which side is `best`. Its file and one line in `table.py` are all it takes.

    Results are collected scene by scene: `tally` sums up one scene in a few columns, and `pool` makes the metric's
    value of columns added over any scenes. That is all a bootstrap over scenes needs, and it counts words, not scenes,
    where the metric does.
    """

    name: ClassVar[str]
    source: ClassVar[str]
    best: ClassVar[Literal["high", "low"]]

    @abstractmethod
    def tally(self, results: Iterable[Any]) -> NDArray[np.float64]:
        """All results of one scene as sums, (columns,)."""

    @abstractmethod
    def pool(self, tallies: ArrayLike) -> NDArray[np.float64]:
        """The metric's value of added tallies, (..., columns) to (...); NaN where nothing was counted."""


@dataclass(frozen=True)
class ScalarMetric(Metric):
    """A metric with one number for each map: its value over scenes is the mean of all numbers that are not NaN."""

    def tally(self, results: Iterable[float]) -> NDArray[np.float64]:
        values = np.fromiter(results, np.float64)
        defined = values[~np.isnan(values)]
        return np.array([defined.sum(), len(defined)], np.float64)

    def pool(self, tallies: ArrayLike) -> NDArray[np.float64]:
        return mean_of(tallies)


@dataclass(frozen=True)
class LocationMetric(ScalarMetric):
    """How well a map points at a mask. NaN where the mask is empty: there is nothing to point at."""

    def measure(self, heat: ArrayLike, truth: Truth) -> float:
        """The metric for one map.

        Parameters
        ----------
        heat
            Map over the visual tokens, (visual,), finite; only differences between tokens matter.
        truth
            What it should point at.

        Raises
        ------
        ParameterError
            The map does not fit the layout or is not finite.
        """
        values = truth.check(heat)
        return float("nan") if truth.empty else self.locate(values, truth)

    @abstractmethod
    def locate(self, heat: NDArray[np.float64], truth: Truth) -> float:
        """The metric for a checked map and a mask that some visual token sees."""


def mean_of(tallies: ArrayLike) -> NDArray[np.float64]:
    """Sum over count, (..., [sum, count]) to (...); NaN for a count of 0."""
    sums, counts = np.moveaxis(np.asarray(tallies, np.float64), -1, 0)
    return np.divide(sums, counts, out=np.full(np.shape(sums), np.nan), where=counts > 0)
