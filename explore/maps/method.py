"""What a map method is: a few parameters, a source, and the maths from a run to one map per token."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from numbers import Integral
from typing import Any, ClassVar, get_args

import numpy as np
from numpy.typing import NDArray

from explore.errors import NotRecordedError, ParameterError
from explore.layout import Role
from explore.maps.result import Key, TokenMaps, grid_positions
from explore.maps.words import Word
from explore.runs import Objective, Report, RerunLike, RunnerLike
from explore.trace import Token, Trace

Computed = tuple[NDArray[np.float32], Any]
"""Maps in 0..1, (tokens, visual) over the cells of all grids, and the parts worth showing."""


@dataclass(frozen=True, eq=False)
class MapRun:
    """What a method is given: a run, the tokens to explain, and the model where one is at hand.

    Parameters
    ----------
    trace
        The run.
    tokens
        Tokens to explain, in order of the sequence; at least one.
    runner
        A runner that can run the trace again; None where only the record is there.
    progress
        To be called by long work.
    """

    trace: Trace
    tokens: tuple[Token, ...]
    runner: RunnerLike | None = None
    progress: Report | None = None

    @cached_property
    def visual(self) -> NDArray[np.int64]:
        """Sequence positions of all grid cells, in the order of a map, (visual,)."""
        return grid_positions(self.trace.layout)

    @cached_property
    def predicted_at(self) -> NDArray[np.int64]:
        """The position that predicts each token, (tokens,)."""
        return np.array([token.position - 1 for token in self.tokens], np.int64)

    @cached_property
    def numbers(self) -> list[int]:
        """Place of each token within the answer.

        Raises
        ------
        ParameterError
            A token of the question is among them.
        """
        start = self.trace.prompt_length
        asked = [token.text for token in self.tokens if token.position < start]
        if asked:
            raise ParameterError(
                f"The method was asked to explain {asked}, which the model did not say",
                "It explains tokens of the answer.",
                "Use runner.read(image, question, answer) with an answer that holds the words.",
            )
        return [token.position - start for token in self.tokens]

    def report(self, done: int, total: int, what: str) -> None:
        """Say how far the work is; raises where it was cancelled."""
        if self.progress is not None:
            self.progress(min(done / total, 1.0), f"{what} {done} of {total}")

    @cached_property
    def rerun(self) -> RerunLike:
        """The trace in its model.

        Raises
        ------
        NotRecordedError
            There is no runner.
        """
        if self.runner is None:
            raise NotRecordedError(
                "This method runs the model again, and the trace was opened from a file or its runner was closed",
                "",
                "Hand the runner over: method.maps(trace, runner=explore.load(...)).",
            )
        return self.runner.rerun(self.trace)


@dataclass(frozen=True)
class MapMethod(ABC):
    """One way to say where the model looked for each token.

    A subclass is a frozen dataclass whose fields are its parameters (forms are made from them), names its `name` in the
    table and its `source`, and computes. Its file and one line in `table.py` are all it takes.
    """

    name: ClassVar[str]
    source: ClassVar[str]
    answer_only: ClassVar[bool] = False
    """Whether question tokens have no map."""
    control: ClassVar[bool] = False
    """Whether it knows nothing about the model, and others must beat it."""

    @property
    def reruns(self) -> bool:
        """Whether the model is run again; if not, the record of the run is enough."""
        return False

    def maps(
        self,
        trace: Trace,
        tokens: Key | Sequence[Word] | None = None,
        *,
        runner: RunnerLike | None = None,
        progress: Report | None = None,
    ) -> TokenMaps:
        """Maps of the tokens of a run.

        Parameters
        ----------
        trace
            The run.
        tokens
            What to explain: a position, a token, a word, or several; None means every token of the answer, and of the
            question where the method can.
        runner
            The model that made the trace, for methods that run it again; None takes the runner the trace came from.
        progress
            Called with the fraction done and a message; may raise `Cancelled`.

        Raises
        ------
        ParameterError
            The run has no picture, or a parameter has a value the method cannot use.
        NotRecordedError
            The trace does not hold what the method reads; the message says how to record it.
        """
        if not trace.layout.grids and trace.layout.queries:
            raise ParameterError(
                "The visual tokens of this model have no places: they are learned queries that each look at a whole "
                "picture, or its layout is not known",
                "A map needs tokens that lie in a grid.",
                "explore.maps.query_attention(trace) says where its queries look."
                if any(each.boxes is not None for each in trace.layout.queries)
                else "Use a model whose visual tokens do, or add its layout: notebooks/12_new_model_family.ipynb.",
            )
        if not trace.layout.grids:
            raise ParameterError("The trace has no visual tokens", "Maps need a run with a picture.")
        if runner is None and trace.origin is not None:
            runner = trace.origin()
            if runner is not None and runner.closed:
                runner = None
        chosen = self._chosen(trace, tokens)
        run = MapRun(trace, chosen, runner, progress)
        array, parts = self.compute(run) if chosen else (np.empty((0, len(run.visual)), np.float32), None)
        fingerprint = trace.fingerprint | {"maps": {"method": self.name, **asdict(self)}}
        return TokenMaps(chosen, array, trace.layout, trace.images, parts, fingerprint)

    @abstractmethod
    def compute(self, run: MapRun) -> Computed:
        """Maps of `run.tokens`, and the parts worth showing."""

    def _chosen(self, trace: Trace, tokens: Key | Sequence[Word] | None) -> tuple[Token, ...]:
        """The tokens asked for, each once, in order of the sequence."""
        roles = {Role.ANSWER} if self.answer_only else {Role.QUESTION, Role.ANSWER}
        if tokens is None:
            return tuple(token for token in trace.tokens if token.role in roles)
        positions = sorted(set(positions_of(tokens, trace)))
        wrong = [
            place
            for place in positions
            if not 0 <= place < len(trace.tokens) or trace.tokens[place].role not in (Role.QUESTION, Role.ANSWER)
        ]
        if wrong:
            raise ParameterError(
                f"Maps were asked for the positions {wrong}", "Tokens of the question and the answer can be explained."
            )
        return tuple(trace.tokens[place] for place in positions)


def positions_of(key: Any, trace: Trace) -> list[int]:
    """Sequence positions of a position, a token, a word, or several of them.

    Raises
    ------
    ParameterError
        It is a text, a token of another run, or something else.
    """
    if isinstance(key, str):
        raise ParameterError(
            f"Maps were asked for the text {key!r}",
            "Tokens, sequence positions and words can be explained, because a text can stand in several places.",
            "Find its positions in trace.words() or maps.find(...).",
        )
    if isinstance(key, Token):
        if not 0 <= key.position < len(trace.tokens) or trace.tokens[key.position] != key:
            raise ParameterError(f"Maps were asked for {key}", "The trace has no such token: it is of another run.")
        return [key.position]
    if isinstance(key, Word):
        return [place for token in key.tokens for place in positions_of(token, trace)]
    if isinstance(key, Integral):
        return [int(key)]
    if not isinstance(key, Iterable):
        raise ParameterError(
            f"Maps were asked for {key!r}", "A position, a token, a word, or several of them can be explained."
        )
    return [place for each in key for place in positions_of(each, trace)]


def checked_objective(of: str) -> None:
    """Refuse what is no score of a token.

    Raises
    ------
    ParameterError
        It is neither "logit" nor "logprob".
    """
    if of not in get_args(Objective):
        raise ParameterError(f"of={of!r} was given", f"Allowed are {' and '.join(get_args(Objective))}.")
