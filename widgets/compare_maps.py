"""Several map methods side by side on one token, and how much of each lies inside an area of the picture."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Unpack

import numpy as np
import traitlets
from numpy.typing import NDArray

from explore.errors import ParameterError
from explore.layout import Role
from explore.maps import TokenMaps
from explore.trace import Token, Trace
from widgets.coverage import box_cover, own_share, share_inside
from widgets.making import making_state
from widgets.map_choice import Maps, chosen_maps, method_state, possible_maps, words_of
from widgets.map_view import MapSettings, MapView, first_token, run_state
from widgets.masks import Masks, cells_of, mask_state, masks_of
from widgets.regions import Box, Region, region_trait
from widgets.selection import Selection


class CompareSettings(MapSettings, total=False):
    """What a :class:`CompareMaps` can be told beside its run; each is a trait of the same name."""

    shown: list[str]
    opened: list[str]
    stretch: bool
    grid: int
    region: Region | Box | str | None


class CompareMaps(MapView):
    """Map methods side by side on the same token, with what each has inside a box or a mask.

    A click on a patch marks it in every panel and prints every method's value there. A box dragged on any panel, or a
    mask picked from the list, gives the table of shares: the sum of a map inside the area by its sum over the picture,
    where a patch counts by the part of it that lies inside. The area's own share is what a uniform map would have.

    Parameters
    ----------
    trace : Trace
        The run.
    maps : TokenMaps or dict of them, optional
        Maps of several methods (or of one method told different things) by name. By default those of every method
        in `explore.maps.METHODS` that needs nothing but the run; what is missing for the others is said.
    masks : dict or sequence of arrays, optional
        Name to (height, width) bool in pixels of the upright picture; for several pictures a sequence of such dicts.

    Other Parameters
    ----------------
    shown : list of str
        Which methods have a panel; by default all.
    opened : list of str
        For which of them it is shown how their maps were made.
    stretch : bool
        Draw every map from its own lowest to its own highest value. Off, all share one scale and brightness compares.
    grid : int
        Which picture, frame or tile is shown, counted from 0.
    region : Region, box, str or None
        The area: a box (x0, y0, x1, y1) in pixels, the name of a mask, or nothing.
    colormap, opacity, smooth, fade, words, table, selection
        See :class:`widgets.map_view.MapView`; the table holds every method's peak and value.

    Raises
    ------
    TypeError
        For an unknown keyword.
    ParameterError
        For maps of another run, a mask of another size, or a method or area that is not there.

    Examples
    --------
    >>> view = CompareMaps(trace, masks={"cat": cat, "house": house}, region="cat")
    >>> view.shares[0]
    {'token': 'cat', 'position': 153, 'method': 'tam', 'control': False, 'share': 0.71, 'area': 0.11, 'ratio': 6.4}
    """

    static = "compare_maps"
    styles = ("layout", "picture", "tokens", "details", "compare_maps")
    settings = tuple(CompareSettings.__annotations__)

    makings = traitlets.Dict(help="How each method's maps were made, by name.").tag(sync=True)
    outlines: Any = traitlets.List(help="The masks by name, to be drawn.").tag(sync=True)
    covers = traitlets.Dict(help="Part of every cell that each mask fills, packed.").tag(sync=True)

    shown: Any = traitlets.List(traitlets.Unicode()).tag(sync=True)
    opened: Any = traitlets.List(traitlets.Unicode()).tag(sync=True)
    stretch = traitlets.Bool(False).tag(sync=True)
    grid = traitlets.Int(0).tag(sync=True)
    region = region_trait()

    def __init__(
        self, trace: Trace, maps: Maps = None, *, masks: Masks = None, **settings: Unpack[CompareSettings]
    ) -> None:
        named, note = possible_maps(trace) if maps is None else chosen_maps(trace, maps)
        state = run_state(trace)
        self._maps = named
        self._words = words_of(trace)
        self._tokens = {token.position: token for token in trace.tokens if token.role in (Role.QUESTION, Role.ANSWER)}
        self._layout = trace.layout
        self._numbers = [grid["picture"] for grid in state["grids"]]
        self._masks = masks_of(masks, trace.layout, self._numbers)
        given: dict[str, Any] = dict(settings)
        given.setdefault("shown", list(named))
        given.setdefault("selection", Selection.suggested(first_token(next(iter(named.values()), None))))
        super().__init__(
            given,
            methods=[method_state(name, each, trace) for name, each in named.items()],
            makings={name: making_state(each, trace) for name, each in named.items()},
            note=note,
            **mask_state(self._masks),
            **state,
        )

    @property
    def shares(self) -> list[dict[str, Any]]:
        """Every method's share of the selected token's map inside the region, highest first.

        One row per method: `token` and `position`, `method`, `control`, `share` (None where it has no map for the
        token, or an empty one), `area` (the share a uniform map would have) and `ratio` of the two. Empty where no
        token or no region is selected. Made for `pandas.DataFrame(view.shares)`.
        """
        tokens = self._chosen()
        if self.region is None or not tokens:
            return []
        cover = self._cover(self.region)
        area = own_share(cover)
        rows = []
        for state in self.methods:
            values = _values(self._maps[state["name"]], tokens)
            share = None if values is None else share_inside(values, cover)
            rows.append(
                {
                    "token": "".join(token.text for token in tokens).strip(),
                    "position": tokens[0].position,
                    "method": state["name"],
                    "control": state["control"],
                    "share": share,
                    "area": area,
                    "ratio": share / area if share is not None and area > 0 else None,
                }
            )
        return sorted(rows, key=lambda row: -1.0 if row["share"] is None else row["share"], reverse=True)

    def _chosen(self) -> list[Token]:
        """The selected token, or the pieces of its word where words are shown whole."""
        selected = self.selection.token
        if self.words:
            for word in self._words:
                if selected in word.positions:
                    return list(word.tokens)
        return [self._tokens[selected]] if selected in self._tokens else []

    def _cover(self, region: Region) -> NDArray[np.float64]:
        """Part of every patch that lies inside a region, (visual,); NaN for those that see nothing of its picture."""
        if region.box is None:
            return next(mask.cover for mask in self._masks if (mask.name, mask.picture) == _key(region))
        return box_cover(cells_of(self._layout, self._numbers, region.picture), region.box)

    @traitlets.validate("region")
    def _known_region(self, proposal: dict[str, Any]) -> Region | None:
        region: Region | None = proposal["value"]
        if region is None:
            return None
        if region.box is None:
            pictures = [mask.picture for mask in self._masks if mask.name == region.mask]
            if not pictures:
                names = sorted({mask.name for mask in self._masks})
                raise ParameterError(f"There is no mask {region.mask!r} in this view", f"There are: {names}.")
            return region if region.picture in pictures else replace(region, picture=pictures[0])
        if region.picture not in self._numbers:
            raise ParameterError(f"There is no picture {region.picture}", f"There are: {sorted(set(self._numbers))}.")
        return region

    @traitlets.validate("shown", "opened")
    def _known_methods(self, proposal: dict[str, Any]) -> list[str]:
        unknown = sorted(set(proposal["value"]) - set(self._maps))
        if unknown:
            raise ParameterError(f"There are no maps {unknown} in this view", f"There are: {list(self._maps)}.")
        return list(proposal["value"])

    @traitlets.validate("grid")
    def _known_grid(self, proposal: dict[str, Any]) -> int:
        if not 0 <= proposal["value"] < max(1, len(self._numbers)):
            raise ParameterError(
                f"There is no picture {proposal['value']}", f"There are {len(self._numbers)}, counted from 0."
            )
        return int(proposal["value"])


def _key(region: Region) -> tuple[str, int]:
    return region.mask, region.picture


def _values(maps: TokenMaps, tokens: list[Token]) -> NDArray[np.float32] | None:
    """The map of some tokens, by maximum over those that have one; None where none has."""
    have = {token.position for token in maps.tokens}
    mapped = [token.position for token in tokens if token.position in have]
    return maps.flat(mapped) if mapped else None
