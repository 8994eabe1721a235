"""The other way round: which tokens say a word that somebody typed?

>>> word_map(trace, "house").grid(0)                       # (rows, cols): cosine with the word's embedding in layer 0
>>> word_map(trace, "house", LatentLens(bank=bank))        # share of neighbours whose whole word it is
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from explore.errors import ParameterError
from explore.layout import TokenLayout
from explore.lens.cells import on_grid
from explore.lens.choices import Tokens
from explore.lens.method import LensMethod
from explore.lens.table import METHODS
from explore.lens.word_forms import Combine
from explore.runs import Report, RunnerLike
from explore.trace import Trace


@dataclass(frozen=True, eq=False)
class WordMap:
    """How much each token says a word, layer by layer.

    Parameters
    ----------
    word
        What was asked for.
    method, unit
        Name of the lens, and what the values are: "cosine", "probability", "share", "pmi".
    layers, positions
        Layers (layers,) and sequence positions (tokens,) read, int64.
    values
        (layers, tokens) float32.
    layout
        Where each visual token lies in the picture.
    fingerprint
        The run's fingerprint with the lens and the word.
    """

    word: str
    method: str
    unit: str
    layers: NDArray[np.int64]
    positions: NDArray[np.int64]
    values: NDArray[np.float32]
    layout: TokenLayout
    fingerprint: Mapping[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        layers = ", ".join(map(str, self.layers))
        return (
            f"WordMap({self.word!r} by {self.method}: {self.unit} at {len(self.positions)} tokens in layers {layers})"
        )

    def at(self, layer: int) -> NDArray[np.float32]:
        """Values of one layer, (tokens,) float32.

        Raises
        ------
        ParameterError
            The layer was not read.
        """
        found = np.flatnonzero(self.layers == layer)
        if not len(found):
            raise ParameterError(f"Layer {layer} was not read", f"Layers read: {self.layers.tolist()}.")
        values: NDArray[np.float32] = self.values[found[0]]
        return values

    def grid(self, layer: int, *, image: int = 0, frame: int = 0, tile: int = 0) -> NDArray[np.float32]:
        """Values of one layer as they lie in a picture, (rows, cols) float32; NaN where a cell was not read."""
        return on_grid(self.at(layer), self.positions, self.layout.grid(image, frame, tile), np.nan)

    def strongest(self, layer: int, count: int = 5) -> NDArray[np.int64]:
        """Positions of the tokens that say it most, the first of equals first, (count,) int64."""
        found: NDArray[np.int64] = self.positions[np.argsort(-self.at(layer), kind="stable")[:count]]
        return found


def word_map(
    trace: Trace,
    word: str,
    lens: str | LensMethod = "embedding",
    *,
    layers: Iterable[int] | None = None,
    positions: Tokens | None = None,
    combine: Combine = "mean",
    runner: RunnerLike | None = None,
    progress: Report | None = None,
) -> WordMap:
    """How much every token says a word.

    Source: the reverse query of EmbedLens, here for every lens.

    Parameters
    ----------
    trace
        The run.
    word
        Any text. Spelled as it stands and as behind a space; the spelling that fits better counts.
    lens
        A lens or its name: "embedding" gives the cosine with the word's input embedding, "logit", "tuned" and
        "patchscope" its probability, "latent" the share of neighbours whose whole word it is.
    layers, positions, runner, progress
        As for `LensMethod.read`.
    combine
        How the tokens of a word become one value: their "mean", their "min", or the "first" of them.

    Raises
    ------
    ParameterError
        There is no such lens, it lacks its bank or fit, or no token spells the word.
    NotRecordedError
        A layer was not recorded, or the model is needed and gone.
    """
    if isinstance(lens, str):
        if lens not in METHODS:
            raise ParameterError(f"There is no lens {lens!r}", f"Lenses are {', '.join(METHODS)}.")
        lens = METHODS[lens]()
    run = lens.run(trace, layers, positions, runner=runner, progress=progress)
    values = lens.word_scores(run, word, combine)
    asked = {"method": lens.name, **lens.parameters, **lens.made_with, "word": word, "combine": combine}
    return WordMap(
        word,
        lens.name,
        lens.word_unit,
        np.array(run.layers, np.int64),
        run.positions,
        values,
        trace.layout,
        trace.fingerprint | {"word_map": asked},
    )
