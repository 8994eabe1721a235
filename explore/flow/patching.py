"""Activation patching and causal tracing: states of one run put into another, over layers and positions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, get_args

import numpy as np

from explore.edits import Part
from explore.errors import ParameterError
from explore.flow.corruption import corrupted
from explore.flow.patch_grid import Direction, Metric, PatchGrid
from explore.flow.patch_plan import columns_of, patches_of, require_apart, rows_of, target_of
from explore.runs import Report, RunnerLike
from explore.trace import Trace


def activation_patching(
    runner: RunnerLike,
    trace: Trace,
    other: Any,
    *,
    part: Part = "state",
    positions: Any = None,
    layers: Sequence[int] | None = None,
    window: int | None = None,
    direction: Direction = "clean->corrupt",
    metric: Metric = "logit_difference",
    number: int = 0,
    foil: int | None = None,
    draws: int = 1,
    seed: int = 0,
    batch_size: int | None = None,
    progress: Report | None = None,
) -> PatchGrid:
    """What the prediction becomes when one run's states are put into another, cell by cell.

    A model that adds visual features between its layers adds those of the run that is patched, also behind patched
    states; noise on its input leaves them clean.

    Source: Meng et al., NeurIPS 2022, arXiv 2202.05262; Wang et al., ICLR 2023, arXiv 2211.00593.

    Parameters
    ----------
    runner
        The model that made the trace.
    trace
        The clean run.
    other
        The corrupted run: another picture in place of the trace's own, which keeps everything as the model knows it
        (it is brought to the same size), a trace of the same question about another picture, or "noise".
    part
        "state" is the residual stream entering a layer; "attention" and "mlp" are what these hand on, patched in a
        window of layers, because single ones hardly count.
    positions
        Columns: positions or names of them, one column each; a mapping from names to positions that are patched
        together; None is every position from the picture on.
    layers
        Rows; None means all.
    window
        Odd number of layers patched together for "attention" and "mlp"; see `layer_windows`.
    direction
        "clean->corrupt" restores, "corrupt->clean" destroys.
    metric
        "logit_difference" of answer and foil, or "probability" of the answer.
    number
        Which answer token is followed.
    foil
        Token id to compare with; None is what the corrupted run says instead, or the clean run's second best.
    draws, seed
        How many noises to average over, and from which seed.
    batch_size
        Cells in one forward pass; None chooses.
    progress
        Called with the fraction done and a message; may raise `Cancelled`.

    Raises
    ------
    ParameterError
        The two runs do not fit each other, or do not differ.
    CheckpointError
        The decoder has several residual streams, or no such part.
    """
    if direction not in get_args(Direction):
        raise ParameterError(f"direction={direction!r} was given", f"Allowed are {', '.join(get_args(Direction))}.")
    end = trace.prompt_length + number
    columns, rows = columns_of(positions, trace, end), rows_of(part, trace.layers, layers, window)
    known = np.unique(np.concatenate(list(columns.values())))
    clean = runner.rerun(trace)
    corrupt = corrupted(runner, trace, clean, other, number=number, draws=draws, seed=seed)
    restoring = direction == "clean->corrupt"
    with clean.variants(number=number, progress=progress) as first:
        clean_logits, clean_states = first.base, first.states(part, known) if restoring else None
        open_edits = first.edits
    totals, found = list[tuple[float, float]](), list[np.ndarray]()
    target = None
    for draw, edits in enumerate(corrupt.edits):
        with corrupt.rerun.variants(edits=edits, number=number, progress=progress) as second:
            target = target or target_of(trace, number, clean_logits, second.base, foil, metric)
            totals.append((float(target.of(clean_logits)), float(target.of(second.base))))
            states = clean_states if restoring else second.states(part, known)
            assert states is not None
            cells = [patches_of(part, at, where, states, known) for at in rows.layers for where in columns.values()]
            if restoring:
                logits = second.logits(cells, batch_size=batch_size)
        if not restoring:
            with clean.variants(number=number, progress=progress) as first:
                logits = first.logits(cells, batch_size=batch_size)
        found.append(target.of(logits).reshape(len(rows.layers), len(columns)))
        if progress is not None:
            progress((draw + 1) / len(corrupt.edits), f"patched {len(cells)} cells")
    assert target is not None
    clean_value, corrupt_value = (float(np.mean([each[side] for each in totals])) for side in (0, 1))
    require_apart(clean_value, corrupt_value)
    answer_text, foil_text = runner.language.token_texts([target.answer, target.foil])
    told = {
        "direction": direction,
        "part": part,
        "window": rows.window,
        "metric": metric,
        "number": number,
        "foil": target.foil,
        "corruption": corrupt.kind,
        "other": corrupt.trace.fingerprint.get("images"),
        "draws": len(corrupt.edits),
        "seed": seed,
        "columns": {name: each.tolist() for name, each in columns.items()},
        "layers": rows.centres.tolist(),
        "edits": open_edits,
    }
    return PatchGrid(
        np.mean(found, axis=0),
        clean_value,
        corrupt_value,
        rows.centres,
        tuple(columns),
        tuple(tuple(each.tolist()) for each in columns.values()),
        part,
        rows.window,
        direction,
        metric,
        target.answer,
        target.foil,
        answer_text,
        foil_text,
        corrupt.kind,
        len(corrupt.edits),
        trace.fingerprint | {"patching": told},
    )


def causal_tracing(
    runner: RunnerLike, trace: Trace, *, part: Part = "state", draws: int = 10, positions: Any = None, **options: Any
) -> PatchGrid:
    """Causal tracing: noise on the picture, one clean state put back at a time, and how likely the answer is again.

    `indirect_effect` of the result is the probability restored, `total_effect` what there was to restore.

    Source: Meng et al., NeurIPS 2022, arXiv 2202.05262: noise of three standard deviations of what it is put on, ten
    different ones, the same for every cell; attention and MLP are restored in windows.

    Parameters
    ----------
    runner, trace
        The model and the run.
    part, positions
        As for `activation_patching`.
    draws
        How many noises.
    options
        All other parameters of `activation_patching`.
    """
    given = {"metric": "probability", **options}
    return activation_patching(runner, trace, "noise", part=part, positions=positions, draws=draws, **given)
