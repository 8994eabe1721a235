"""Knockout curves: what the prediction loses when edges are cut around each layer, and the controls beside them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import numpy as np

from explore.flow.depth_windows import LayerWindows
from explore.flow.effects import MEASURES, Effects, Prediction

if TYPE_CHECKING:
    import pandas as pd

SOURCE = (
    "Attention knockout of Geva et al., EMNLP 2023, arXiv 2304.14767; picture, question and last position as in "
    "Zhang et al., CVPR 2025, arXiv 2411.18620"
)


@dataclass(frozen=True, eq=False)
class KnockoutCurves:
    """Effects of cutting edges in windows of layers, on the prediction of one token.

    Parameters
    ----------
    edges
        Names of the edges, (edges,).
    windows
        Centres and their layers.
    effects
        Measures (edges, centres).
    controls
        Name to measures: "random edges" and "equal mass" (draws, edges, centres), "last->last" (1, 1, centres), and
        "all layers" (edges,), the edges cut everywhere at once.
    before
        What the untouched run predicts.
    mass_share
        Attention of the columns of "equal mass" over that of the source, (draws, edges, centres); below 1 where all
        other columns together got less.
    counts
        How many edges each group cuts in one layer and head, (edges,) int64.
    opposite
        Whether the named edges were kept and all others into the same rows cut.
    zero_value
        Whether weights were kept and values zeroed.
    reused
        Whether beginnings were reused, so that only positions from the first target on were run again.
    rows_run
        Positions the decoder ran for all variants together.
    fingerprint
        What decided the result.
    """

    edges: tuple[str, ...]
    windows: LayerWindows
    effects: Effects
    controls: Mapping[str, Effects]
    before: Prediction
    mass_share: np.ndarray
    counts: np.ndarray
    opposite: bool
    zero_value: bool
    reused: bool
    rows_run: int
    fingerprint: dict[str, Any] = field(default_factory=dict, repr=False)

    source = SOURCE

    @property
    def centres(self) -> np.ndarray:
        """Layers in the middle of the windows, (centres,) int64."""
        return self.windows.centres

    @property
    def window(self) -> int:
        """Layers of a whole window, which may be less than was asked for in a shallow model."""
        return self.windows.window

    def of(self, edge: str) -> Effects:
        """Measures of one group of edges, (centres,)."""
        return self.effects.map(lambda values: values[self.edges.index(edge)])

    def to_frame(self) -> pd.DataFrame:
        """One line for every edge, centre and control draw, with all measures; the centre of "all layers" is -1."""
        import pandas as pd

        return pd.DataFrame(list(self._rows()))

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "source": self.source,
            "edges": list(self.edges),
            "centres": self.centres.tolist(),
            "window": self.window,
            "layers": [list(each) for each in self.windows.layers],
            "before": vars(self.before),
            "effects": self.effects.to_json(),
            "controls": {name: each.to_json() for name, each in self.controls.items()},
            "mass_share": self.mass_share.tolist(),
            "counts": self.counts.tolist(),
            "opposite": self.opposite,
            "zero_value": self.zero_value,
            "reused": self.reused,
            "rows_run": self.rows_run,
            "fingerprint": self.fingerprint,
        }

    def __repr__(self) -> str:
        strongest = self.effects.relative_change.min(axis=1)
        at = self.centres[self.effects.relative_change.argmin(axis=1)]
        told = ", ".join(
            f"{name} {low:+.0f} % around layer {layer}"
            for name, low, layer in zip(self.edges, strongest, at, strict=True)
        )
        share = self.before.probability
        kind = "all other edges cut" if self.opposite else "values zeroed" if self.zero_value else "edges cut"
        return (
            f"<KnockoutCurves of {self.before.answer_text!r} (probability {share:.2f}), {kind} in windows of "
            f"{self.window}: {told}; controls: {', '.join(self.controls) or 'none'}>"
        )

    def _rows(self) -> Iterator[dict[str, Any]]:
        yield from _lines("edge", -1, self.edges, self.windows, self.effects)
        for name, effects in self.controls.items():
            if effects.kl.ndim == 1:
                for edge, number in zip(self.edges, range(len(self.edges)), strict=True):
                    yield _line(name, -1, edge, -1, (), effects, (number,))
                continue
            names = self.edges if effects.kl.shape[1] == len(self.edges) and name != "last->last" else (name,)
            for draw in range(len(effects.kl)):
                yield from _lines(name, draw, names, self.windows, effects.map(itemgetter(draw)))


def _lines(
    kind: str, draw: int, edges: tuple[str, ...], windows: LayerWindows, effects: Effects
) -> Iterator[dict[str, Any]]:
    for (number, edge), (at, centre) in (
        (named, placed) for named in enumerate(edges) for placed in enumerate(windows.centres.tolist())
    ):
        yield _line(kind, draw, edge, centre, windows.layers[at], effects, (number, at))


def _line(
    kind: str, draw: int, edge: str, centre: int, layers: tuple[int, ...], effects: Effects, at: tuple[int, ...]
) -> dict[str, Any]:
    ends = {"first_layer": layers[0] if layers else -1, "last_layer": layers[-1] if layers else -1}
    measures = {name: float(getattr(effects, name)[at]) for name in MEASURES}
    return {"kind": kind, "draw": draw, "edge": edge, "centre": centre, **ends, **measures}
