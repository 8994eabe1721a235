"""What the token-and-image view sends of a run whose visual tokens are learned queries."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from explore.errors import ExploreError, NotRecordedError, ParameterError
from explore.layout import ImageGrid, Role
from explore.maps import QueryMaps, Word, query_attention
from explore.maps.through_map import PROXY, grid_of
from explore.trace import Token, Trace
from widgets.codec import pack_array, pack_maps
from widgets.map_choice import words_of
from widgets.pictures import describe

NO_GRID = (
    "The visual tokens of this model are learned queries: each may look at the whole picture, so they lie in no grid, "
    "and a word has no map of its own."
)


def has_queries(trace: Trace) -> bool:
    """Whether the visual tokens of a run are learned queries."""
    return bool(trace.layout.queries) and not trace.layout.grids


def query_state(trace: Trace, maps: QueryMaps | None) -> dict[str, Any]:
    """The traits of a `TokenImageView` that are made of queries: "queries", "methods", "grids", "patches", "note".

    Parameters
    ----------
    trace
        The run.
    maps
        What the user gave, or None for the mean of all layers and heads.

    Raises
    ------
    ParameterError
        Maps of another run.
    """
    if maps is None:
        try:
            maps = query_attention(trace)
        except (NotRecordedError, ParameterError) as problem:
            return _without(trace, str(problem))
    elif maps.trace.layout.to_json() != trace.layout.to_json():
        raise ParameterError("The maps of queries belong to another run", "Its layout differs.", "Compute them again.")
    grids = [grid_of(view) for view in maps.views]
    methods, use, missing = _word_maps(trace, maps)
    items = [
        {"position": int(position), "name": f"q{number}", "grid": maps.number(position)}
        for number, position in enumerate(maps.positions)
    ]
    return {
        "grids": describe(grids, trace.times),
        "patches": pack_array(np.arange(maps.array.shape[1])),
        "methods": methods,
        "queries": {
            "items": items,
            "maps": pack_maps(maps.array),
            "elsewhere": [maps.elsewhere(position) for position in maps.positions],
            "use": use,
        },
        "note": "\n".join([f"{NO_GRID} Shown is where each query looks: {_source(maps)}.", *missing]),
    }


def first_word(state: dict[str, Any]) -> int | None:
    """The token of the answer that used the queries most: what the view shows before anybody clicks."""
    spoken = {
        token["position"]
        for token in state["tokens"]
        if token["role"] == Role.ANSWER and not token["special"] and any(each.isalnum() for each in token["text"])
    }
    use = state["queries"].get("use")
    shares = {} if use is None else dict(zip(use["positions"], use["shares"], strict=False))
    return max(spoken & set(shares), key=lambda position: (shares[position] or 0, -position), default=None)


def _source(maps: QueryMaps) -> str:
    """Which attention it is, in words."""
    layers, heads = maps.trace.vision["query_attention"].shape[:2]
    chosen = _counted("layer", maps.layers, layers), _counted("head", maps.heads, heads)
    mean = "mean of " if len(maps.layers) * len(maps.heads) > 1 else ""
    return f"the compressor’s own attention to the patches of the picture, {mean}{' and '.join(chosen)}"


def _counted(name: str, chosen: tuple[int, ...], count: int) -> str:
    if len(chosen) == count:
        return f"its one {name}" if count == 1 else f"its {count} {name}s"
    return f"{name}{'' if len(chosen) == 1 else 's'} {', '.join(map(str, chosen))} of {count}"


def _without(trace: Trace, why: str) -> dict[str, Any]:
    """The state where nothing can be shown but the pictures; they are one cell each."""
    seen: dict[int, ImageGrid] = {}
    for view in trace.layout.queries:
        width, height = view.size
        whole = np.array([[[0, 0, width, height]]], np.float32)
        seen.setdefault(view.picture, ImageGrid(view.image, view.frame, 0, np.zeros((1, 1)), whole, view.size))
    return {
        "grids": describe(list(seen.values()), trace.times),
        "methods": [],
        "queries": {"items": []},
        "note": f"{NO_GRID}\n{why}",
    }


def _word_maps(trace: Trace, maps: QueryMaps) -> tuple[list[dict[str, Any]], dict[str, Any] | None, list[str]]:
    """Maps of tokens and words through the queries, with their control; how much each used every query; what is not.

    Rows are those of the tokens, then of the words of several pieces, as in `widgets.map_choice.method_state`.
    """
    spoken = [token for token in trace.tokens if token.role in (Role.QUESTION, Role.ANSWER)]
    keys: list[Token | Word] = [*spoken, *words_of(trace)]
    found, missing = [], list[str]()
    for key in keys:
        try:
            found.append((key, maps.through(key)))
        except ExploreError as problem:
            # The rows of the question are recorded on request only: that is no news. The answer's are.
            if key.role is Role.ANSWER and not missing:
                missing.append(f"Words have no map through the queries. {problem}")
    if not found:
        return [], None, missing
    values = np.stack([np.concatenate([piece.ravel() for piece in each.pieces]) for _, each in found])
    alike = np.broadcast_to(maps.array.mean(axis=0, dtype=np.float64), values.shape)
    rows = {
        "positions": [key.position for key, _ in found if isinstance(key, Token)],
        "words": [list(key.positions) for key, _ in found if isinstance(key, Word)],
    }
    weights = np.stack([each.use.weights for _, each in found])
    use = {**rows, "packed": pack_maps(weights), "shares": [each.use.share for _, each in found]}
    note = found[0][1].use.how
    methods = [
        _method("through", "Queries it used", f"{PROXY} Use: {note}.", False, rows, values),
        _method(
            "uniform",
            "All queries alike",
            "Control: the mean map of all queries, whatever the word.",
            True,
            rows,
            alike,
        ),
    ]
    return methods, use | {"how": note}, []


def _method(
    name: str, label: str, about: str, control: bool, rows: dict[str, Any], values: NDArray[np.floating]
) -> dict[str, Any]:
    """One method for ``static/maps.js``."""
    return {"name": name, "label": label, "about": about, "control": control, **rows, "packed": pack_maps(values)}
