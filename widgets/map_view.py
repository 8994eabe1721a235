"""What the views of maps have in common: the run as tokens, pictures and grids, and how maps are drawn on it."""

from __future__ import annotations

import hashlib
import json
from pathlib import PurePath
from typing import Any, TypedDict

import traitlets

from explore.layout import Role
from explore.maps import TokenMaps
from explore.maps.result import grid_positions
from explore.trace import Token, Trace
from widgets.base import View
from widgets.codec import pack_array
from widgets.colormaps import COLORMAPS, tables
from widgets.pictures import describe_grids, encode_picture
from widgets.selection import Selection, selection_trait


class MapSettings(TypedDict, total=False):
    """What every view of maps can be told; each is a trait of the same name."""

    colormap: str
    opacity: float
    smooth: bool
    fade: bool
    words: bool
    table: bool
    selection: Selection


class MapView(View):
    """A view of the maps of one run. What it holds is sent once; clicks, keys and settings are answered in the browser.

    Other Parameters
    ----------------
    colormap : str
        "viridis", "cividis", "magma", "inferno" or "grey".
    opacity : float
        Of a map over its picture, 0..1.
    smooth, fade, words, table : bool
        Blend between patches; let the picture through where values are low; join the pieces of a word; say in a table
        what the pictures show.
    selection : Selection
        What is selected at first; by default the answer token with the highest value.
    """

    run = traitlets.Unicode(help="Views of one run share their selection.").tag(sync=True)
    tokens: Any = traitlets.List().tag(sync=True)
    pictures: Any = traitlets.List().tag(sync=True)
    grids: Any = traitlets.List().tag(sync=True)
    patches = traitlets.Dict(help="Sequence position of every cell of the grids, packed.").tag(sync=True)
    methods: Any = traitlets.List().tag(sync=True)
    tables = traitlets.Dict().tag(sync=True)
    note = traitlets.Unicode().tag(sync=True)
    source = traitlets.Unicode().tag(sync=True)

    colormap = traitlets.Enum(tuple(COLORMAPS), "viridis").tag(sync=True)
    opacity = traitlets.Float(0.85, min=0, max=1).tag(sync=True)
    smooth = traitlets.Bool(True).tag(sync=True)
    fade = traitlets.Bool(True).tag(sync=True)
    words = traitlets.Bool(True).tag(sync=True)
    table = traitlets.Bool(False).tag(sync=True)
    selection = selection_trait()

    def select(self, **fields: Any) -> None:
        """Select a token, patch, layer or head by sequence position or number; what is not named stays.

        >>> view.select(token=42)
        """
        now = {name: getattr(self.selection, name) for name in ("token", "patch", "layer", "head", "brush")}
        self.selection = Selection(**(now | fields))


def run_state(trace: Trace) -> dict[str, Any]:
    """The traits of a `MapView` that come from the run alone."""
    return {
        "run": run_id(trace),
        "tokens": [_token_state(token) for token in trace.tokens if token.role in (Role.QUESTION, Role.ANSWER)],
        "pictures": [encode_picture(picture) for picture in trace.images],
        "grids": describe_grids(trace.layout, trace.times),
        "patches": pack_array(grid_positions(trace.layout)),
        "tables": tables(),
        "source": run_source(trace),
    }


def run_id(trace: Trace) -> str:
    """What the views of one run share: a hash of its fingerprint and its answer."""
    text = json.dumps([trace.fingerprint, trace.ids.tolist()], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def first_token(maps: TokenMaps | None) -> int | None:
    """The answer token whose map is highest: what a view shows before anybody clicks.

    Words before punctuation, whose maps are often high all over the picture.
    """
    if maps is None:
        return None
    peaks = [
        (any(letter.isalnum() for letter in token.text), float(row.max()), -token.position)
        for token, row in zip(maps.tokens, maps.array, strict=True)
        if token.role is Role.ANSWER and token.word >= 0
    ]
    return -max(peaks)[2] if peaks else None


def _token_state(token: Token) -> dict[str, Any]:
    return {
        "position": token.position,
        "text": token.text,
        "role": str(token.role),
        "word": token.word,
        "special": token.word < 0,
    }


def run_source(trace: Trace) -> str:
    """Where the run comes from, for the foot of the view."""
    checkpoint = str(trace.fingerprint.get("checkpoint", ""))
    # A folder's full path says more about the machine than about the model.
    name = PurePath(checkpoint).name if checkpoint.startswith(("/", "~", ".")) else checkpoint
    parts = [name, str(trace.fingerprint.get("dtype", ""))]
    return " · ".join(part for part in parts if part)
