"""How readings travel: labels as numbers into tables of entries and sentences, arrays over the cells of the grids."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from explore.errors import ParameterError
from explore.layout import TokenLayout
from explore.lens.reading import NOTHING, LensReading
from explore.maps.result import grid_positions
from explore.trace import Trace
from widgets.codec import pack_array

if TYPE_CHECKING:
    from explore.lens.drift import Drift
    from explore.lens.word_maps import WordMap

LABELS = {
    "latent": "LatentLens",
    "logit": "Logit lens",
    "embedding": "Embedding lens",
    "tuned": "Tuned lens",
    "patchscope": "Patchscope",
}
"""What lenses are called on the screen; one without a line here is called by its name."""


def lens_states(trace: Trace, readings: Mapping[str, LensReading]) -> list[dict[str, Any]]:
    """Every reading for ``static/lens_set.js``; a control knows by ``of`` which reading it stands beside, -1 for none.

    Raises
    ------
    ParameterError
        A reading of another run, or of no visual token.
    """
    named = list(readings.items())
    plain = [(number, each) for number, (_name, each) in enumerate(named) if not each.control]
    states = []
    for name, reading in named:
        state = _lens_state(trace, name, reading)
        bases = [(number, each) for number, each in plain if reading.control and _same_lens(each, reading)]
        state["of"] = bases[0][0] if bases else NOTHING
        state["beside"] = _beside(bases[0][1], reading) if bases else []
        states.append(state)
    return states


def named_readings(readings: LensReading | Mapping[str, LensReading] | Iterable[LensReading]) -> dict[str, LensReading]:
    """Readings by what they are called on the screen.

    Raises
    ------
    ParameterError
        There is none, or something is no reading.
    """
    if isinstance(readings, LensReading):
        readings = [readings]
    if isinstance(readings, Mapping):
        named = {str(name): each for name, each in readings.items()}
    else:
        named = {}
        for each in readings:
            name = _name_of(each) if isinstance(each, LensReading) else type(each).__name__
            same = sum(other == name or other.startswith(f"{name} #") for other in named)
            named[f"{name} #{same + 1}" if same else name] = each
    wrong = [type(each).__name__ for each in named.values() if not isinstance(each, LensReading)]
    if wrong or not named:
        raise ParameterError(
            f"{', '.join(wrong) or 'No reading'} was given",
            "Readings come from explore.lens, one or several.",
            "LensView([explore.lens.logit_lens(trace), explore.lens.latent_lens(trace, bank)], trace)",
        )
    return named


def word_states(trace: Trace, maps: Mapping[str, WordMap | Sequence[WordMap]] | None) -> list[dict[str, Any]]:
    """Exact word maps, for words that need not be among the labels.

    Raises
    ------
    ParameterError
        Something that is no word map, or one of another run.
    """
    from explore.lens import WordMap

    states = []
    for word, given in (maps or {}).items():
        for each in [given] if isinstance(given, WordMap) else given:
            if not isinstance(each, WordMap):
                raise ParameterError(
                    f"maps[{word!r}] is a {type(each).__name__}", "It comes from explore.lens.word_map."
                )
            _require_same_run(trace, each.layout, f"maps[{word!r}]")
            states.append(
                {
                    "word": word,
                    "method": each.method,
                    "label": LABELS.get(each.method, each.method),
                    "unit": each.unit,
                    "layers": each.layers.tolist(),
                    "values": pack_array(_over_cells(trace, each.positions, each.values, np.nan)),
                }
            )
    return states


def drift_state(trace: Trace, drift: Drift | None) -> dict[str, Any]:
    """Medians of norms and turns for visual and text tokens, and the values of every cell; empty without a drift."""
    if drift is None:
        return {}
    _require_same_run(trace, drift.layout, "drift")
    medians = drift.to_frame()
    lines = {
        name: [None if np.isnan(each) else float(each) for each in medians[name]]
        for name in ("visual_norm", "visual_cosine", "text_norm", "text_cosine")
    }
    return {
        "layers": drift.layers.tolist(),
        **lines,
        "norms": pack_array(_over_cells(trace, drift.positions, drift.norms, np.nan)),
        "cosines": pack_array(_over_cells(trace, drift.positions, drift.cosines, np.nan)),
    }


def _lens_state(trace: Trace, name: str, reading: LensReading) -> dict[str, Any]:
    _require_same_run(trace, reading.layout, name)
    if not np.isin(reading.positions, grid_positions(trace.layout)).any():
        raise ParameterError(f"{name} reads no token of the picture", "Leave positions= out, or name visual tokens.")
    known = sorted(reading.entries)
    numbers = np.full(reading.ids.shape, NOTHING, np.int64)
    there = reading.ids != NOTHING
    numbers[there] = np.searchsorted(known, reading.ids[there])
    phrases: dict[str, int] = {}
    entries = []
    for each in known:
        entry = reading.entries[each]
        at = NOTHING if entry.phrase is None else phrases.setdefault(entry.phrase, len(phrases))
        entries.append([entry.text, at, *_for_browser(entry.phrase, entry.span)])
    unit, scores = _shown(reading)
    arrays: dict[str, NDArray[Any]] = {"ids": numbers, "scores": scores}
    if reading.bank_layers is not None:
        arrays["bank_layers"] = reading.bank_layers
    return {
        "name": name,
        "method": reading.method,
        "unit": unit,
        "control": reading.control,
        "about": _about(reading),
        "notes": list(reading.notes),
        "layers": reading.layers.tolist(),
        "entries": entries,
        "phrases": list(phrases),
        **{
            key: pack_array(
                _over_cells(trace, reading.positions, values, NOTHING if values.dtype.kind == "i" else np.nan)
            )
            for key, values in arrays.items()
        },
    }


def _shown(reading: LensReading) -> tuple[str, NDArray[np.float32]]:
    """Unit and scores on the screen: a logit says little by itself, its probability stands there where known."""
    if reading.score_name == "logit" and reading.probabilities is not None:
        return "probability", reading.probabilities
    return reading.score_name, reading.scores.astype(np.float32)


def _beside(reading: LensReading, control: LensReading) -> list[dict[str, Any]]:
    """A reading and its control in numbers, for every layer that both have read.

    Medians of the best scores; the share of tokens whose best score is above all of the control's; and the share whose
    best label is the same as the control's.
    """
    rows = []
    scores, drawn = _shown(reading)[1], _shown(control)[1]
    for layer in [each for each in reading.layers.tolist() if each in control.layers]:
        own, other = (each.layers.tolist().index(layer) for each in (reading, control))
        best, chance = scores[own, :, 0], drawn[other, :, 0]
        said, heard = _best_texts(reading, own), _best_texts(control, other)
        rows.append(
            {
                "layer": layer,
                "median": float(np.median(best)),
                "chance": float(np.median(chance)),
                "above": float((best > chance.max()).mean()),
                "same": float(np.mean([a == b for a, b in zip(said, heard, strict=True)])),
            }
        )
    return rows


def _best_texts(reading: LensReading, layer: int) -> list[str | None]:
    ids = reading.ids[layer, :, 0].tolist()
    return [None if each == NOTHING else reading.entries[each].text.strip().casefold() for each in ids]


def _same_lens(one: LensReading, other: LensReading) -> bool:
    same = (one.method, dict(one.parameters)) == (other.method, dict(other.parameters))
    return same and np.array_equal(one.positions, other.positions)


def _over_cells(trace: Trace, positions: NDArray[np.int64], values: NDArray[Any], empty: float) -> NDArray[Any]:
    """Values of tokens (layers, tokens, ...) at the cells of all grids (layers, cells, ...)."""
    cells = grid_positions(trace.layout)
    size = max(int(cells.max(initial=0)), int(positions.max(initial=0))) + 1
    place = np.full(size, NOTHING)
    place[positions] = np.arange(len(positions))
    found = place[cells]
    spread = values[:, found]
    spread[:, found == NOTHING] = empty
    return spread


def _for_browser(phrase: str | None, span: tuple[int, int] | None) -> tuple[int, int]:
    """A span counted as a browser counts characters: in units of UTF-16."""
    if phrase is None or span is None:
        return NOTHING, NOTHING
    first, last = (len(phrase[:each].encode("utf-16-le", "surrogatepass")) // 2 for each in span)
    return first, last


def _require_same_run(trace: Trace, layout: TokenLayout, what: str) -> None:
    if len(layout) != len(trace.layout) or not np.array_equal(layout.visual, trace.layout.visual):
        raise ParameterError(f"{what} belongs to another run", "Its layout differs from the trace's.", "Read it again.")


def _name_of(reading: LensReading) -> str:
    centred = " centred" if reading.parameters.get("centred") else ""
    control = f" · {reading.control}" if reading.control else ""
    return f"{LABELS.get(reading.method, reading.method)}{centred}{control}"


def _about(reading: LensReading) -> str:
    told = ", ".join(f"{name}={value}" for name, value in reading.parameters.items() if value is not None)
    return "; ".join(filter(None, (getattr(reading.lens, "source", ""), told)))
