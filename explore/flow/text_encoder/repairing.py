"""Put an item's own vectors back where the rest of the prompt has leaked into them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from explore.errors import ParameterError
from explore.flow.text_encoder.alone import Offset, alone_states
from explore.flow.text_encoder.items import Item, Span, one_item
from explore.prompt_states import PromptStates
from explore.runs import TextEncoderLike


def repaired(
    encoder: TextEncoderLike, whole: PromptStates, item: str | Span | Item, *, offset: Offset = "own"
) -> PromptStates:
    """The prompt's states with an item's tokens as they are when it is encoded alone; everything else as it was.

    Compare images made of it with those of `whole`, and with a repair of another item as the control.

    Source: Kaplan et al., arXiv 2504.01137, leakage repair; `specs/information-flow.md` §3.4.

    Parameters
    ----------
    encoder, whole
        The encoder and what it made of the prompt.
    item
        Whose vectors are replaced.
    offset
        Where it stands when it is alone, see `alone_states`.

    Raises
    ------
    ParameterError
        The item is not there, or is split into other tokens when it is alone.
    """
    found = one_item(whole.tokens, item)
    made = replaced_states(whole, found.positions, alone_states(encoder, whole, found, offset))
    about = {"method": "repaired", "item": found.name, "offset": offset}
    return replace(made, fingerprint={**whole.fingerprint, "flow": about})


def replaced_states(whole: PromptStates, positions: np.ndarray, vectors: np.ndarray) -> PromptStates:
    """The states with other vectors (tokens, width) at some positions (tokens,).

    Raises
    ------
    ParameterError
        The shapes do not fit.
    """
    if vectors.shape != (len(positions), whole.states.shape[1]):
        raise ParameterError(
            f"Vectors of the shape {vectors.shape} were given for {len(positions)} positions",
            f"They are {whole.states.shape[1]} wide, one for each.",
        )
    states = whole.states.copy()
    states[positions] = vectors
    return replace(whole, states=states)
