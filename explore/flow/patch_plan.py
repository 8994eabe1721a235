"""What a patching compares: two runs, a metric, and the cells of layers and positions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

import numpy as np

from explore.edits import Part, ReplaceStates, places_of
from explore.edits.places import checked_where
from explore.errors import ParameterError
from explore.flow.depth_windows import LayerWindows, layer_windows
from explore.flow.patch_grid import Metric
from explore.trace import Trace


@dataclass(frozen=True)
class Target:
    """The metric of a run.

    Parameters
    ----------
    answer, foil
        Token ids.
    metric
        "logit_difference" or "probability".
    """

    answer: int
    foil: int
    metric: Metric

    def of(self, logits: np.ndarray) -> np.ndarray:
        """The metric of predictions (..., vocabulary), float64."""
        values = np.asarray(logits, np.float64)
        if self.metric == "logit_difference":
            return np.asarray(values[..., self.answer] - values[..., self.foil])
        values = np.exp(values - values.max(axis=-1, keepdims=True))
        return np.asarray(values[..., self.answer] / values.sum(axis=-1))


def target_of(
    trace: Trace, number: int, clean: np.ndarray, corrupt: np.ndarray, foil: int | None, metric: str
) -> Target:
    """The answer token against a foil: what the corrupted run says instead, or the clean run's second best.

    Raises
    ------
    ParameterError
        The metric is not known.
    """
    if metric not in get_args(Metric):
        raise ParameterError(f"metric={metric!r} was given", f"Allowed are {', '.join(get_args(Metric))}.")
    answer = int(trace.answer_ids[number])
    if foil is None:
        foil = int(corrupt.argmax())
        if foil == answer:
            others = np.array(clean, np.float64)
            others[answer] = -np.inf
            foil = int(others.argmax())
    return Target(answer, foil, metric)  # type: ignore[arg-type]


def require_apart(clean: float, corrupt: float) -> None:
    """Refuse two runs between which there is nothing to restore.

    Raises
    ------
    ParameterError
        Their metric is the same but for rounding.
    """
    if abs(clean - corrupt) < 1e-5 * max(1.0, abs(clean)):
        raise ParameterError(
            f"Clean and corrupted run differ by {clean - corrupt:.1e} in the metric",
            "Patching shows what carries a difference.",
            "Use a picture that changes the answer, another foil, or noise.",
        )


def columns_of(where: Any, trace: Trace, end: int) -> dict[str, np.ndarray]:
    """Name to positions of every column.

    Parameters
    ----------
    where
        None is every position from the picture on; a mapping has groups that are patched together; anything else
        positions or names, each position of which is a column of its own.
    trace
        The run.
    end
        Positions that are run.

    Raises
    ------
    ParameterError
        A group is empty.
    """
    if where is None:
        visual = trace.layout.visual
        where = np.arange(int(visual[0]) if len(visual) else 0, end)
    if isinstance(where, Mapping):
        found = {str(name): _placed(each, trace, end) for name, each in where.items()}
    else:
        found = {str(place): np.array([place], np.int64) for place in _placed(where, trace, end).tolist()}
    empty = [name for name, each in found.items() if not len(each)]
    if not found or empty:
        raise ParameterError(f"The columns {empty} have no position", f"Positions 0 to {end - 1} are run.")
    return found


def rows_of(part: Part, depth: int, layers: Sequence[int] | None, window: int | None) -> LayerWindows:
    """The layers of every row of cells: single ones for states, windows for what sublayers hand on.

    Raises
    ------
    ParameterError
        A layer is not there, or states were to be patched in windows.
    """
    if part not in get_args(Part):
        raise ParameterError(f"part={part!r} was given", f"Allowed are {', '.join(get_args(Part))}.")
    if part != "state":
        found = layer_windows(depth, window)
        chosen = range(depth) if layers is None else sorted(set(layers))
        if not set(chosen) <= set(range(depth)):
            raise ParameterError(f"layers={list(chosen)} were given", f"This part has the layers 0 to {depth - 1}.")
        return LayerWindows(np.array(chosen, np.int64), found.window, tuple(found.layers[at] for at in chosen))
    if window not in (None, 1):
        raise ParameterError(
            f"window={window} was given for states", "A state stands for all layers before it.", "Use window=1."
        )
    chosen = range(depth) if layers is None else sorted(set(layers))
    if not set(chosen) <= set(range(depth + 1)):
        raise ParameterError(f"layers={list(chosen)} were given", f"States enter the layers 0 to {depth}.")
    return LayerWindows(np.array(chosen, np.int64), 1, tuple((at,) for at in chosen))


def patches_of(
    part: Part, layers: tuple[int, ...], positions: np.ndarray, states: np.ndarray, known: np.ndarray
) -> list[ReplaceStates]:
    """The edits of one cell.

    Parameters
    ----------
    part, layers, positions
        What is replaced.
    states
        Of the other run, (layers, known positions, width).
    known
        Sequence positions of these, ascending.
    """
    at = np.searchsorted(known, positions)
    return [ReplaceStates(positions, layers=layer, part=part, values=states[layer, at]) for layer in layers]


def _placed(where: Any, trace: Trace, end: int) -> np.ndarray:
    places = places_of(checked_where(where), trace.layout, trace.prompt_length)
    return np.flatnonzero(places.mask(np.arange(end))).astype(np.int64)
