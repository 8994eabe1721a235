"""A trace together with the model that made it: what methods ask for when the record is not enough."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from explore.edits import DropTokens, Edit, MergeTokens, as_edits
from explore.errors import ParameterError
from explore.models.decoder_inputs import DecoderInputs
from explore.models.editing import edited_run
from explore.models.editing_variants import Variants
from explore.models.families.base import Family
from explore.models.guards import cancel_check
from explore.models.heads import OutputHead
from explore.models.replays import Replay
from explore.models.requests import checked_count
from explore.models.scoring import scores_of_pictures, scores_with_features, scores_without
from explore.runs import AnswerScores, Report
from explore.trace import Trace


class Rerun:
    """See `explore.runs.RerunLike`; made by `Runner.rerun`.

    Parameters
    ----------
    family, head
        The loaded model.
    inputs
        What its decoder is fed for the trace.
    trace
        The run.
    running
        The runner's lock and error handling, entered around everything that computes.
    edits
        What the runner does to every run just now.
    """

    def __init__(
        self,
        family: Family,
        head: OutputHead,
        inputs: DecoderInputs,
        trace: Trace,
        running: Callable[[], AbstractContextManager[None]],
        edits: Callable[[], Sequence[Edit]] = tuple,
    ) -> None:
        self._family, self._head, self._inputs, self._running, self._edits = family, head, inputs, running, edits
        self._trusted = False  # whether variants of this run were seen to be the same from a kept beginning
        # The runner keeps its last rerun; that must not keep a trace of gigabytes alive.
        self._trace = weakref.ref(trace)

    @property
    def trace(self) -> Trace:
        """The run.

        Raises
        ------
        ParameterError
            It was let go.
        """
        found = self._trace()
        if found is None:
            raise ParameterError(
                "The trace of this rerun was let go", "", "Keep the trace, and call runner.rerun again."
            )
        return found

    def of(self, trace: Trace) -> bool:
        """Whether it is this trace."""
        return self._trace() is trace

    def read_out(self, states: np.ndarray, ids: Sequence[int] | np.ndarray) -> np.ndarray:
        """Logits of some token ids, (rows, ids) float32, read from states before the final norm (rows, width).

        Raises
        ------
        ParameterError
            The decoder has several residual streams: see `normed`.
        """
        with self._running():
            normed = self._normed(states)
            found: np.ndarray = self._head.columns(normed, torch.tensor([int(each) for each in ids])).cpu().numpy()
            return found

    def normed(self, states: np.ndarray) -> np.ndarray:
        """States (rows, width) after the final norm, float32: what the head reads.

        Raises
        ------
        ParameterError
            The decoder has several residual streams, whose mean no norm and no head reads.
        """
        with self._running():
            return np.asarray(self._normed(states).float().cpu().numpy())

    @contextmanager
    def replay(self, *, gradients: bool = False, progress: Report | None = None) -> Iterator[Replay]:
        """The sequence run once more with queries, keys and values kept, and the graph for gradients if wanted."""
        with self._running(), self._edited():
            check = cancel_check(progress)
            made = Replay(self._family, self._head, self._inputs, self.trace, gradients=gradients, check=check)
            try:
                yield made
            finally:
                made.close()

    def without(self, blocked: np.ndarray, *, batch_size: int = 16, progress: Report | None = None) -> AnswerScores:
        """Scores of the answer with attention to some positions blocked, in all layers, for all but themselves.

        Parameters
        ----------
        blocked
            (variants, positions_fed) bool.
        """
        batch_size = checked_count("batch_size", batch_size)
        with self._running(), self._edited():
            parts = scores_without(self._family, self._head, self._inputs, self.trace, blocked, batch_size)
            return _gathered(parts, len(blocked), progress)

    def with_pictures(
        self, variants: Sequence[Sequence[Image.Image]], *, batch_size: int = 8, progress: Report | None = None
    ) -> AnswerScores:
        """Scores of the answer with other pictures of the same sizes in place of the trace's own."""
        batch_size = checked_count("batch_size", batch_size)
        with self._running(), self._edited():
            prompt = self._inputs.request.prompt
            parts = scores_of_pictures(self._family, self._head, prompt, self.trace, variants, batch_size)
            return _gathered(parts, len(variants), progress)

    @contextmanager
    def features(self) -> Iterator[tuple[Tensor, Callable[[Tensor], Tensor]]]:
        """What the decoder is given at the visual positions, and a differentiable score of anything else.

        Features are (visual_tokens, width): the decoder's input, and beside it what the model adds there between
        layers, which makes the width a multiple of the decoder's. The score takes features (batch, visual_tokens,
        width) and gives logits of the answer tokens (batch, answer_tokens).

        Raises
        ------
        CheckpointError
            What is added between layers is not one vector for each visual token.
        """
        with self._running(), self._edited(), torch.inference_mode(False):
            yield scores_with_features(self._family, self._head, self._inputs, self.trace)

    @contextmanager
    def variants(
        self, *, edits: Any = (), number: int = 0, reuse: bool = True, progress: Report | None = None
    ) -> Iterator[Variants]:
        """Many variants of the run, each a few edits, several in one forward pass.

        Parameters
        ----------
        edits
            What is done to all of them.
        number
            Which answer token is predicted.
        reuse
            Whether a variant runs only from the first position that it changes, where the decoder allows that.
        progress
            Asked between batches whether to stop.

        Raises
        ------
        ParameterError, CheckpointError
            The edits do not fit the run or the decoder.
        """
        with self._running():
            shared = as_edits(self._open_edits(), edits)
            check = cancel_check(progress)
            made = Variants(
                self._family,
                self._head,
                self._inputs,
                self.trace,
                shared=shared,
                number=number,
                reuse=reuse,
                trusted=self._trusted,
                check=check,
            )
            self._trusted = self._trusted or made.reuses
            try:
                yield made
            finally:
                made.close()

    def _open_edits(self) -> Sequence[Edit]:
        edits = self._edits()
        if any(isinstance(each, (DropTokens, MergeTokens)) for each in edits):
            raise ParameterError(
                "A trace was to be run again while tokens are dropped or merged",
                "Its positions are those of the whole prompt.",
                "Cut the tokens' edges instead, which is the same but for rounding: CutEdges(tokens, 'all').",
            )
        return edits

    @contextmanager
    def _edited(self) -> Iterator[None]:
        """What computes inside is edited as the runner says; every call is the whole sequence."""
        trace = self.trace
        with edited_run(self._family, self._open_edits(), trace.layout, trace.prompt_length, start=0):
            yield

    def _normed(self, states: np.ndarray) -> Tensor:
        if self._family.streams > 1:
            raise ParameterError(
                f"Norm and head of {type(self._family.model).__name__} were to read recorded states; it has several "
                "residual streams, and a recorded state is their mean",
                "The head reads another mixture of the streams, which cannot be made of their mean.",
                "Use trace.columns or trace.logits, which are of the run itself, or compare states without the norm.",
            )
        given = torch.from_numpy(np.array(states)).to(self._inputs.embeds.device, self._family.dtype)
        normed: Tensor = self._family.final_norm(given[None])[0]
        return normed


def _gathered(parts: Iterator[AnswerScores], count: int, progress: Report | None) -> AnswerScores:
    check, found, done = cancel_check(progress), list[AnswerScores](), 0
    if not count:
        raise ParameterError("No variant was given to score", "", "Give at least one.")
    for part in parts:
        check()
        found.append(part)
        done += len(part.logits)
        if progress is not None:
            progress(done / count, f"{done} of {count} variants")
    return AnswerScores(np.concatenate([each.logits for each in found]), np.concatenate([e.logprobs for e in found]))
