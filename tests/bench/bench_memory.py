"""What a recorded run keeps against what attentions of an eager run would take."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import torch
from PIL import Image

from explore.memory import readable
from explore.models.info import ModelInfo
from explore.models.plans import RecordingPlan
from explore.models.runner import Runner
from explore.trace import Trace
from tests.bench.harness import Table
from tests.bench.shipped import QUESTION, pictures, shipped_runner

PLANS = {
    "default plan": RecordingPlan(),
    "columns only (token activation maps)": RecordingPlan(hidden="none", attention="none", logits="none"),
}


def measure(runner: Runner | None = None, scenes: Callable[[], Iterator[Image.Image]] = pictures) -> Table:
    """Bytes of one recorded answer, part by part."""
    runner = runner or shipped_runner()
    picture = next(scenes())
    traces = {name: runner.ask(picture, QUESTION, record=plan) for name, plan in PLANS.items()}
    whole = next(iter(traces.values()))
    eager = eager_attentions(runner, whole, picture)
    for layer, weights in enumerate(eager):
        np.testing.assert_allclose(whole.attention(layer), weights[:, whole.row_positions], atol=1e-4)
    total = sum(weights.nbytes for weights in eager)
    rows = [["attentions of an eager run", f"{len(eager)} layers × {eager[0].shape}", readable(total), "1"]]
    numbers: dict[str, object] = {"eager": total, "positions": whole.positions_fed}
    for name, trace in traces.items():
        parts = parts_of(trace)
        kept = sum(parts.values())
        detail = ", ".join(f"{part} {readable(size)}" for part, size in parts.items())
        rows.append([name, detail, readable(kept), f"1/{total / kept:.1f}"])
        numbers[name] = parts
    rows += computed_rows()
    return Table(
        f"Memory kept by a recorded run ({runner.info.checkpoint}, {whole.positions_fed} positions)",
        ["what is kept", "of that", "bytes", "of eager"],
        rows,
        numbers,
        "The eager attentions of the first rows were really made, and agree with the recorded ones. The last two rows "
        "are computed from sizes, not measured. Attentions grow with the square of the length, all else with the first "
        "power.",
        sum(parts_of(whole).values()) < total,
    )


def computed_rows() -> list[list[str]]:
    """The same at the sizes of LLaVA-1.5-7B in half precision: 626 prompt positions and 64 new tokens."""
    info = ModelInfo(32, 32, 32, 4096, 32064, 4096, "bfloat16", "cuda", 0, "", "", "llava")
    prompt, new = 626, 64
    parts = RecordingPlan().estimate(info, prompt, new, question_tokens=12, visual_tokens=576)
    fed = prompt + new - 1
    eager = info.layers * info.heads * fed * fed * 2
    detail = ", ".join(f"{part} {readable(size)}" for part, size in parts.items() if size and part != "total")
    return [
        ["LLaVA-1.5-7B, eager (computed)", f"32 layers × (32, {fed}, {fed})", readable(eager), "1"],
        [
            "LLaVA-1.5-7B, default plan (computed)",
            detail,
            readable(parts["total"]),
            f"1/{eager / parts['total']:.1f}",
        ],
    ]


def parts_of(trace: Trace) -> dict[str, int]:
    """Bytes of a trace's arrays by what they are."""
    parts: dict[str, int] = {}
    for name, array in trace.arrays().items():
        if array.nbytes and name != "row_positions":
            part = name.split(".")[0]
            parts[part] = parts.get(part, 0) + array.nbytes
    return parts


def eager_attentions(runner: Runner, trace: Trace, picture: Image.Image) -> list[np.ndarray]:
    """All attention weights of the same sequence, one (heads, positions, positions) per layer."""
    family = runner._family
    prompt = runner._writer.write(QUESTION, 1)
    before = family.model.config._attn_implementation
    family.model.set_attn_implementation("eager")
    try:
        with torch.inference_mode():
            inputs = family.processor(
                text=[prompt.text], images=[picture], return_tensors="pt", add_special_tokens=prompt.add_special
            )
            ids = torch.from_numpy(trace.ids[: trace.positions_fed])[None]
            made = family.model(
                input_ids=ids.to(family.model.device),
                pixel_values=inputs["pixel_values"].to(family.model.device, family.dtype),
                output_attentions=True,
                use_cache=False,
            )
    finally:
        family.model.set_attn_implementation(before)
    return [weights[0].float().cpu().numpy() for weights in made.attentions]
