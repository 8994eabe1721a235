"""From the logits of a run to the raw scores that maps are made of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from explore.errors import ParameterError
from explore.maps.activation import RawScores

Mode = Literal["paper", "reference"]


def raw_scores(
    logits: NDArray[np.floating],
    ids: Sequence[int] | NDArray[np.int64],
    *,
    visual: NDArray[np.int64],
    question: NDArray[np.int64],
    question_ids: Sequence[int],
    answer_ids: Sequence[int],
    prompt_length: int,
    last_input_id: int,
    pieces: Sequence[str],
    words: Sequence[int] | None = None,
    mode: Mode = "paper",
) -> RawScores:
    """Gather the raw scores of all question and answer tokens from logits of the wanted token ids.

    The map of a token at a visual position is the token's logit there, negative ones at 0; equal ids have equal raw
    maps, so logits of the unique ids are enough and everything else is picking columns and rows.

    Which class an entry stands for follows the reference: the first question entry stands for the id the model itself
    expects next there (the arg max), every other question entry for its own id, and answer entries for the answer's
    ids. In reference mode the first answer entry stands for the last input id instead, the off-by-one of the reference.

    Source: TAM, arXiv 2506.23270, Eq. 1; indices as in tam.py of xmed-lab/TAM 7c7df1d.

    Parameters
    ----------
    logits
        (positions fed to the model, unique ids), raw; for the arg max they must hold the best id of the first entry's
        position.
    ids
        Token id of each column, (unique ids,).
    visual
        Sequence positions of the visual tokens in the order of the maps, (visual,).
    question
        Sequence positions of the question tokens, (prompt,).
    question_ids, answer_ids
        Token ids of question and answer, end-of-sequence included if it was generated.
    prompt_length
        Length of the input; the answer starts at this position.
    last_input_id
        Token id at the last input position.
    pieces
        Text pieces of question and answer tokens, (entries,).
    words
        Word of each entry, (entries,); -1 for none.
    mode
        "paper", or "reference" for parity with the reference's indices.

    Returns
    -------
    RawScores
    """
    prompt, entries = len(question), len(question) + len(answer_ids)
    read_at = np.concatenate([question, prompt_length - 1 + np.arange(len(answer_ids))]).astype(np.int64)
    classes = np.array([*question_ids, *answer_ids], np.int64)
    columns = np.asarray(ids, np.int64)
    if mode == "reference" and len(answer_ids):
        classes[prompt] = last_input_id
    if entries and (prompt or mode == "reference"):
        classes[0] = columns[np.argmax(logits[read_at[0]])]
    chosen = _columns(columns, classes)
    return RawScores(
        visual=_activations(logits, visual, chosen),
        text=_activations(logits, read_at, chosen),
        pieces=tuple(pieces),
        prompt=prompt,
        words=tuple(words) if words is not None else (-1,) * entries,
        classes=tuple(classes.tolist()),
    )


def _columns(ids: NDArray[np.int64], classes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Column of each class, (entries,)."""
    order = np.argsort(ids)
    found = order[np.searchsorted(ids[order], classes).clip(max=len(ids) - 1)] if len(ids) else np.empty(0, np.int64)
    missing = sorted(set(classes[ids[found] != classes].tolist())) if len(ids) else classes.tolist()
    if missing:
        raise ParameterError(
            f"The logits hold no columns for token ids {missing}",
            "Every id of the question and the answer needs one.",
            "Record the run again with columns.",
        )
    return found


def _activations(
    logits: NDArray[np.floating], positions: NDArray[np.int64], columns: NDArray[np.int64]
) -> NDArray[np.float32]:
    """Logits at these positions, negative ones at 0, (classes, positions) float32."""
    picked = np.ascontiguousarray(logits[positions][:, columns].T, dtype=np.float32)
    return np.maximum(picked, 0, out=picked)
