"""What every lens returns: ranked labels for each token and layer, and the ways to read them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from explore.errors import ParameterError
from explore.layout import TokenLayout
from explore.lens.cells import on_grid
from explore.trace import Token

if TYPE_CHECKING:
    import pandas as pd

    from explore.lens.method import LensMethod

NOTHING = -1
"""The id of a place that has no label, because there were fewer than k."""


@dataclass(frozen=True)
class Entry:
    """What one id of a reading stands for: a token of the vocabulary, or a row of a bank.

    Parameters
    ----------
    text
        The token or whole word.
    phrase
        The sentence it stands in, None for a token of the vocabulary.
    span
        First and last character (exclusive) of the token in the sentence, None where not known.
    """

    text: str
    phrase: str | None = None
    span: tuple[int, int] | None = None


@dataclass(frozen=True)
class Label:
    """One thing a token says in one layer.

    Parameters
    ----------
    text, phrase, span
        See `Entry`.
    score
        How well it fits, in the unit of `LensReading.score_name`.
    bank_layer
        The layer whose text state it is; no layer of the visual token.
    probability
        Of the token under the lens, over the whole vocabulary.
    """

    text: str
    score: float
    phrase: str | None = None
    span: tuple[int, int] | None = None
    bank_layer: int | None = None
    probability: float | None = None


@dataclass(frozen=True, eq=False)
class LensReading:
    """What tokens say, layer by layer. Keys are the numbers of layers and sequence positions (or tokens).

    Parameters
    ----------
    method, parameters
        Name of the lens in `METHODS`, and its parameters.
    score_name
        Unit of the scores: "cosine", "logit", "pmi".
    layers
        Layers read, (layers,) int64; 0 is the language model's input, L before the final norm.
    positions
        Sequence positions read, (tokens,) int64; all visual tokens unless others were asked for.
    scores
        In falling order along the last axis, (layers, tokens, k) float32.
    ids
        Token ids or rows of the bank, (layers, tokens, k) int64; -1 where there were fewer than k.
    entries
        What each of the ids stands for.
    layout
        Where each visual token lies in the picture.
    probabilities
        Of the tokens named, over the whole vocabulary, (layers, tokens, k) float32; None for cosines.
    bank_layers
        The layer each row of the bank was stored from, (layers, tokens, k) int64; None where there is no bank.
    notes
        What a reader has to know: fallbacks, ties, states that were left out.
    fingerprint
        The run's fingerprint with the lens and its parameters.
    control
        Which control this is, "" for a reading of the states themselves.
    lens
        The method that made it.
    """

    method: str
    parameters: Mapping[str, Any]
    score_name: str
    layers: NDArray[np.int64]
    positions: NDArray[np.int64]
    scores: NDArray[np.float32]
    ids: NDArray[np.int64]
    entries: Mapping[int, Entry]
    layout: TokenLayout
    probabilities: NDArray[np.float32] | None = None
    bank_layers: NDArray[np.int64] | None = None
    notes: tuple[str, ...] = ()
    fingerprint: Mapping[str, Any] = field(default_factory=dict)
    control: str = ""
    lens: LensMethod | None = None

    def __repr__(self) -> str:
        layers, what = ", ".join(map(str, self.layers)), f"{self.control} control of " if self.control else ""
        lines = [
            f"LensReading({what}{self.method}: {len(self.positions)} tokens in layers {layers}, "
            f"the {self.scores.shape[-1]} best by {self.score_name})",
            *self.notes,
        ]
        return "\n  ".join(lines)

    def label(self, layer: int, token: int | Token, rank: int = 0) -> Label:
        """One label, the best one by default.

        Raises
        ------
        ParameterError
            That layer or token was not read, or there are fewer labels.
        """
        found = self.labels(layer, token)
        if not -len(found) <= rank < len(found):
            raise ParameterError(f"There is no label of rank {rank}", f"Here are {len(found)} labels, the best is 0.")
        return found[rank]

    def labels(self, layer: int, token: int | Token, *, distinct: bool = False) -> tuple[Label, ...]:
        """All labels of a token in a layer, best first.

        Parameters
        ----------
        layer, token
            Number of the layer, and the token or its sequence position.
        distinct
            Show a place of a sentence that was found in several layers of a bank only once, where it fits best.

        Raises
        ------
        ParameterError
            That layer or token was not read.
        """
        at = (self._layer(layer), self._place(token))
        ids = self.ids[at].tolist()
        shown = [rank for rank, each in enumerate(ids) if each != NOTHING]
        if distinct:
            shown = [rank for rank in shown if ids[rank] not in ids[:rank]]
        return tuple(self._label((*at, rank)) for rank in shown)

    def at(self, token: int | Token) -> dict[int, tuple[Label, ...]]:
        """Labels of one token in every layer that was read."""
        return {layer: self.labels(layer, token) for layer in self.layers.tolist()}

    def grid(self, layer: int, rank: int = 0, *, image: int = 0, frame: int = 0, tile: int = 0) -> NDArray[Any]:
        """Labels as they lie in a picture, (rows, cols) of `Label`; None where a cell was not read."""
        found = np.array([self._label_or_none(self._layer(layer), place, rank) for place in range(len(self.positions))])
        return on_grid(found, self.positions, self.layout.grid(image, frame, tile), None)

    def score_grid(
        self, layer: int, rank: int = 0, *, image: int = 0, frame: int = 0, tile: int = 0
    ) -> NDArray[np.float32]:
        """Scores as they lie in a picture, (rows, cols) float32; NaN where a cell was not read."""
        found: NDArray[np.float32] = on_grid(
            self.scores[self._layer(layer), :, rank], self.positions, self.layout.grid(image, frame, tile), np.nan
        )
        return found

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays."""
        arrays = (self.layers, self.positions, self.scores, self.ids, self.probabilities, self.bank_layers)
        return sum(each.nbytes for each in arrays if each is not None)

    def to_json(self) -> dict[str, Any]:
        """Everything but the layout as plain lists, numbers and texts."""
        return {
            "method": self.method,
            "parameters": dict(self.parameters),
            "score_name": self.score_name,
            "control": self.control,
            "layers": self.layers.tolist(),
            "positions": self.positions.tolist(),
            "notes": list(self.notes),
            "fingerprint": dict(self.fingerprint),
            "labels": list(self._rows()),
        }

    def to_frame(self) -> pd.DataFrame:
        """One line for every label, with the token's role and its place in the picture (-1 outside the grids)."""
        import pandas as pd

        layout, rows = self.layout, list(self._rows())
        for each in rows:
            at = each["position"]
            place = {name: int(getattr(layout, name)[at]) for name in ("image", "frame", "tile", "row", "col")}
            each |= {"role": layout.roles[at].value, **place}
        first = ["layer", "position", "role", "image", "frame", "tile", "row", "col", "rank", "text", "score"]
        named = [*first, "probability", "bank_layer", "phrase", "span"]
        return pd.DataFrame(rows, columns=named)

    def _rows(self) -> Iterator[dict[str, Any]]:
        for layer, place, rank in np.ndindex(*self.ids.shape):
            found = self._label_or_none(layer, place, rank)
            if found is not None:
                where = {"layer": int(self.layers[layer]), "position": int(self.positions[place]), "rank": rank}
                yield where | {**vars(found), "span": None if found.span is None else list(found.span)}

    def _label_or_none(self, layer: int, place: int, rank: int) -> Label | None:
        return None if self.ids[layer, place, rank] == NOTHING else self._label((layer, place, rank))

    def _label(self, at: tuple[int, int, int]) -> Label:
        entry = self.entries[int(self.ids[at])]
        return Label(
            entry.text,
            float(self.scores[at]),
            entry.phrase,
            entry.span,
            None if self.bank_layers is None else int(self.bank_layers[at]),
            None if self.probabilities is None else float(self.probabilities[at]),
        )

    def _layer(self, layer: int) -> int:
        found = np.flatnonzero(self.layers == layer)
        if not len(found):
            raise ParameterError(f"Layer {layer} was not read", f"Layers read: {self.layers.tolist()}.")
        return int(found[0])

    def _place(self, token: int | Token) -> int:
        position = token.position if isinstance(token, Token) else int(token)
        if position not in self._place_of:
            have = f"{len(self.positions)} positions from {self.positions.min()} to {self.positions.max()}"
            raise ParameterError(f"Position {position} was not read", f"Read were {have}.", "Name it in positions=.")
        return self._place_of[position]

    @cached_property
    def _place_of(self) -> dict[int, int]:
        return {position: place for place, position in enumerate(self.positions.tolist())}


def aimless_note(aimless: NDArray[np.bool_]) -> tuple[str, ...]:
    """What to say where some states are zero, (states,) bool: nothing is similar to them."""
    count = int(aimless.sum())
    return (f"{count} states are zero: they have no direction and no label.",) if count else ()
