"""From sentences to stored rows: run, take the wanted states, make them unit vectors, and pack them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from explore.errors import CheckpointError
from explore.lens.bank_plan import BankPlan, Part
from explore.lens.quantising import quantised
from explore.runs import LanguageLike

StoreDtype = Literal["float16", "int8"]
STORE_DTYPES: dict[str, torch.dtype] = {"float16": torch.float16, "int8": torch.int8}
_SUMMED = 1024  # rows turned into double precision at once


def encoded_part(
    language: LanguageLike,
    plan: BankPlan,
    part: Part,
    layers: Sequence[int],
    width: int,
    dtype: StoreDtype,
    check: Callable[[int], None],
) -> dict[int, dict[str, Tensor]]:
    """All rows of one part.

    Parameters
    ----------
    language
        The model.
    plan, part
        What is encoded, and how it stands together.
    layers
        Which states are kept.
    width
        How many numbers each has.
    dtype
        What they are stored as.
    check
        Called with the number of sentences done after every batch; may raise to stop.

    Returns
    -------
    dict
        Layer to `rows` (rows, width), `norms` (rows,) float32 of the states they were made of, `sum` (width,) float64
        of the rows as stored, and `scales` (rows,) float32 where they are int8.

    Raises
    ------
    CheckpointError
        A state is not finite, or has another width.
    """
    count, done = len(part.rows), 0
    found = {layer: _empty(count, width, dtype) for layer in layers}
    for batch in plan.batches(part):
        owned = [plan.rows(sentence) for sentence in batch]
        places = [plan.selection.rows["position"][each] for each in owned]
        states = language.states([plan.ids(sentence) for sentence in batch], layers, places)
        at = torch.from_numpy(np.concatenate([np.arange(each.start, each.stop) for each in owned]) - part.rows.start)
        for layer in layers:
            if states[layer].shape[-1] != width:
                raise CheckpointError(
                    f"States of layer {layer} have {states[layer].shape[-1]} numbers, the model says {width}",
                    "",
                    "Use another model, or leave this layer out.",
                )
            unit, norms = unit_rows(states[layer])
            if not bool(torch.isfinite(norms).all()):
                raise _not_finite(plan, batch, layer, norms.cpu())
            for name, values in {**packed(unit, dtype), "norms": norms}.items():
                found[layer][name][at] = values.cpu()
        done += len(batch)
        check(done)
    for tensors in found.values():
        tensors["sum"] = _sum_of(tensors["rows"], tensors.get("scales"))
    return found


def unit_rows(states: Tensor) -> tuple[Tensor, Tensor]:
    """States of any number type as unit rows (rows, width) float32, and the norms they had, (rows,) float32.

    A state of zeros stays one.
    """
    exact = states.float()  # before anything is squared: norms of 700,000 are met, and half precision ends at 65,504
    norms = torch.linalg.vector_norm(exact, dim=-1)
    return exact / norms.clamp(min=torch.finfo(torch.float32).tiny)[:, None], norms


def packed(unit: Tensor, dtype: StoreDtype) -> dict[str, Tensor]:
    """Unit rows as they are stored: `rows`, and `scales` where they are int8."""
    if dtype == "float16":
        return {"rows": unit.half()}
    rows, scales = quantised(unit)
    return {"rows": rows, "scales": scales}


def _empty(count: int, width: int, dtype: StoreDtype) -> dict[str, Tensor]:
    found = {"rows": torch.zeros(count, width, dtype=STORE_DTYPES[dtype]), "norms": torch.zeros(count)}
    return found if dtype == "float16" else {**found, "scales": torch.zeros(count)}


def _sum_of(rows: Tensor, scales: Tensor | None) -> Tensor:
    """Sum of rows in double precision, by numpy: the same however many threads torch has."""
    total = np.zeros(rows.shape[1])
    for first in range(0, len(rows), _SUMMED):
        exact = rows[first : first + _SUMMED].numpy().astype(np.float64)
        total += (exact if scales is None else exact * scales[first : first + _SUMMED, None].numpy()).sum(axis=0)
    return torch.from_numpy(total)


def _not_finite(plan: BankPlan, batch: Sequence[int], layer: int, norms: Tensor) -> CheckpointError:
    """Name the first sentence whose state is no number."""
    counts = [plan.rows(each).stop - plan.rows(each).start for each in batch]
    row = int(torch.nonzero(~torch.isfinite(norms))[0])
    sentence = batch[int(np.searchsorted(np.cumsum(counts), row, side="right"))]
    text = plan.selection.sentences[int(plan.texts[sentence])].text
    return CheckpointError(
        f"Layer {layer} has a state that is not finite, in the sentence {text[:80]!r}",
        "A bank holds finite states only.",
        "Load the model in a wider number type, such as bfloat16 or float32 in place of float16.",
    )
