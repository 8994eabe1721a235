"""The token-and-image view: a token shows where the model looked, a patch shows for which words it did.

Where visual tokens are learned queries, which have no place, a query shows where it looks, and a word where it looked
through the queries it used.
"""

from __future__ import annotations

from typing import Any, Unpack

import traitlets

from explore.errors import ParameterError
from explore.maps import QueryMaps
from explore.trace import Trace
from widgets.map_choice import Maps, chosen_maps, method_state
from widgets.map_view import MapSettings, MapView, first_token, run_state
from widgets.query_traits import first_word, has_queries, query_state
from widgets.selection import Selection


class TokenImageSettings(MapSettings, total=False):
    """What a :class:`TokenImageView` can be told beside its run; each is a trait of the same name."""

    method: str
    scale: str


class TokenImageView(MapView):
    """Question and answer as tokens beside the picture with its heat map.

    Parameters
    ----------
    trace : Trace
        The run.
    maps : TokenMaps or dict of them, or QueryMaps, optional
        Maps of one or several methods by name. By default token activation maps, with the raw logit map they start
        from and the random control; where visual tokens are learned queries, ``explore.maps.query_attention(trace)``.

    Other Parameters
    ----------------
    method : str
        Which maps are shown.
    scale : {"joint", "each"}
        Whether the colours span the values of all tokens or of the one shown.
    colormap, opacity, smooth, fade, words, table, selection
        See :class:`widgets.map_view.MapView`; the table holds the strongest patches.

    Raises
    ------
    TypeError
        For an unknown keyword.
    ParameterError
        For maps of another run.
    """

    static = "token_image"
    styles = ("layout", "picture", "token_image", "tokens", "details", "queries")
    settings = tuple(TokenImageSettings.__annotations__)

    method = traitlets.Unicode().tag(sync=True)
    scale = traitlets.Enum(("joint", "each"), "joint").tag(sync=True)

    queries: Any = traitlets.Dict(help="Where learned queries look; empty where visual tokens lie in a grid.").tag(
        sync=True
    )

    def __init__(self, trace: Trace, maps: Maps | QueryMaps = None, **settings: Unpack[TokenImageSettings]) -> None:
        if isinstance(maps, QueryMaps) or (maps is None and has_queries(trace)):
            state: dict[str, Any] = run_state(trace) | query_state(trace, maps)
            chosen: dict[str, Any] = {"scale": "each", "method": next((each["name"] for each in state["methods"]), "")}
            chosen["selection"] = Selection.suggested(first_word(state))
            super().__init__(chosen | dict(settings), **state)
            return
        named, note = chosen_maps(trace, maps)
        given: dict[str, Any] = dict(settings)
        given.setdefault("method", next(iter(named), ""))
        given.setdefault("selection", Selection.suggested(first_token(named.get(given["method"]))))
        states = [method_state(name, each, trace) for name, each in named.items()]
        super().__init__(given, methods=states, note=note, **run_state(trace))

    @traitlets.validate("method")
    def _known_method(self, proposal: dict[str, Any]) -> str:
        names = [method["name"] for method in self.methods]
        if names and proposal["value"] not in names:
            raise ParameterError(f"There is no method {proposal['value']!r} in this view", f"There are: {names}.")
        return str(proposal["value"])
