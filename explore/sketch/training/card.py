"""The model card of the shipped checkpoints: what they are, what they cost, what their exam says."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from explore.sketch.exams import ExamResult, compare
from explore.sketch.pens import COLOURS
from explore.sketch.scenes import BACKGROUNDS, SIZE
from explore.sketch.things import KINDS

_TEXT = """# The sketch model

Two checkpoints of one small vision-language model that ship with vlmscope, so that everything works on a fresh
machine without network or GPU. They know the drawn scenes of `explore.sketch` and nothing else: photographs are
answered with guesses.

| folder | name for `explore.load` | what it is |
|---|---|---|
| `default` | `"sketch"` or nothing | everything tuned together |
| `frozen` | `"sketch-frozen"` | tower and projector learned to speak to a decoder that only ever read text |

**Architecture.** A stock `LlavaForConditionalGeneration`: CLIP vision tower (6 layers, width 160, CLS token, {size} x
{size} pixels, 12 x 12 patches), two-layer projector, Llama decoder (6 layers, width 192, 6 query and 3 key-value
heads). Weights are stored in float16.

**World.** {kinds} kinds of things in {colours} colours and three sizes, one to four in a scene, on {grounds} textured
grounds; signs carry short words, letters and digits. Captions, and questions about what, colour, place, relation,
number, text, and yes or no.

**Training** (`python -m explore.sketch.training all`, on two cores of a CPU without a GPU). The tower learns to name
what each patch of a crowded picture shows, then on scenes which thing comes first, second … from the left and from
the top. The decoder learns the language from text alone: scenes put into words, patch by patch and as prose, then
questions about them. Both meet with the decoder frozen (`frozen`), then everything is tuned together, the longest
part of it at a rate that no longer undoes what was learned (`default`).
Minutes are wall time; a stage ran on one core where another ran beside it.

{costs}

**Exam** (`explore exam`): {scenes} scenes from seeds that training never draws from; an answer is right when it claims
what the truth claims. Shares with 95 % intervals.

{exam}

{verdict}
"""


def write_card(results: Sequence[ExamResult], weights: Path) -> None:
    """Write ``exam.json`` and ``README.md`` beside the checkpoints."""
    (weights / "exam.json").write_text(json.dumps([result.to_json() for result in results], indent=2) + "\n")
    costs = json.loads((weights / "default" / "training.json").read_text())
    lines = ["| stage | steps | minutes |", "|---|--:|--:|"]
    lines += [f"| {name} | {cost['steps']} | {cost['seconds'] / 60:.0f} |" for name, cost in costs.items()]
    text = _TEXT.format(
        size=SIZE,
        kinds=len(KINDS),
        colours=len(COLOURS),
        grounds=len(BACKGROUNDS),
        costs="\n".join(lines),
        scenes=results[0].scenes,
        exam=compare(results),
        verdict=_verdict(results),
    )
    (weights / "README.md").write_text(text)


def _verdict(results: Sequence[ExamResult]) -> str:
    missed = [
        f"{result.checkpoint}: {name} {result[name].value:.2f}, floor {floor:.2f}"
        for result in results
        for name, floor in result.floors.items()
        if result[name].value < floor
    ]
    return "Every mark reaches its floor." if not missed else "Below their floors: " + "; ".join(missed) + "."
