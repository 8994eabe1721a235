"""Attention knockout: cut edges between groups of positions around each layer, and see what the prediction loses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from explore.errors import ParameterError
from explore.flow.controls import CONTROLS
from explore.flow.depth_windows import layer_windows
from explore.flow.effects import Prediction, effects_of, prediction_of
from explore.flow.knockout_curves import KnockoutCurves
from explore.flow.knockout_edges import Edges, default_edges, placed_edges
from explore.flow.knockout_plan import KnockoutPlan
from explore.runs import Report, RunnerLike
from explore.trace import Trace


def knockout(
    runner: RunnerLike,
    trace: Trace,
    edges: Edges | None = None,
    *,
    window: int | None = None,
    stride: int = 1,
    number: int = 0,
    layers: Sequence[int] | None = None,
    heads: Sequence[int] | None = None,
    opposite: bool = False,
    zero_value: bool = False,
    controls: Sequence[str] = CONTROLS,
    draws: int = 5,
    seed: int = 0,
    batch_size: int | None = None,
    reuse: bool = True,
    progress: Report | None = None,
) -> KnockoutCurves:
    """What the prediction of an answer token loses when attention edges are cut in a window around each layer.

    Where only late positions are cut, keys and values of all earlier ones are reused, so that cutting the last
    position's edges costs one token for each centre. Information that was copied before a window stays where it is: a
    curve that is flat at the end does not say that an edge is unimportant. Windows overlap, which smooths the curves.

    Source: Geva et al., EMNLP 2023, arXiv 2304.14767; Zhang et al., CVPR 2025, arXiv 2411.18620.

    Parameters
    ----------
    runner
        The model that made the trace.
    trace
        The run.
    edges
        Name to (source, target); None takes picture to question, to the template behind it and to the last position,
        and question to last. `edges_by_position` and `object_edges` make others.
    window, stride
        Layers around every centre, an odd number, and the step from one centre to the next; see `layer_windows`.
    number
        Which token of the answer is followed; 0 is the first.
    layers, heads
        Where edges are cut; None means everywhere.
    opposite
        Keep the named edges, and cut all others into the same rows.
    zero_value
        Keep every weight and zero what cut edges bring, so that their mass is handed to nobody.
    controls
        Which of `CONTROLS` to draw.
    draws, seed
        How often random controls are drawn, at least five for one run, and from which seed.
    batch_size
        Variants in one forward pass; None chooses.
    reuse
        Whether beginnings are reused where the decoder allows it.
    progress
        Called with the fraction done and a message; may raise `Cancelled`.

    Raises
    ------
    ParameterError
        Edges, window or layers do not fit the run.
    CheckpointError
        Tokens meet otherwise than by attention in one of the layers; the message says which could be cut.
    """
    unknown = sorted(set(controls) - set(CONTROLS))
    if unknown or draws < 1:
        raise ParameterError(f"controls={unknown} and draws={draws} were given", f"Controls are {', '.join(CONTROLS)}.")
    end = trace.prompt_length + number
    placed = placed_edges(default_edges(trace, end) if edges is None else edges, trace, end)
    cut = tuple(each.opposite(end) for each in placed) if opposite else placed
    windows = layer_windows(trace.layers, window, stride, layers)
    how = {"heads": None if heads is None else tuple(heads), "zero_value": zero_value}
    plan, rng = KnockoutPlan(cut, windows, how), np.random.default_rng(seed)
    with runner.rerun(trace).variants(number=number, reuse=reuse, progress=progress) as variants:
        plan.plan_edges()
        if "random edges" in controls:
            plan.plan_random_edges(draws, rng)
        if "equal mass" in controls:
            plan.plan_equal_mass(draws, rng, variants.attention([each.target for each in cut]))
        if "last->last" in controls:
            plan.plan_last(end - 1)
        if "all layers" in controls:
            plan.plan_all_layers()
        before = prediction_of(variants.base, int(trace.answer_ids[number]), runner.language.token_texts)
        measure = _Measure(variants.base, before, len(plan.variants), progress)
        effects = plan.filled(variants.logits(plan.variants, batch_size=batch_size, measure=measure))
        reused, rows_run, open_edits = variants.reuses, variants.rows_run, variants.edits
    curves = effects.pop("edges")
    parameters = {
        "edges": {each.name: [each.source.tolist(), each.target.tolist()] for each in placed},
        "window": windows.window,
        "stride": stride,
        "number": number,
        "layers": None if layers is None else list(layers),
        "heads": None if heads is None else list(heads),
        "opposite": opposite,
        "zero_value": zero_value,
        "controls": list(controls),
        "draws": draws,
        "seed": seed,
        "edits": open_edits,
    }
    counts = np.array([sum(int((each.source < row).sum()) for row in each.target) for each in cut], np.int64)
    names = tuple(each.name for each in placed)
    told = trace.fingerprint | {"knockout": parameters}
    return KnockoutCurves(
        names,
        windows,
        curves,
        effects,
        before,
        plan.mass_share,
        counts,
        opposite,
        zero_value,
        reused,
        rows_run,
        told,
    )


@dataclass(eq=False)
class _Measure:
    """From a batch of logits (variants, vocabulary) to measures (variants, measures), counting how many are done."""

    base: np.ndarray
    before: Prediction
    total: int
    progress: Report | None
    done: int = 0

    def __call__(self, logits: np.ndarray) -> np.ndarray:
        self.done += len(logits)
        if self.progress is not None:
            self.progress(self.done / self.total, f"{self.done} of {self.total} knockouts")
        return np.stack(list(effects_of(self.base, logits, self.before).arrays().values()), axis=-1)
