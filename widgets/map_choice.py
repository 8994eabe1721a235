"""Which maps a view shows, and how they travel: one packed block for each method."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from explore.errors import ExploreError, NotRecordedError, ParameterError
from explore.layout import Role
from explore.maps import METHODS, TokenMaps, Word
from explore.maps.words import group_words
from explore.trace import Trace
from widgets.codec import pack_maps

DEFAULT = ("tam", "logit", "random")
"""What is computed where nobody gave maps: token activation, the raw map it starts from, and a control."""
LABELS = {
    "tam": "Token activation",
    "logit": "Logit",
    "attention": "Attention",
    "rollout": "Attention rollout",
    "value_norm": "Value-weighted attention",
    "relevance": "Gradient relevance",
    "grad_cam": "Grad-CAM",
    "integrated_gradients": "Integrated gradients",
    "occlusion": "Occlusion",
    "ablation": "Feature ablation",
    "similarity": "Similarity",
    "knockout": "Attention knockout",
    "random": "Random",
    "centre": "Centre",
}
"""What methods are called on the screen; one without a line here is called by its name."""

RERUN = "they run the model again. Compute explore.maps.METHODS[name]().maps(trace) and give all maps by name."

Maps = TokenMaps | Mapping[str, TokenMaps] | None


def chosen_maps(trace: Trace, maps: Maps) -> tuple[dict[str, TokenMaps], str]:
    """Maps by method name, and a note where there are none.

    Parameters
    ----------
    trace
        The run.
    maps
        What the user gave: maps of one method, several by name, or None for those of `DEFAULT`.

    Raises
    ------
    ParameterError
        Maps of another run, or something that is no maps.
    """
    if maps is None:
        try:
            return {name: METHODS[name]().maps(trace) for name in DEFAULT}, ""
        except (NotRecordedError, ParameterError) as problem:
            return {}, str(problem)
    named = {method_of(maps): maps} if isinstance(maps, TokenMaps) else dict(maps)
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


def possible_maps(trace: Trace) -> tuple[dict[str, TokenMaps], str]:
    """Maps of every method that the record of the run suffices for, and a line on each reason why others are missing.

    Nothing runs the model here, even where its runner is still at hand: that is for a person to ask for.
    """
    named: dict[str, TokenMaps] = {}
    missing: dict[str, list[str]] = {}
    for name, kind in METHODS.items():
        method = kind()
        try:
            if method.reruns:
                missing.setdefault(RERUN, []).append(label_of(name))
                continue
            named[name] = method.maps(trace)
        except ExploreError as problem:
            missing.setdefault(str(problem), []).append(label_of(name))
    return named, "\n".join(f"{', '.join(labels)}: {reason}" for reason, labels in missing.items())


def method_of(maps: TokenMaps) -> str:
    """Name of the method that made some maps."""
    return str(maps.fingerprint.get("maps", {}).get("method", "maps"))


def label_of(name: str) -> str:
    """What a method is called on the screen."""
    return LABELS.get(name, name)


def words_of(trace: Trace) -> tuple[Word, ...]:
    """Words of question and answer that are made of several pieces."""
    spoken = (token for token in trace.tokens if token.role in (Role.QUESTION, Role.ANSWER))
    return tuple(word for word in group_words(spoken) if len(word.tokens) > 1)


def method_state(name: str, maps: TokenMaps, trace: Trace) -> dict[str, Any]:
    """One method for ``static/maps.js``: a row for each token, then one for each word of several pieces.

    A word of which only some pieces have maps gets the maximum over those.
    """
    have = {token.position for token in maps.tokens}
    words = [word for word in words_of(trace) if have & set(word.positions)]
    rows = [maps.flat([token for token in word.tokens if token.position in have])[None] for word in words]
    method = METHODS.get(method_of(maps))
    return {
        "name": name,
        "label": label_of(name),
        "about": f"{label_of(name)}: {method.source}" if method else label_of(name),
        "control": bool(method and method.control),
        "positions": [token.position for token in maps.tokens],
        "words": [list(word.positions) for word in words],
        "packed": pack_maps(np.concatenate([maps.array, *rows])),
    }
