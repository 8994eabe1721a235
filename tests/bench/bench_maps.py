"""All token activation maps of an answer against the plain loop over cells."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from explore.maps import token_activation_maps
from explore.maps.tam import scores_of
from tests.bench.harness import Table, milliseconds, take_turns, times
from tests.maps.fakes import fake_trace
from tests.maps.naive import naive_maps

AT_LEAST = 25
CASES: dict[str, tuple[Sequence[tuple[int, int]], int]] = {
    "24×24": ([(24, 24)], 30),
    "36×36": ([(36, 36)], 30),
    "video, 10 frames of 12×16": ([(12, 16)] * 10, 10),
}


def measure(rounds: int = 5) -> Table:
    """Every map of 30 question tokens and the answer, both parts on."""
    rows, numbers, worst = [], {}, np.inf
    for name, (shapes, answer) in CASES.items():
        trace = fake_trace(shapes, _text("q", 30), _text("a", answer), video=len(shapes) > 1)
        maps = token_activation_maps(trace)
        # The loop is handed its numbers ready to use; only the fast side also pays for picking them out of the trace.
        scores = scores_of(trace, maps.tokens)
        visual, text = scores.visual.tolist(), scores.text.tolist()

        def loop(visual=visual, text=text, scores=scores, shapes=shapes):
            return naive_maps(visual, text, scores.pieces, scores.prompt, shapes)

        np.testing.assert_allclose(maps.array, loop(), atol=1e-5)
        timings = take_turns({"loop": loop, "maps": lambda trace=trace: token_activation_maps(trace)}, rounds=rounds)
        ratio = timings.ratio("loop", "maps", "processor")
        worst = min(worst, ratio.median)
        taken = [milliseconds(timings.time(each, "processor")) for each in ("loop", "maps")]
        rows.append([name, str(len(maps)), *taken, times(ratio)])
        numbers[name] = {"maps": len(maps), "ratio": vars(ratio), "seconds": vars(timings)}
    return Table(
        "Token activation maps of a whole answer",
        ["grid", "maps", "loop over cells", "explore.maps", "faster"],
        rows,
        numbers,
        f"Median of {rounds} rounds (quartiles), processor time. Same formulas, same results; the loop is over plain "
        f"Python numbers, which is faster than over small arrays. Promised: at least {AT_LEAST} times faster.",
        bool(worst >= AT_LEAST),
    )


def _text(letter: str, count: int) -> list[str]:
    return [f" {letter}{number}" for number in range(count)]
