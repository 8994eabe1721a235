"""Every lens on pictures whose truth is known: how often a visual token says what it shows, with a control."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from explore.bench.data.example import Example, Examples
from explore.bench.lens_tables import LensScores
from explore.bench.lens_tallies import bank_tallies, name_tallies, shared_tallies
from explore.bench.named_patches import Masks, NamedData, named_data, with_one_token_names
from explore.bench.scene_scores import SceneScores
from explore.bench.score_files import ScoreFolder
from explore.errors import ParameterError
from explore.lens.method import LensMethod
from explore.runs import Report, RunnerLike
from explore.trace import Trace

Lenses = Mapping[str, LensMethod] | Iterable[LensMethod]


def score_lens(
    runner: RunnerLike,
    lenses: Lenses,
    data: Sequence[Example] | None = None,
    *,
    again: Mapping[str, LensMethod] | None = None,
    names: Sequence[str] | None = None,
    layers: Sequence[int] | None = None,
    cover: float = 0.5,
    shuffles: int = 3,
    record: Any = None,
    folder: str | os.PathLike[str] | None = None,
    part: tuple[int, int] = (0, 1),
    progress: Report | None = None,
) -> LensScores:
    """Score lenses on a data set, without a judge.

    A visual token counts where something with a name covers enough of its patch. It is right where one of its `k`
    labels is that name, in singular or plural or a synonym; a label that is part of a word counts by the whole word
    where its sentence is known. The control holds the labels of each picture against the truth of other ones.

    Parameters
    ----------
    runner
        The model.
    lenses
        Methods with all they need, such as ``{"logit": LogitLens(), "latent": LatentLens(bank=bank)}``.
    data
        Examples, such as `SketchScenes(300)` or `CocoFolder(path)`.
    again
        By name of a lens: the same with a bank of another seed, to see how much of what it says is luck of the draw.
    names
        What there is to name; None means what the data set knows, see `named_data`.
    layers
        Layers of the visual tokens, 0 to L; None means all.
    cover
        Least share of a patch that has to be covered.
    shuffles
        How many other pictures each is held against.
    record
        What a run keeps, a `RecordingPlan` with hidden states; None is the runner's own.
    folder, part, progress
        As in `score_maps`.

    Returns
    -------
    LensScores
        Tables of it; `markdown()` is one to read.

    Raises
    ------
    ParameterError
        Nothing to score, names that are not known, or a folder that holds another experiment.
    """
    if data is None or not hasattr(data, "__len__") or len(data) < 2:
        raise ParameterError("No data was given, or one example", "The control needs two.", "Try SketchScenes(20).")
    if not 0 < cover <= 1 or shuffles < 1 or not 0 <= part[0] < part[1]:
        raise ParameterError(
            f"cover={cover}, shuffles={shuffles} and part={part} were given",
            "A share above 0, at least one shuffle, and (number, count) with number from 0 to count - 1.",
        )
    chosen, twins = _chosen(lenses), dict(again or {})
    if unknown := twins.keys() - chosen.keys():
        raise ParameterError(f"A second lens was given for {sorted(unknown)}", f"Lenses are {', '.join(chosen)}.")
    known = with_one_token_names(named_data(data, names), runner.language)
    wanted = tuple(range(runner.info.layers + 1)) if layers is None else tuple(layers)
    bench = _Bench(runner, chosen, twins, known, wanted, cover, shuffles, record)
    store = ScoreFolder(folder, bench.experiment(), part) if folder is not None else None
    rows = {(each.example, each.method): each for each in store.read()} if store is not None else {}
    numbers = range(part[0], len(data), part[1])
    for done, number in enumerate(numbers):
        for scores in bench.scored(number, rows):
            rows[scores.example, scores.method] = scores
            if store is not None:
                store.append(scores)
        if progress is not None:
            progress((done + 1) / len(numbers), f"{done + 1} of {len(numbers)} examples")
    return LensScores(tuple(store.read() if store is not None else rows.values()), tuple(chosen))


def partners(number: int, count: int, shuffles: int) -> list[int]:
    """The other examples that an example's labels are held against: every shuffle moves all on by the same step.

    So each is a permutation that leaves no example in its place, and steps are spread evenly over the data set.
    """
    steps = sorted({max(1, count * each // (shuffles + 1)) for each in range(1, shuffles + 1)})
    return [(number + step) % count for step in steps if step < count]


@dataclass(frozen=True, eq=False)
class _Bench:
    """All that decides the scores."""

    runner: RunnerLike
    lenses: Mapping[str, LensMethod]
    twins: Mapping[str, LensMethod]
    known: NamedData
    layers: tuple[int, ...]
    cover: float
    shuffles: int
    record: Any

    def scored(self, number: int, done: Mapping[tuple[str, str], SceneScores]) -> Iterator[SceneScores]:
        """Scores of one example under every lens that it has none of."""
        example = self.known.data[number]
        missing = [name for name in self.lenses if (example.id, name) not in done]
        if not missing:
            return
        # One token of an answer will do: states of visual tokens depend on nothing behind them.
        trace = self.runner.ask(example.image, example.question, max_new_tokens=1, record=self.record)
        own = self.known.masks(number)
        others = [self.known.masks(each) for each in partners(number, len(self.known.data), self.shuffles)]
        for name in missing:
            yield self._under(name, trace, example.id, own, others)

    def _under(self, name: str, trace: Trace, example: str, own: Masks, others: Sequence[Masks]) -> SceneScores:
        started = time.perf_counter()
        reading = self.lenses[name].read(trace, self.layers, runner=self.runner)
        seconds = time.perf_counter() - started
        tallies = name_tallies(reading, self.known.sets, own, others, self.cover)
        tallies |= bank_tallies(reading, trace.layers)
        if name in self.twins:
            tallies |= shared_tallies(reading, self.twins[name].read(trace, self.layers, runner=self.runner))
        return SceneScores(example, name, seconds, tallies)

    def experiment(self) -> dict[str, Any]:
        """The same as plain data."""
        data = self.known.data
        methods = {
            name: {**_noted(lens), "again": _noted(self.twins[name]) if name in self.twins else None}
            for name, lens in self.lenses.items()
        }
        return {
            "model": self.runner.fingerprint,
            "data": data.fingerprint if isinstance(data, Examples) else {"examples": [each.id for each in data]},
            "names": {kind: list(each.names) for kind, each in self.known.sets.items()},
            "layers": list(self.layers),
            "cover": self.cover,
            "shuffles": self.shuffles,
            "methods": methods,
        }


def _chosen(lenses: Lenses) -> dict[str, LensMethod]:
    if isinstance(lenses, Mapping):
        chosen = dict(lenses)
    else:
        made = list(lenses)
        chosen = {each.name: each for each in made if isinstance(each, LensMethod)}
        if len(chosen) < len(made):
            raise ParameterError(
                "Lenses of one name were given, or something that is none",
                "Rows of the table are told apart by name.",
                'Give a dictionary, such as {"latent": LatentLens(bank=bank)}.',
            )
    if not chosen or not all(isinstance(each, LensMethod) for each in chosen.values()):
        raise ParameterError(f"lenses={list(chosen)} were given", "They are methods of explore.lens.METHODS, by name.")
    return chosen


def _noted(lens: LensMethod) -> dict[str, Any]:
    stored = getattr(getattr(lens, "bank", None), "layers", None)
    return {"lens": lens.name, **lens.parameters, **lens.made_with, "layers of the bank": stored and list(stored)}
