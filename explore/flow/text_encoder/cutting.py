"""Attention knockout inside a text encoder: through which layers does one item reach another?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from explore.edits import CutEdges
from explore.errors import ParameterError
from explore.flow.depth_windows import layer_windows
from explore.flow.named_arrays import NamedArrays
from explore.flow.text_encoder.items import Item, Span, one_item
from explore.flow.text_encoder.vectors import of_prompt, random_positions, turned
from explore.prompt_states import PromptStates
from explore.runs import TextEncoderLike

_NOTES = (
    "Causal for the vectors, a proxy for the image. Direct edges only: what goes by way of other tokens stays.",
    "Control: edges from as many random other tokens of the prompt to the target.",
)


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class EncoderKnockout(NamedArrays):
    """How far the target's tokens turn when the source's edges to them are cut in a window of layers.

    Parameters
    ----------
    source, target
        Names of the items.
    centres
        Middle layer of every window, (centres,) int64.
    window
        Layers of a window.
    change
        Mean of 1 - cos(h, h cut) over the target's tokens, (centres,).
    control
        The same for edges from random tokens, mean over draws, (centres,); not a number where the prompt has too few.
    all_layers, control_all_layers
        The same cut in all layers.
    """

    axes: ClassVar = {"change": ("centres",), "control": ("centres",)}

    source: str
    target: str
    centres: NDArray[np.int64]
    window: int
    change: NDArray[np.float64]
    control: NDArray[np.float64]
    all_layers: float
    control_all_layers: float


def encoder_knockout(
    encoder: TextEncoderLike,
    whole: PromptStates,
    source: str | Span | Item,
    target: str | Span | Item,
    *,
    window: int | None = None,
    stride: int = 1,
    draws: int = 2,
    seed: int = 0,
) -> EncoderKnockout:
    """Cut the edges source -> target window by window; (centres + 1) × (1 + draws) encodings.

    Source: `specs/information-flow.md` §3.7; attention knockout of Geva et al., arXiv 2304.14767.

    Parameters
    ----------
    encoder, whole
        The encoder and what it made of the prompt. States must be read behind the layers that are cut.
    source, target
        Items, by their text or characters.
    window, stride
        See `layer_windows`.
    draws, seed
        Random controls.

    Raises
    ------
    ParameterError
        An item is not there, both share tokens, the window cannot be, or the states were read before the first layer.
    """
    giving, taking = one_item(whole.tokens, source), one_item(whole.tokens, target)
    if np.intersect1d(giving.positions, taking.positions).size:
        raise ParameterError(f"Edges from {giving.name!r} to {taking.name!r} were to be cut", "The two stand apart.")
    depth = int(whole.how.get("layer", encoder.layers))
    if depth < 1:
        raise ParameterError(
            "The states are the embeddings", "No layer lies before them.", "Encode with a later layer=."
        )
    windows = layer_windows(depth, window, stride)
    others = np.setdiff1d(whole.tokens.words, np.concatenate([giving.positions, taking.positions]))
    rng = np.random.default_rng(seed)
    drawn = [random_positions(others, len(giving.positions), rng) for _ in range(draws)]

    def change(columns: np.ndarray, layers: tuple[int, ...]) -> float:
        cut = CutEdges(columns, taking.positions, layers=layers)
        states = encoder.encode(whole.tokens, **whole.how_to_read, edits=[cut]).states
        return float(turned(whole.states[taking.positions], states[taking.positions]).mean())

    def controls(layers: tuple[int, ...]) -> float:
        found = [change(columns, layers) for columns in drawn if columns is not None]
        return float(np.mean(found)) if found else float("nan")

    every = tuple(range(depth))
    return EncoderKnockout(
        source=giving.name,
        target=taking.name,
        centres=windows.centres,
        window=windows.window,
        change=np.array([change(giving.positions, layers) for layers in windows.layers]),
        control=np.array([controls(layers) for layers in windows.layers]),
        all_layers=change(giving.positions, every),
        control_all_layers=controls(every),
        **of_prompt(
            whole, "encoder_knockout", _NOTES, edge=[giving.name, taking.name], window=windows.window, seed=seed
        ),
    )
