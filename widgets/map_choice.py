"""Which maps a view shows, and how they travel: one packed block for each method."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from explore.errors import NotRecordedError, ParameterError
from explore.maps import METHODS, TokenMaps
from explore.trace import Trace
from widgets.codec import pack_maps

LABELS = {"tam": "Token activation", "logit": "Logit", "random": "Random"}
"""What the buttons say; a method without a line here is called by its name."""
CONTROLS = frozenset({"random"})

Maps = TokenMaps | Mapping[str, TokenMaps] | None


def chosen_maps(trace: Trace, maps: Maps) -> tuple[dict[str, TokenMaps], str]:
    """Maps by method name, and a note where there are none.

    Parameters
    ----------
    trace
        The run.
    maps
        What the user gave: maps of one method, several by name, or None for token activation maps with their raw
        start and the random control beside them.

    Raises
    ------
    ParameterError
        Maps of another run, or something that is no maps.
    """
    if maps is None:
        try:
            return {name: METHODS[name]().maps(trace) for name in LABELS}, ""
        except (NotRecordedError, ParameterError) as problem:
            return {}, str(problem)
    named = {_name_of(maps): maps} if isinstance(maps, TokenMaps) else dict(maps)
    for name, each in named.items():
        if not isinstance(each, TokenMaps):
            raise ParameterError(
                f"maps[{name!r}] is a {type(each).__name__}", "Maps come from explore.maps, by method name."
            )
        if len(each.layout) != len(trace.layout) or not np.array_equal(each.layout.visual, trace.layout.visual):
            raise ParameterError(
                f"maps[{name!r}] belongs to another run", "Its layout differs from the trace's.", "Compute it again."
            )
    return named, ""


def method_state(name: str, maps: TokenMaps) -> dict[str, Any]:
    """One method for ``static/maps.js``: a row for each token, then one for each word of several pieces."""
    words = [word for word in maps.words if len(word.tokens) > 1]
    rows = np.concatenate([maps.array, *(maps.flat(word)[None] for word in words)])
    method = METHODS.get(name)
    return {
        "name": name,
        "label": LABELS.get(name, name),
        "about": f"{LABELS.get(name, name)}: {method.source}" if method else name,
        "control": name in CONTROLS,
        "positions": [token.position for token in maps.tokens],
        "words": [list(word.positions) for word in words],
        "packed": pack_maps(rows),
    }


def _name_of(maps: TokenMaps) -> str:
    return str(maps.fingerprint.get("maps", {}).get("method", "maps"))
