"""Attention knockout with kept beginnings and batched centres, against one forward pass of the whole run per centre."""

from __future__ import annotations

import numpy as np
from PIL import Image

from explore.flow import knockout
from explore.flow.effects import MEASURES
from explore.flow.knockout_curves import KnockoutCurves
from explore.models.plans import RecordingPlan
from explore.models.runner import Runner
from explore.trace import Trace
from tests.bench.harness import Table, milliseconds, take_turns, times
from tests.bench.shipped import QUESTION, pictures, shipped_runner
from tests.tiny import tiny_llava

AT_LEAST = 8
SIDE, LAYERS = 24, 12
PLAN = RecordingPlan(hidden="none", attention="none", logits="none", columns=False)


def measure(rounds: int = 5) -> Table:
    """Four edges over all layers; controls are left out on both sides."""
    rows, numbers, worst = [], {}, np.inf
    for name, (runner, trace) in {"the shipped model": _shipped(), f"{LAYERS} random layers": _long()}.items():

        def fast(runner: Runner = runner, trace: Trace = trace) -> KnockoutCurves:
            return knockout(runner, trace, controls=(), window=1)

        def slow(runner: Runner = runner, trace: Trace = trace) -> KnockoutCurves:
            return knockout(runner, trace, controls=(), window=1, reuse=False, batch_size=1)

        one, other = fast(), slow()
        assert one.reused
        assert len(one.edges) == 4
        for measured in MEASURES:
            np.testing.assert_allclose(
                getattr(one.effects, measured), getattr(other.effects, measured), atol=1e-2, rtol=1e-3
            )
        timings = take_turns({"whole": slow, "kept": fast}, rounds=rounds)
        ratio = timings.ratio("whole", "kept", "processor")
        worst = min(worst, ratio.median)
        taken = [milliseconds(timings.time(each, "processor")) for each in ("whole", "kept")]
        work = f"{other.rows_run / one.rows_run:.0f}×"
        rows.append([name, str(trace.prompt_length), str(one.effects.kl.size), *taken, work, times(ratio)])
        numbers[name] = {
            "positions": trace.prompt_length,
            "variants": one.effects.kl.size,
            "rows": [other.rows_run, one.rows_run],
            "ratio": vars(ratio),
            "seconds": vars(timings),
        }
    return Table(
        "Knockout of four edges over all layers",
        ["model", "positions", "variants", "one whole pass each", "explore.flow", "fewer rows", "faster"],
        rows,
        numbers,
        f"Median of {rounds} rounds (quartiles), processor time, the clean run included on both sides. Same numbers. "
        f"Promised: at least {AT_LEAST} times faster.",
        bool(worst >= AT_LEAST),
    )


def _shipped() -> tuple[Runner, Trace]:
    runner = shipped_runner()
    return runner, runner.ask(next(pictures()), QUESTION, record=PLAN, max_new_tokens=8)


def _long() -> tuple[Runner, Trace]:
    model, processor = tiny_llava(layers=LAYERS, image_size=8 * SIDE, context=SIDE * SIDE + 512)
    runner = Runner(model, processor, checkpoint="random", revision="bench")
    pixels = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    return runner, runner.read(Image.fromarray(pixels), "what is this?", "a dog", record=PLAN)
