"""What a lens is: a few parameters, a source, and the maths from states to ranked labels."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from explore.errors import ParameterError
from explore.lens.choices import Tokens, chosen_layers, chosen_positions
from explore.lens.origins import living_runner, no_runner
from explore.lens.reading import Entry, LensReading
from explore.lens.word_forms import Combine
from explore.runs import LanguageLike, Report, RunnerLike
from explore.trace import Trace


@dataclass(frozen=True, eq=False)
class LensRun:
    """What a lens is given: states of some layers and positions, and the model where one is at hand.

    Parameters
    ----------
    trace
        The run.
    layers
        Layers to read, ascending; all of them recorded.
    positions
        Sequence positions to read, (tokens,) int64.
    runner
        The model that made the trace, None where only the record is there.
    progress
        To be called by long work.
    """

    trace: Trace
    layers: tuple[int, ...]
    positions: NDArray[np.int64]
    runner: RunnerLike | None = None
    progress: Report | None = None

    def states(self, layer: int) -> NDArray[np.float32]:
        """The residual stream entering a layer at the positions, (tokens, width) float32.

        Raises
        ------
        ParameterError
            One of them is not finite.
        """
        found: NDArray[np.float32] = self.trace.hidden(layer)[self.positions].astype(np.float32)
        wrong = self.positions[~np.isfinite(found).all(axis=-1)]
        if len(wrong):
            raise ParameterError(
                f"States of layer {layer} at the positions {wrong[:8].tolist()} are not finite",
                "A lens reads finite numbers.",
                "Load the model in bfloat16 or float32: float16 overflows at 65504.",
            )
        return found

    @cached_property
    def stacked(self) -> NDArray[np.float32]:
        """States of all layers one after the other, (layers x tokens, width) float32."""
        return np.concatenate([self.states(layer) for layer in self.layers])

    def unstacked(self, values: NDArray[Any]) -> NDArray[Any]:
        """Values of stacked states (layers x tokens, ...) as (layers, tokens, ...)."""
        return values.reshape(len(self.layers), len(self.positions), *values.shape[1:])

    @property
    def language(self) -> LanguageLike:
        """The language model of the runner.

        Raises
        ------
        NotRecordedError
            There is no runner.
        """
        if self.runner is None:
            raise no_runner(self.trace, "This lens")
        return self.runner.language

    def report(self, done: int, total: int, what: str) -> None:
        """Say how far the work is; raises where it was cancelled."""
        if self.progress is not None:
            self.progress(min(done / total, 1.0), f"{what} {done} of {total}")


@dataclass(frozen=True, eq=False)
class Ranked:
    """What a lens found; arrays as in `LensReading`, each (layers, tokens, k)."""

    scores: NDArray[np.float32]
    ids: NDArray[np.int64]
    entries: Mapping[int, Entry]
    probabilities: NDArray[np.float32] | None = None
    bank_layers: NDArray[np.int64] | None = None
    notes: tuple[str, ...] = ()


HANDED = {"handed": True}
"""Metadata of a field that is no parameter but something made before, such as a bank; forms leave it out."""


@dataclass(frozen=True)
class LensMethod(ABC):
    """One way to say what a token says.

    A subclass is a frozen dataclass whose fields are its parameters (forms are made from them), names its `name` in the
    table and its `source`, and computes. Its file and one line in `table.py` are all it takes.

    Parameters
    ----------
    k
        Labels per token and layer.
    """

    name: ClassVar[str]
    source: ClassVar[str]
    needs: ClassVar[tuple[str, ...]] = ("runner",)
    """What must be at hand beside the trace: "runner", or the name of a field that is handed over."""

    k: int = 5

    def __post_init__(self) -> None:
        k: Any = self.k
        if not isinstance(k, Integral) or int(k) < 1:
            raise ParameterError(f"k={k!r} was given", "At least one label is read.")

    @property
    def score_name(self) -> str:
        """Unit of the scores."""
        return "cosine"

    @property
    def parameters(self) -> dict[str, Any]:
        """Its parameters by name, as plain data."""
        return {each.name: getattr(self, each.name) for each in fields(self) if not each.metadata.get("handed")}

    @property
    def made_with(self) -> dict[str, Any]:
        """What identifies the things handed over, for the fingerprint of a reading."""
        return {}

    def read(
        self,
        trace: Trace,
        layers: Iterable[int] | None = None,
        positions: Tokens | None = None,
        *,
        runner: RunnerLike | None = None,
        progress: Report | None = None,
    ) -> LensReading:
        """Labels of tokens, layer by layer.

        Parameters
        ----------
        trace
            The run.
        layers
            Layers to read, 0 (the language model's input) to L (before the final norm); None reads those of 0, 1, 2, 4,
            8, 16, 24, L - 2 and L - 1 that were recorded.
        positions
            Tokens to read; None means all visual tokens.
        runner
            The model that made the trace; None takes the runner the trace came from.
        progress
            Called with the fraction done and a message; may raise `Cancelled`.

        Raises
        ------
        ParameterError
            There is nothing to read, a state is not finite, or the runner is another model.
        NotRecordedError
            A layer was not recorded, or the model is needed and gone; the message says what to do.
        """
        run = self.run(trace, layers, positions, runner=runner, progress=progress)
        found = self.compute(run)
        return LensReading(
            method=self.name,
            parameters=self.parameters,
            score_name=self.score_name,
            layers=np.array(run.layers, np.int64),
            positions=run.positions,
            layout=trace.layout,
            fingerprint=trace.fingerprint | {"lens": {"method": self.name, **self.parameters, **self.made_with}},
            lens=self,
            **vars(found),
        )

    def run(
        self,
        trace: Trace,
        layers: Iterable[int] | None = None,
        positions: Tokens | None = None,
        *,
        runner: RunnerLike | None = None,
        progress: Report | None = None,
    ) -> LensRun:
        """What `compute` is given; parameters as for `read`."""
        chosen, wanted = chosen_layers(trace, layers), chosen_positions(trace, positions)
        return LensRun(trace, chosen, wanted, living_runner(trace, runner), progress)

    @abstractmethod
    def compute(self, run: LensRun) -> Ranked:
        """The best labels of every state."""

    @property
    def word_unit(self) -> str:
        """Unit of `word_scores`."""
        return self.score_name

    def word_scores(self, run: LensRun, text: str, combine: Combine = "mean") -> NDArray[np.float32]:
        """How much every state says a word, (layers, tokens) float32; see `explore.lens.word_maps`.

        Raises
        ------
        ParameterError
            The lens cannot be asked for a word, or no token spells it.
        """
        raise ParameterError(f"The lens {self.name!r} cannot be asked where a word is said")
