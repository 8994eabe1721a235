"""The residual stream of plain text: a batch is padded, run, and stopped at the deepest layer that is wanted.

The model runs as a whole, so that positions and masks are its own; neither the layers behind the deepest one nor the
head are computed, and only wanted rows are kept.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from explore.errors import CheckpointError, ParameterError
from explore.models.families.base import Family


class _Reached(Exception):  # noqa: N818 (no failure: it stops the run)
    """The deepest wanted layer was about to run."""


def padded(family: Family, sentences: Sequence[Any], shift: Sequence[int]) -> dict[str, Tensor]:
    """Token ids and attention mask of sentences, each beginning at its own place, (sentences, longest)."""
    pad = family.processor.tokenizer.pad_token_id
    widest = max(start + len(sentence) for sentence, start in zip(sentences, shift, strict=True))
    ids = torch.full((len(sentences), widest), int(pad) if pad is not None else 0)
    mask = torch.zeros_like(ids)
    for row, (sentence, start) in enumerate(zip(sentences, shift, strict=True)):
        ids[row, start : start + len(sentence)] = torch.as_tensor(np.asarray(sentence, np.int64))
        mask[row, start : start + len(sentence)] = 1
    # Where type ids tell question from answer, plain text is read as an answer is: every token sees those before it.
    types = {name: torch.full_like(ids, value) for name, value in family.answer_values.items()}
    return family.on_device({"input_ids": ids, "attention_mask": mask, **types})


def caught_states(
    family: Family, inputs: Mapping[str, Tensor], layers: Sequence[int], rows: Tensor
) -> dict[int, Tensor]:
    """Rows of the streams entering some layers in one run.

    Parameters
    ----------
    family
        The loaded model.
    inputs
        As `padded` makes them.
    layers
        0 to L in ascending order; L is before the final norm.
    rows
        Places in the batch laid end to end, (rows,).

    Raises
    ------
    CheckpointError
        The model does not run its decoder on text alone.
    """
    found: dict[int, Tensor] = {}

    def catch(layer: int) -> Callable[..., None]:
        def hook(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
            stream = family.stream(args[0] if args else kwargs["hidden_states"])
            found[layer] = stream.flatten(0, 1).index_select(0, rows.to(stream.device))
            if layer == layers[-1]:
                raise _Reached

        return hook

    modules = [*family.layers, family.final_norm]
    with ExitStack() as stack, suppress(_Reached):
        for layer in layers:
            stack.callback(modules[layer].register_forward_pre_hook(catch(layer), with_kwargs=True).remove)
        family.run_text(inputs)
    if len(found) != len(layers):
        raise CheckpointError(
            f"{type(family.model).__name__} did not run its layers on plain text", "", "Use another model."
        )
    return found


def require_places(family: Family, lengths: Sequence[int], layers: Sequence[int], wanted: Sequence[np.ndarray]) -> None:
    """Refuse layers and positions that are not there.

    Raises
    ------
    ParameterError
        One is not, or a sentence is empty.
    """
    last = len(family.layers)
    if not lengths or min(lengths) < 1:
        raise ParameterError("An empty text was given", "Every text has at least one token.")
    if not layers or not all(0 <= layer <= last for layer in layers):
        raise ParameterError(f"layers={list(layers)} were given", f"This model has 0 to {last}.")
    for places, length in zip(wanted, lengths, strict=True):
        if ((places < 0) | (places >= length)).any():
            raise ParameterError(
                f"Positions {places.tolist()} of a text of {length} tokens were asked for",
                f"They count from 0 to {length - 1}.",
            )
