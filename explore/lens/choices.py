"""Which layers and tokens of a trace a lens reads."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray

from explore.errors import ParameterError
from explore.lens.layer_rule import contextual_layers
from explore.trace import Token, Trace

Tokens = int | Token | Sequence[int | Token] | NDArray[np.integer]
"""What picks tokens: sequence positions or tokens, one or several."""


def chosen_layers(trace: Trace, layers: Iterable[int] | None) -> tuple[int, ...]:
    """The layers to read, ascending and each once.

    Raises
    ------
    NotRecordedError
        One of them was not recorded.
    ParameterError
        One of them is not there, or none was named.
    """
    if layers is None:
        usual = (0, *contextual_layers(trace.layers))
        found = [layer for layer in usual if layer in trace.hidden_states]
        # Nothing of the usual layers: the trace itself says which it has and how to record more.
        return tuple(found) if found else (_recorded(trace, usual[-1]),)
    wanted = sorted({_recorded(trace, layer) for layer in layers})
    if not wanted:
        raise ParameterError("No layer was named", f"Layers count from 0 to {trace.layers}.")
    return tuple(wanted)


def chosen_positions(trace: Trace, positions: Tokens | None) -> NDArray[np.int64]:
    """Sequence positions to read, each once, in the order given, (tokens,) int64.

    Raises
    ------
    ParameterError
        There is no such position, or it has no state.
    """
    if positions is None:
        if not len(trace.layout.visual):
            raise ParameterError(
                "The trace has no visual tokens", "", "Ask about a picture, or name tokens: positions=[...]."
            )
        return trace.layout.visual
    one: Any = positions
    given: Iterable[Any] = [one] if isinstance(one, Integral | Token) else one
    found = list(dict.fromkeys(int(each.position if isinstance(each, Token) else each) for each in given))
    wrong = [each for each in found if not 0 <= each < trace.positions_fed]
    if wrong or not found:
        raise ParameterError(
            f"positions={found} were given, of which {wrong} have no state" if found else "No position was named",
            f"States are there for 0 to {trace.positions_fed - 1}; the last answer token never went through the model.",
        )
    return np.array(found, np.int64)


def _recorded(trace: Trace, layer: int) -> int:
    trace.hidden(layer)  # raises the trace's own error where it was not recorded
    return int(layer)
