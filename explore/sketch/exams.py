"""The shipped model's own exam: captions and questions about scenes it has never seen, judged by content."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from explore.errors import ParameterError
from explore.sketch.answers import is_right, kinds_named
from explore.sketch.language import QUESTION_TYPES, Question, caption_request, questions
from explore.sketch.scenes import Scene, scene

FIRST_EXAM_SEED = 1_000_000_000
"""Training draws its scenes from seeds below this one, the exam from here on."""
FLOORS = {
    "sketch": {"captions": 0.90, "all questions": 0.85, **dict.fromkeys(QUESTION_TYPES, 0.75)},
    "sketch-frozen": {"captions": 0.60},
}
"""What the shipped checkpoints must reach: F1 of the kinds named in captions, share of answers right."""


class Answering(Protocol):
    """All that the exam needs of a runner."""

    def answers(self, pairs: Sequence[tuple[Any, str]], *, max_new_tokens: int, batch_size: int) -> list[str]: ...


@dataclass(frozen=True)
class Mark:
    """One row of the table: a share between 0 and 1 with its 95 % interval, and how many cases it rests on."""

    name: str
    value: float
    low: float
    high: float
    cases: int


@dataclass(frozen=True)
class ExamResult:
    """Marks by name, and the answers behind them as (scene seed, question, answer)."""

    checkpoint: str
    scenes: int
    marks: tuple[Mark, ...]
    floors: dict[str, float]
    given: tuple[tuple[int, Question, str], ...] = field(repr=False)

    def __getitem__(self, name: str) -> Mark:
        return next(mark for mark in self.marks if mark.name == name)

    @property
    def passed(self) -> bool:
        """Whether every mark reaches its floor."""
        return all(self[name].value >= floor for name, floor in self.floors.items())

    def mistakes(self) -> list[tuple[int, Question, str]]:
        """The answers that were wrong, captions left out."""
        return [
            (seed, asked, got)
            for seed, asked, got in self.given
            if asked.type != "caption" and not is_right(asked.type, got, asked.answer)
        ]

    def table(self) -> str:
        """The marks as a markdown table."""
        return compare([self])

    def to_json(self) -> dict[str, Any]:
        """Marks and floors as plain data."""
        marks = {m.name: {"value": m.value, "low": m.low, "high": m.high, "cases": m.cases} for m in self.marks}
        return {
            "checkpoint": self.checkpoint,
            "scenes": self.scenes,
            "passed": self.passed,
            "marks": marks,
            "floors": self.floors,
        }


def exam_questions(drawn: Scene, rng: np.random.Generator, per_type: int = 2) -> list[Question]:
    """A caption request and up to ``per_type`` questions of every type that the scene allows."""
    pool = rng.permutation(np.array(questions(drawn, rng), dtype=object))
    taken: Counter[str] = Counter()
    chosen = [caption_request(drawn, str(rng.choice(["full", "scene", "short"])), rng)]
    for question in pool:
        if taken[question.type] < per_type:
            taken[question.type] += 1
            chosen.append(question)
    return chosen


def run_exam(
    runner: Answering,
    scenes: int = 1000,
    *,
    checkpoint: str = "sketch",
    first_seed: int = FIRST_EXAM_SEED,
    batch_size: int = 48,
    progress: Callable[[float, str], None] | None = None,
) -> ExamResult:
    """Ask about ``scenes`` unseen scenes and judge the answers by what they claim.

    Parameters
    ----------
    runner
        Anything with ``answers(pairs, max_new_tokens=, batch_size=)``.
    checkpoint
        "sketch" or "sketch-frozen": whose floors apply.
    progress
        Called with the finished fraction and a message.

    Raises
    ------
    explore.errors.ParameterError
        For fewer than one scene or a checkpoint that has no floors.
    """
    if scenes < 1 or checkpoint not in FLOORS:
        raise ParameterError(
            f"scenes={scenes}, checkpoint={checkpoint!r}",
            f"at least 1 scene, one of {list(FLOORS)}",
            "Use the defaults.",
        )
    given: list[tuple[int, Question, str]] = []
    truths: dict[int, Counter[str]] = {}
    for start in range(0, scenes, 25):
        seeds = range(first_seed + start, first_seed + min(start + 25, scenes))
        asked = [(seed, drawn, question) for seed in seeds for drawn, question in _sheet(seed)]
        truths |= {seed: Counter(thing.kind for thing in drawn.things) for seed, drawn, _ in asked}
        answers = runner.answers(
            [(drawn.image, question.text) for _, drawn, question in asked], max_new_tokens=64, batch_size=batch_size
        )
        given += [(seed, question, got) for (seed, _, question), got in zip(asked, answers, strict=True)]
        if progress is not None:
            progress(min(start + 25, scenes) / scenes, f"{min(start + 25, scenes)} of {scenes} scenes")
    return ExamResult(checkpoint, scenes, _marks(given, truths), FLOORS[checkpoint], tuple(given))


def _sheet(seed: int) -> list[tuple[Scene, Question]]:
    drawn = scene(seed=seed)
    return [(drawn, question) for question in exam_questions(drawn, np.random.default_rng(seed))]


def _marks(given: Sequence[tuple[int, Question, str]], truths: dict[int, Counter[str]]) -> tuple[Mark, ...]:
    captions = [(kinds_named(got), truths[seed]) for seed, question, got in given if question.type == "caption"]
    by_type = {
        name: np.array([is_right(name, got, asked.answer) for _, asked, got in given if asked.type == name], float)
        for name in QUESTION_TYPES
    }
    right = np.concatenate(list(by_type.values()))
    answered = {name: marks for name, marks in by_type.items() if len(marks)}
    return (
        _caption_mark(captions),
        _share("all questions", right),
        *(_share(name, marks) for name, marks in answered.items()),
    )


def _caption_mark(captions: Sequence[tuple[Counter[str], Counter[str]]]) -> Mark:
    """F1 of mentioned kinds over all captions, a kind counting as often as it occurs; interval by bootstrap."""
    hits = np.array([[sum((said & true).values()), sum(said.values()), sum(true.values())] for said, true in captions])
    rng = np.random.default_rng(0)
    resampled = hits[rng.integers(0, len(hits), (1000, len(hits)))].sum(1)
    f1 = 2 * resampled[:, 0] / np.maximum(resampled[:, 1] + resampled[:, 2], 1)
    total = hits.sum(0)
    low, high = np.quantile(f1, [0.025, 0.975])
    return Mark("captions", 2 * total[0] / max(total[1] + total[2], 1), float(low), float(high), len(hits))


def _share(name: str, right: np.ndarray) -> Mark:
    """Share of right answers with its Wilson interval."""
    n, z = len(right), 1.96
    p = float(right.mean()) if n else math.nan
    centre, spread = (
        (p + z * z / (2 * n)) / (1 + z * z / n),
        z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)),
    )
    return Mark(name, p, centre - spread, centre + spread, n)


def compare(results: Sequence[ExamResult]) -> str:
    """Exams side by side as a markdown table, each mark with its 95 % interval and the floor it must reach."""
    heads = "".join(f" {result.checkpoint} | floor |" for result in results)
    lines = [f"| mark | cases |{heads}", "|---|--:|" + "--:|--:|" * len(results)]
    for mark in results[0].marks:
        cells = ""
        for result in results:
            own, floor = result[mark.name], result.floors.get(mark.name)
            cells += f" {own.value:.3f} ({own.low:.3f}–{own.high:.3f}) | {'' if floor is None else f'{floor:.2f}'} |"
        label = "captions: F1 of things named" if mark.name == "captions" else mark.name
        lines.append(f"| {label} | {mark.cases} |{cells}")
    return "\n".join(lines)
