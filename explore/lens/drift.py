"""How long states are, and how far each has turned from where it came in.

A lens may say the same in every layer only because nothing moves.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from explore.errors import ParameterError
from explore.layout import Role, TokenLayout
from explore.lens.cells import on_grid
from explore.lens.choices import Tokens, chosen_layers, chosen_positions
from explore.lens.method import LensRun
from explore.lens.reading import LensReading
from explore.trace import Trace

if TYPE_CHECKING:
    import pandas as pd

CONTEXT_ADDS = 1.5
"""Ratio from which on a phrase says clearly more than a word of the vocabulary, in notes of LatentLens' authors."""


@dataclass(frozen=True, eq=False)
class Drift:
    """Norms and turns of states, layer by layer; text tokens are the control.

    Parameters
    ----------
    layers, positions
        Layers (layers,) and sequence positions (tokens,), int64.
    norms
        Length of every state, (layers, tokens) float32.
    cosines
        Of every state with its own state of layer 0, (layers, tokens) float32.
    layout
        What each position is.
    """

    layers: NDArray[np.int64]
    positions: NDArray[np.int64]
    norms: NDArray[np.float32]
    cosines: NDArray[np.float32]
    layout: TokenLayout

    @property
    def visual(self) -> NDArray[np.bool_]:
        """Which of the tokens are visual, (tokens,)."""
        return np.array([self.layout.roles[each] is Role.IMAGE for each in self.positions], bool)

    def grid(
        self, layer: int, of: Literal["cosines", "norms"] = "cosines", *, image: int = 0, frame: int = 0, tile: int = 0
    ) -> NDArray[np.float32]:
        """Values of one layer as they lie in a picture, (rows, cols) float32; NaN where a cell was not read."""
        if layer not in self.layers or of not in ("cosines", "norms"):
            raise ParameterError(
                f"{of!r} of layer {layer} was asked for", f"There are cosines and norms of {self.layers.tolist()}."
            )
        values = getattr(self, of)[np.flatnonzero(self.layers == layer)[0]]
        return on_grid(values, self.positions, self.layout.grid(image, frame, tile), np.nan)

    def to_frame(self) -> pd.DataFrame:
        """Medians over visual and over text tokens, a line for each layer.

        Not means: a few tokens may be thousands of times longer than all others.
        """
        import pandas as pd

        found: dict[str, object] = {"layer": self.layers}
        for name, which in (("visual", self.visual), ("text", ~self.visual)):
            for kind, values in (("norm", self.norms), ("cosine", self.cosines)):
                there = np.median(values[:, which], axis=1) if which.any() else np.nan
                found[f"{name}_{kind}"] = there
        return pd.DataFrame(found)


def token_drift(trace: Trace, layers: Iterable[int] | None = None, positions: Tokens | None = None) -> Drift:
    """Norms of tokens and how far they have turned, by layer.

    Source: arXiv 2602.00462, the check of how much visual tokens move.

    Parameters
    ----------
    trace
        The run, with layer 0 recorded.
    layers
        As for lenses.
    positions
        None means every position that has a state, so that text stands beside the picture.

    Raises
    ------
    NotRecordedError
        Layer 0 or another one was not recorded.
    ParameterError
        A state is not finite, or there is no such position.
    """
    chosen = chosen_layers(trace, layers)
    wanted = chosen_positions(trace, np.arange(trace.positions_fed) if positions is None else positions)
    run = LensRun(trace, chosen, wanted)
    first, norms, cosines = _unit(run.states(0)), [], []
    for layer in chosen:
        states = run.states(layer)
        norms.append(np.linalg.norm(states, axis=-1))
        cosines.append((_unit(states) * first).sum(axis=-1))
    return Drift(np.array(chosen, np.int64), wanted, np.stack(norms), np.stack(cosines), trace.layout)


def context_ratio(latent: LensReading, embedding: LensReading) -> NDArray[np.float32]:
    """Cosine of the best phrase over that of the best input embedding, (layers, tokens) float32.

    Above `CONTEXT_ADDS` a text state in its sentence says clearly more than any word alone. NaN where the embedding's
    cosine is not positive.

    Raises
    ------
    ParameterError
        The readings are no cosines, or not of the same layers and tokens.
    """
    same = np.array_equal(latent.layers, embedding.layers) and np.array_equal(latent.positions, embedding.positions)
    if not same or {latent.score_name, embedding.score_name} != {"cosine"}:
        raise ParameterError(
            f"Readings of {latent.method!r} and {embedding.method!r} were given, which cannot be compared",
            "Two readings by cosine, of the same layers and tokens.",
            "Use latent_lens and embedding_lens with the same layers= and positions=.",
        )
    below = embedding.scores[..., 0]
    ratio = np.full_like(below, np.nan)
    np.divide(latent.scores[..., 0], below, out=ratio, where=below > 0)
    return ratio


def _unit(states: NDArray[np.float32]) -> NDArray[np.float32]:
    found: NDArray[np.float32] = states / np.maximum(np.linalg.norm(states, axis=-1, keepdims=True), 1e-30)
    return found
