"""What rollout and relevance hold while they work, against the attention matrices they are defined on."""

from __future__ import annotations

import numpy as np
from PIL import Image

from explore.maps import METHODS
from explore.maps.method import MapMethod
from explore.memory import readable
from explore.models.plans import RecordingPlan
from explore.models.runner import Runner
from explore.trace import Trace
from tests.bench.harness import Table
from tests.bench.live_tensors import LiveTensors
from tests.tiny import tiny_llava

SIDE, LAYERS = 48, 8
NAMES = ("rollout", "relevance")


def measure(side: int = SIDE, layers: int = LAYERS) -> Table:
    """Bytes of tensors alive at once, for one answer token of a long sequence."""
    model, processor = tiny_llava(layers=layers, image_size=8 * side, context=side * side + 512)
    runner = Runner(model, processor, checkpoint="random", revision="bench")
    pixels = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    plan = RecordingPlan(hidden="none", attention="none", logits="none")
    trace = runner.read(Image.fromarray(pixels), "what is this?", "a dog", record=plan)
    length, heads = trace.positions_fed, trace.heads
    one = length * length * 4
    rows = [
        [f"all {layers} layers, {heads} heads", readable(layers * heads * one), f"{layers * heads:.0f}"],
        [f"one layer, {heads} heads", readable(heads * one), f"{heads:.0f}"],
        ["one layer, its heads averaged", readable(one), "1"],
    ]
    kept, kept_promise = _replayed(runner, trace), True
    rows.append(["queries, keys, values and states of all layers, in the graph", readable(kept), f"{kept / one:.2f}"])
    numbers: dict[str, object] = {"positions": length, "matrix": one, "replay": kept}
    for name in NAMES:
        largest, added = _largest(runner, trace, METHODS[name]())
        kept_promise &= largest <= one and added <= heads * one
        rows.append([f"{name}: the largest tensor", readable(largest), f"{largest / one:.2f}"])
        rows.append([f"{name}: everything alive at its peak", readable(added), f"{added / one:.2f}"])
        numbers[name] = {"largest": largest, "peak": added}
    return Table(
        f"Memory of methods that follow attention through the layers ({length} positions)",
        ["what", "bytes", "N×N matrices"],
        rows,
        numbers,
        "Counted tensor by tensor. Promised: no tensor larger than one layer's N×N matrix, and everything together, "
        "replay included, less than the weights of one layer.",
        kept_promise,
    )


def _replayed(runner: Runner, trace: Trace) -> int:
    """What a replay with gradients holds before any method has begun."""
    with runner.rerun(trace).replay(gradients=True) as replay:
        kept = [each for layer in replay.layers for each in (layer.query, layer.key, layer.value, layer.output)]
        return sum(each.nbytes for each in kept) + sum(each.nbytes for each in replay.states)


def _largest(runner: Runner, trace: Trace, method: MapMethod) -> tuple[int, int]:
    """Bytes of the largest tensor, and of all alive at the peak."""
    token = int(trace.answer_positions[0])
    runner.rerun(trace)  # the picture is encoded before counting starts
    with LiveTensors() as counted:
        method.maps(trace, token, runner=runner)
    return counted.largest, counted.peak
