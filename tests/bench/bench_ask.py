"""A recorded `ask` against plain `generate` on the same model."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from PIL import Image

from explore.models.plans import RecordingPlan
from explore.models.runner import Runner
from tests.bench.harness import Clock, Table, milliseconds, take_turns, times
from tests.bench.shipped import QUESTION, pictures, shipped_runner

AT_MOST = 1.15
NEW_TOKENS = 64
PLAIN = "plain generate"
PLANS = {
    "all hidden states, answer's attention rows, columns, logits (default)": RecordingPlan(),
    "columns only (token activation maps)": RecordingPlan(hidden="none", attention="none", logits="none"),
}


def measure(
    rounds: int = 31, runner: Runner | None = None, scenes: Callable[[], Iterator[Image.Image]] = pictures
) -> Table:
    """Time from picture and question to the answer, recorded and not."""
    runner = runner or shipped_runner()
    if plain_answer(runner, next(scenes())) != runner.ask(next(scenes()), QUESTION, max_new_tokens=NEW_TOKENS).answer:
        raise AssertionError("plain generate and the recorded run answer differently")
    seen = {PLAIN: scenes(), **{name: scenes() for name in PLANS}}
    work: dict[str, Callable[[], object]] = {PLAIN: lambda: plain_answer(runner, next(seen[PLAIN]))}
    for name, plan in PLANS.items():
        work[name] = lambda name=name, plan=plan: runner.ask(
            next(seen[name]), QUESTION, max_new_tokens=NEW_TOKENS, record=plan
        )
    timings = take_turns(work, rounds=rounds, warm_up=3)
    # On a processor all of recording is work, and processor time is not disturbed by what else the machine does.
    clock: Clock = "processor" if runner.info.device == "cpu" else "wall"
    rows, numbers = [], {}
    for name in work:
        ratio = {each: timings.ratio(name, PLAIN, each) for each in ("wall", "processor")}
        rows.append([name, milliseconds(timings.time(name)), times(ratio["wall"], 2), times(ratio["processor"], 2)])
        numbers[name] = {each: vars(spread) for each, spread in ratio.items()}
    return Table(
        f"A recorded run against plain generate ({runner.info.checkpoint}, {runner.info.device})",
        ["what is recorded", "time of one answer", "of plain, time", "of plain, processor time"],
        rows,
        {"ratio": numbers, "seconds": vars(timings)},
        f"Median of {rounds} rounds (quartiles), another scene each round, the same for all within a round; image "
        f"processing included everywhere. Promised: the default plan takes at most {AT_MOST} times plain generate, "
        f"{clock} time.",
        timings.ratio(next(iter(PLANS)), PLAIN, clock).median <= AT_MOST,
    )


def plain_answer(runner: Runner, picture: Image.Image) -> str:
    """What a user without the toolkit writes: processor, greedy `generate`, decode."""
    family = runner._family  # the very model the runner holds
    prompt = runner._writer.write(QUESTION, 1)
    with torch.inference_mode():
        inputs = family.processor(
            text=[prompt.text], images=[picture], return_tensors="pt", add_special_tokens=prompt.add_special
        )
        inputs = inputs.to(family.model.device, family.dtype)
        made = family.model.generate(**inputs, do_sample=False, max_new_tokens=NEW_TOKENS)
    new = made[0, inputs["input_ids"].shape[1] :]
    return family.processor.tokenizer.decode(new, skip_special_tokens=True).strip()
