"""How a map was made, in words and small pictures: what a method was told, what it took away, and what 1 means."""

from __future__ import annotations

import inspect
import json
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from explore.layout import Role
from explore.maps import METHODS, TokenMaps
from explore.maps.activation import Activation
from explore.trace import Trace
from widgets.codec import pack_maps
from widgets.map_choice import method_of

Lines = str | list[str]
"""One sentence for all tokens, or one for each."""


@dataclass(frozen=True)
class Making:
    """What lies between the model and a finished map, one row per token of the maps.

    Parameters
    ----------
    facts
        What is worth knowing, by a name of one or two words.
    steps
        Maps on the way, in order, for ``static/making.js``: those of one ``group`` are drawn in the same colours.
    """

    facts: dict[str, Lines] = field(default_factory=dict)
    steps: list[dict[str, Any]] = field(default_factory=list)


def making_state(maps: TokenMaps, trace: Trace) -> dict[str, Any]:
    """How the maps of one method were made, for ``static/making.js``."""
    name = method_of(maps)
    method = METHODS.get(name)
    given = {key: value for key, value in maps.fingerprint.get("maps", {}).items() if key != "method"}
    arguments = ", ".join(f"{key}={_literal(value)}" for key, value in given.items())
    made = _making(maps, trace)
    return {
        "about": " ".join((inspect.getdoc(method) or "").split("\n\n")[0].split()) if method else "",
        "code": f"explore.maps.METHODS[{_literal(name)}]({arguments})" if method else "",
        "source": method.source if method else "",
        "facts": [{"name": fact, "text": text} for fact, text in made.facts.items()],
        "steps": made.steps,
    }


def _making(maps: TokenMaps, trace: Trace) -> Making:
    parts = maps.parts
    if isinstance(parts, Activation):
        rows = _entries(maps, parts, trace)
        if rows is not None:
            return _activation(parts, rows, maps, trace)
    values = np.asarray(getattr(parts, "values", ()))
    if values.shape == maps.array.shape:
        return _divided(values.astype(np.float32), parts, maps.array)
    nothing = "The method has no steps to show: what it computes is the map."
    return Making({"Values": "0 to 1, as the method gives them.", "Steps": nothing})


def _divided(values: NDArray[np.float32], parts: Any, finished: NDArray[np.float32]) -> Making:
    """Raw values and what became of them; where they were divided by one number, that is what 1 stands for."""
    unit = str(getattr(parts, "unit", "") or "")
    scale = np.broadcast_to(np.asarray(getattr(parts, "scale", 1.0), np.float64), (len(values),))
    divided = scale.all() and np.allclose(finished, (values / scale[:, None]).clip(0, 1), atol=1e-3)
    facts: dict[str, Lines] = {
        "Unit": unit,
        "Values": [f"1 is {_number(one)}{' in that unit' if unit else ''}." for one in scale] if divided else "",
        "Raw values": [f"{_number(row.min())} to {_number(row.max())}." for row in values],
        "Note": str(getattr(parts, "note", "") or ""),
    }
    finite = bool(np.isfinite(values).all())
    return Making(facts, [_step("Raw values", "", "raw", values)] if finite else [])


def _activation(parts: Activation, rows: NDArray[np.int64], maps: TokenMaps, trace: Trace) -> Making:
    """Token activation maps: interference taken away, normalised with the text scores, filtered."""
    taken = (parts.scale[:, None] * parts.interference)[rows]
    raw, normalised = parts.raw[rows], parts.normalised[rows]
    rest = np.maximum(raw - taken, 0)
    kernel = maps.fingerprint.get("maps", {}).get("kernel", 3)
    filtered = not np.array_equal(parts.maps, parts.normalised)
    pieces = [token.text.strip() for token in trace.tokens if token.role in (Role.QUESTION, Role.ANSWER)]
    facts: dict[str, Lines] = {
        "Values": "1 is the highest of picture and text scores together, 0 the lowest.",
        "Subtracted": [
            _subtracted(one, before, after) for one, before, after in zip(parts.scale[rows], raw, rest, strict=True)
        ],
        "Normalised": [_normalised(before, after) for before, after in zip(rest, normalised, strict=True)],
        "Highest score": [
            _highest(seen, said, pieces) for seen, said in zip(normalised, parts.text[rows], strict=True)
        ],
        "Filter": f"Rank Gaussian over {kernel} × {kernel} patches." if filtered else "None.",
    }
    steps = [_step("Raw", "logit", "raw", raw)]
    if taken.any():
        steps.append(_step("Subtracted", "logit", "raw", taken))
    steps.append(_step("Normalised", "", "map", normalised))
    if filtered:
        steps.append(_step("Filtered", "", "map", parts.maps[rows]))
    return Making(facts, steps)


def _entries(maps: TokenMaps, parts: Activation, trace: Trace) -> NDArray[np.int64] | None:
    """Row in the parts of each token that has a map; None where they cannot be matched."""
    if len(parts.maps) != len(maps.tokens):
        return None
    rows = np.arange(len(maps.tokens))
    if maps.fingerprint.get("maps", {}).get("mode") == "reference":
        # There the first answer token is given the very first map.
        rows[[token.position == trace.prompt_length for token in maps.tokens]] = 0
    return rows


def _subtracted(scale: float, raw: NDArray[np.float32], rest: NDArray[np.float32]) -> str:
    if scale == 0:
        return "Nothing."
    share = 1 - float(rest.sum()) / float(raw.sum()) if raw.any() else 0.0
    return f"{_number(scale)} × the interference of earlier tokens, {share:.0%} of the raw map."


def _normalised(rest: NDArray[np.float32], normalised: NDArray[np.float32]) -> str:
    """The ends of the joint scale, which follow from any two values before and after."""
    spread = float(normalised.max() - normalised.min())
    if spread == 0:
        return "Jointly with the text scores; the map is the same everywhere."
    span = float(rest.max() - rest.min()) / spread
    low = float(rest.min()) - float(normalised.min()) * span
    # A float32's rounding is not a finding.
    low = 0.0 if abs(low) < 1e-5 * span else low
    return f"Jointly with the text scores: {_number(low)} became 0, {_number(low + span)} became 1 (logits)."


def _highest(normalised: NDArray[np.float32], text: NDArray[np.float32], pieces: list[str]) -> str:
    """Whether picture or text has the highest score: a token that answers to text has a dark map."""
    seen = float(normalised.max())
    if np.isnan(text).all():
        return f"{_number(seen)} in the picture; no text score counts."
    best = int(np.nanargmax(text))
    said = float(text[best])
    where = f"at the text token “{pieces[best]}”" if best < len(pieces) else "at a text token"
    if said > seen:
        return f"{_number(said)} {where}; the picture reaches {_number(seen)}."
    return f"{_number(seen)} in the picture; {_number(said)} {where}."


def _step(title: str, unit: str, group: str, values: NDArray[np.floating]) -> dict[str, Any]:
    return {"title": title, "unit": unit, "group": group, "packed": pack_maps(values)}


def _number(value: float) -> str:
    return f"{float(value):.3g}"


def _literal(value: Any) -> str:
    return json.dumps(value) if isinstance(value, str) else repr(value)
