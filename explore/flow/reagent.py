"""ReAGent: which tokens and patches matter, found from outside by replacing them again and again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from explore.errors import ParameterError
from explore.flow.named_arrays import NamedArrays, about
from explore.flow.recursive_importance import Recursion, recurse
from explore.flow.replaced_units import Fill, Replacer, Unit, units_of
from explore.flow.token_choice import Token, contrasted
from explore.flow.token_samplers import Sampler, same_shape
from explore.layout import Role
from explore.runs import Report, RunnerLike
from explore.trace import Trace

_SOURCE = "Zhao & Shan, ReAGent, AAAI-24 ReLM workshop, arXiv 2402.00794; picture and text share one softmax"


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class InputImportance(NamedArrays):
    """Importance of text tokens and patches; it sums to 1, and 1 / units is what chance would give.

    Parameters
    ----------
    units
        Names of the text tokens and patches.
    parts
        The units with their positions.
    importance
        Mean over the probes that stopped, or over all where none did, (units,).
    spread
        Standard deviation over all probes, (units,).
    votes
        How many probes have the unit among their first, (units,) int64.
    by_probe
        (probes, units).
    probes
        Their numbers.
    steps, history, chances
        Numbers of the steps; mean importance after each (steps, units); the target's probability (steps, probes).
    stopped_at
        Step at which each probe stopped, 0 where it did not, (probes,).
    rationale
        Units that enough probes agree on.
    before
        The target's probability in the run itself.
    token
        The target: (id, text).
    complete
        Whether any probe stopped.
    """

    axes: ClassVar = {
        "importance": ("units",),
        "spread": ("units",),
        "votes": ("units",),
        "by_probe": ("probes", "units"),
        "history": ("steps", "units"),
        "chances": ("steps", "probes"),
        "stopped_at": ("probes",),
    }

    units: tuple[str, ...]
    parts: tuple[Unit, ...]
    importance: NDArray[np.float64]
    spread: NDArray[np.float64]
    votes: NDArray[np.int64]
    by_probe: NDArray[np.float64]
    probes: NDArray[np.int64]
    steps: NDArray[np.int64]
    history: NDArray[np.float64]
    chances: NDArray[np.float64]
    stopped_at: NDArray[np.int64]
    rationale: tuple[int, ...]
    before: float
    token: tuple[int, str]
    complete: bool

    def by_position(self) -> NDArray[np.float64]:
        """Importance of every sequence position, (positions,); a unit's is spread over its own, others have 0."""
        found = np.zeros(len(self.texts))
        for unit, value in zip(self.parts, self.importance, strict=True):
            found[unit.positions] = value / len(unit.positions)
        return found

    def to_json(self) -> dict[str, Any]:
        """See `NamedArrays.to_json`; positions of the units and single values beside the arrays."""
        own = {name: getattr(self, name) for name in ("rationale", "before", "token", "complete")}
        return {**super().to_json(), **own, "positions": [unit.positions.tolist() for unit in self.parts]}


def reagent_importance(
    runner: RunnerLike,
    trace: Trace,
    number: int = 0,
    *,
    token: Token = None,
    text: Sequence[int] | None = None,
    image: bool = True,
    sampler: Sampler = same_shape,
    fill: Fill = "mean",
    settings: Recursion | None = None,
    progress: Report | None = None,
) -> InputImportance:
    """Importance of the question's tokens and the picture's patches for one predicted token, seen from outside.

    Positions stay; what stands there is exchanged in what the decoder is given.

    Parameters
    ----------
    runner, trace
        The model and the run.
    number
        Which answer token is predicted.
    token
        Id or text of the target; None is what was said.
    text
        Positions of the text tokens that may be replaced; None takes the question's.
    image
        Whether patches may be replaced too, at most 8 by 8 for each picture or tile.
    sampler
        What text is replaced by: `same_shape`, `any_token`, `own_guesses()`, or any function like these.
    fill
        What patches are replaced by: "mean" features, the features of a picture in its mean "colour", of a "blur", or
        of another picture.
    settings
        Parameters of the recursion, None for its defaults; a step is two forward passes for each probe still going.
    progress
        Called with the part of the steps that are done; may raise `Cancelled`.

    Raises
    ------
    ParameterError
        Nothing can be replaced, or a position is not a text token of the prompt.
    CheckpointError
        The decoder's inputs cannot be replaced, as with several residual streams.

    Source: Zhao & Shan, ReAGent, AAAI-24 ReLM workshop, arXiv 2402.00794
    """
    settings = settings or Recursion()
    target = contrasted(runner, trace, number, token, None)[0]
    places = _text_places(trace, number, text)
    units = units_of(trace, places, image=image)
    if not units:
        raise ParameterError("There is nothing to replace", "A text token or a patch is needed.")
    replacer = Replacer(runner, trace, units, fill)
    draw = sampler(runner, trace, places)
    with runner.rerun(trace).variants(number=number, progress=progress) as variants:
        before = _chances(variants.base[None], target[0])

        def probe(replaced: NDArray[np.bool_], ids: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
            return _chances(variants.logits(replacer.edits(replaced, ids)), target[0])

        def said(step: int) -> None:
            if progress is not None:
                progress(step / settings.steps, f"step {step}")

        made = recurse(probe, len(units), draw, float(before[0][0]), settings, said)
    top = settings.top_of(len(units))
    votes = made.votes(top)
    named = getattr(sampler, "__qualname__", "a function").split(".")[0]
    fills = fill if isinstance(fill, str) else "another picture"
    notes = [f"From outside: text replaced by {named}, patches by {fills}, at the decoder's input."]
    notes += [] if made.complete else ["No probe's first units sufficed: the mean is over all probes."]
    notes += ["What the model adds between layers at visual positions stays."] if replacer.deep else []
    parameters = {**asdict(settings), "sampler": named, "fill": fills, "token": target[0], "number": number}
    return InputImportance(
        units=tuple(unit.name for unit in units),
        parts=units,
        importance=made.importance,
        spread=made.by_probe.std(0),
        votes=votes,
        by_probe=made.by_probe,
        probes=np.arange(settings.probes),
        steps=np.arange(1, made.steps + 1),
        history=made.history,
        chances=made.chances,
        stopped_at=made.stopped_at,
        rationale=tuple(np.flatnonzero(votes >= max(1, settings.overlap)).tolist()),
        before=float(before[0][0]),
        token=target,
        complete=made.complete,
        **about(trace, "reagent", tuple(notes), **parameters, source=_SOURCE),
    )


def _text_places(trace: Trace, number: int, text: Sequence[int] | None) -> list[int]:
    if text is None:
        return [int(at) for at in trace.layout.positions(Role.QUESTION)]
    found, end = sorted({int(at) for at in text}), trace.prompt_length + number
    wrong = [at for at in found if not 0 <= at < end or trace.layout.roles[at] is Role.IMAGE]
    if wrong:
        raise ParameterError(f"The positions {wrong} were to be replaced as text", f"Text stands before {end}.")
    return found


def _chances(logits: NDArray[np.float32], token: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Probability and rank of a token, each (rows,)."""
    values = logits.astype(np.float64)
    said = values[:, token]
    powers = np.exp(values - values.max(-1, keepdims=True))
    return powers[:, token] / powers.sum(-1), (values > said[:, None]).sum(-1)
