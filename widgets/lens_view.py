"""The lens view: what every patch of a picture says, layer by layer and lens by lens, and where a word is said."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
import traitlets

from explore.errors import ParameterError
from explore.lens.reading import LensReading
from explore.trace import Trace
from widgets.map_view import MapSettings, MapView, run_state
from widgets.reading_states import drift_state, lens_states, named_readings, word_states
from widgets.selection import AUTO, Selection

if TYPE_CHECKING:
    from explore.lens.drift import Drift
    from explore.lens.word_maps import WordMap


class LensSettings(MapSettings, total=False):
    """What a :class:`LensView` can be told beside its readings; each is a trait of the same name."""

    lens: str
    word: str


class LensView(MapView):
    """The picture with its patches, and the labels of the selected one, side by side for every lens.

    Parameters
    ----------
    readings : LensReading, several of them, or a dict by name
        From ``explore.lens``. Controls made of them by ``explore.lens.control`` stand beside them as numbers.
    trace : Trace
        The run that was read.
    maps : dict of str to WordMap or several of them, optional
        Exact word maps by word. For other words, patches count that have the word among their labels.
    drift : Drift, optional
        From ``explore.lens.token_drift``: norms and turns as small charts.

    Other Parameters
    ----------------
    lens : str
        The lens that colours the patches; by default the first.
    word : str
        Colour patches by how much they say it; empty: by the score of their best label.
    colormap, opacity, smooth, fade, table, selection
        See :class:`widgets.map_view.MapView`; the table has the best label of every layer. The selection's layer counts
        as in the readings, 0 is what enters the language model; its patch is a sequence position.

    Raises
    ------
    TypeError
        For an unknown keyword.
    ParameterError
        For readings of another run, or without patches.
    """

    static = "lens_view"
    styles = ("layout", "picture", "details", "lens_view")
    settings = (*(name for name in MapSettings.__annotations__ if name != "words"), "lens", "word")

    lens = traitlets.Unicode().tag(sync=True)
    word = traitlets.Unicode(help="What patches are asked to say; empty: their best label, whatever it is.").tag(
        sync=True
    )
    smooth = traitlets.Bool(False).tag(sync=True)
    fade = traitlets.Bool(False).tag(sync=True)
    opacity = traitlets.Float(0.6, min=0, max=1).tag(sync=True)
    table = traitlets.Bool(True).tag(sync=True)
    maps: Any = traitlets.List(help="Exact word maps.").tag(sync=True)
    drift: Any = traitlets.Dict(help="Norms and turns; empty where none were given.").tag(sync=True)

    def __init__(
        self,
        readings: LensReading | Mapping[str, LensReading] | Iterable[LensReading],
        trace: Trace,
        maps: Mapping[str, WordMap | Sequence[WordMap]] | None = None,
        drift: Drift | None = None,
        **settings: Unpack[LensSettings],
    ) -> None:
        named = named_readings(readings)
        state = run_state(trace) | {"tokens": [], "methods": lens_states(trace, named)}
        state |= {"maps": word_states(trace, maps), "drift": drift_state(trace, drift)}
        given: dict[str, Any] = dict(settings)
        given.setdefault("lens", next((name for name, each in named.items() if not each.control), next(iter(named))))
        if given["lens"] in named:
            given.setdefault("selection", _clearest(named[given["lens"]]))
        super().__init__(given, **state)

    @traitlets.validate("lens")
    def _known_lens(self, proposal: dict[str, Any]) -> str:
        names = [each["name"] for each in self.methods]
        if names and proposal["value"] not in names:
            raise ParameterError(f"There is no lens {proposal['value']!r} in this view", f"There are: {names}.")
        return str(proposal["value"])


def _clearest(reading: LensReading) -> Selection:
    """The layer in the middle, and the patch whose best label fits best there: what is shown before anybody clicks."""
    at = len(reading.layers) // 2
    in_picture = np.isin(reading.positions, reading.layout.visual)
    scores = np.where(in_picture, np.nan_to_num(reading.scores[at, :, 0], nan=-np.inf), -np.inf)
    patch = int(reading.positions[int(np.argmax(scores))])
    return Selection.from_json({"patch": patch, "layer": int(reading.layers[at]), "by": AUTO})
