"""One loaded model that can be asked, and hands out traces.

Nothing outside `explore.models` touches the network itself: a runner takes pictures and text and gives numpy.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from typing import Any

import torch

from explore.edits import Edit, as_edits
from explore.errors import CheckpointError
from explore.memory import readable
from explore.models.batches import batched_answers
from explore.models.checks import checked_head
from explore.models.decoder_inputs import catch_decoder_inputs
from explore.models.deduced_grids import grid_holds
from explore.models.editing import edited_run
from explore.models.editing_parts import require_editable
from explore.models.editing_program import Program
from explore.models.editing_recorder import recorder_of
from explore.models.editing_scope import OpenEdits
from explore.models.families import require_family
from explore.models.families.deduced import Deduced
from explore.models.fingerprints import digest, run_fingerprint, runner_fingerprint
from explore.models.generation import generate
from explore.models.guards import cancel_check, memory_errors
from explore.models.info import ModelInfo, read_info
from explore.models.inputs import layout_of, with_answer
from explore.models.language import Language
from explore.models.plans import RecordingPlan
from explore.models.prompts import PromptWriter
from explore.models.requests import (
    Request,
    SaidAnswers,
    checked_count,
    checked_plan,
    make_request,
    recorded_bytes,
    require_budget,
    require_room,
    room_of,
)
from explore.models.reruns import Rerun
from explore.models.tracing import make_trace
from explore.runs import Report
from explore.trace import Trace


class Runner:
    """A loaded model with its processor.

    Parameters
    ----------
    model, processor
        As transformers loads them; the model's type must have a line in `explore.models.families.FAMILIES`.
    checkpoint, revision
        Where they came from, for the fingerprint.
    lock
        Held during every run; a session hands the same one to all its runners.
    cache
        Results by fingerprint key; None keeps none.

    Raises
    ------
    CheckpointError
        The model does not fit its family: a part is missing, or its logits are not its head's.
    """

    def __init__(
        self,
        model: Any,
        processor: Any,
        *,
        checkpoint: str = "",
        revision: str = "",
        lock: Any = None,
        cache: Any = None,
    ) -> None:
        self._lock = threading.RLock() if lock is None else lock
        self._cache = cache
        self._family = require_family(model.config)(model.eval().requires_grad_(False), processor)
        self._writer = PromptWriter(processor, self._family.plain_prompt, marks=self._family.marks_pictures)
        self._said = SaidAnswers()
        self._info = read_info(self._family, checkpoint, revision)
        self._closed = False
        self._edits = OpenEdits()
        self._rerun: Rerun | None = None
        with self._running():
            self._head = checked_head(self._family, self._writer)
            if isinstance(self._family, Deduced):
                self._family.trust(grid_holds(self._family, self._writer))

    @property
    def info(self) -> ModelInfo:
        """Sizes and identity of the model."""
        return self._info

    @property
    def closed(self) -> bool:
        """Whether the model was let go."""
        return self._closed

    @property
    def fingerprint(self) -> dict[str, Any]:
        """What identifies the model: checkpoint, revision, dtype, device and versions."""
        return runner_fingerprint(self._info)

    def ask(
        self,
        image: Any,
        question: str,
        *,
        max_new_tokens: int = 64,
        record: RecordingPlan | None = None,
        progress: Report | None = None,
        system: str | None = None,
        history: Any = None,
    ) -> Trace:
        """Generate an answer greedily and record the run.

        Parameters
        ----------
        image
            Path, bytes, PIL image, array, or a list of them for several pictures.
        question
            The user's words.
        max_new_tokens
            Most tokens the answer may have; less where the context ends before.
        record
            What to keep; `RecordingPlan()` if None.
        progress
            Called with the fraction of tokens made and a message; may raise `Cancelled`.
        system
            Text for the template's system turn; for a base model without a template it stands before everything else.
        history
            Question and answer of every earlier turn, the first turn first, such as `trace.turns` of the run before.
            The pictures stand in the first of the user's turns.

        Raises
        ------
        ImageInputError, QuestionError, ContextLengthError, BudgetError, ParameterError
            Before anything runs.
        OutOfMemoryError, Cancelled
            During the run; the runner stays usable.
        """
        plan, most = checked_plan(record), checked_count("max_new_tokens", max_new_tokens)
        with self._running():
            request = make_request(self._family, self._writer, image, question, system, history)
            require_room(self._info, request.inputs.length)
            new = min(most, room_of(self._info, request.inputs.length))
            size = require_budget(self._info, plan, request, new)
            if progress is not None:
                progress(0.0, f"recording at most {readable(size)}")
            made_by = {"do_sample": False, "max_new_tokens": most}
            fingerprint = self._fingerprint("ask", request, made_by, plan)
            trace = self._cached(fingerprint, lambda: self._ask(request, plan, new, fingerprint, progress))
            self._said.remember(request, trace.answer, trace.answer_ids.tolist())
            return trace

    def read(
        self,
        image: Any,
        question: str,
        answer: str | Sequence[int],
        *,
        record: RecordingPlan | None = None,
        progress: Report | None = None,
        system: str | None = None,
        history: Any = None,
    ) -> Trace:
        """Record one forward pass over a given answer, without generating.

        Parameters
        ----------
        image, question, record, progress, system, history
            As for `ask`.
        answer
            Text, or token ids such as `trace.answer_ids`. Text that this runner gave lately as its answer to the same
            question is read token by token as it was said, cut off where it was; other text is tokenised as it would
            go on after the prompt, and ends with the end token.

        Raises
        ------
        ImageInputError, QuestionError, ContextLengthError, BudgetError, ParameterError
            Before anything runs.
        OutOfMemoryError, Cancelled
            During the run; the runner stays usable.
        """
        plan = checked_plan(record)
        with self._running():
            request = make_request(self._family, self._writer, image, question, system, history)
            ids = self._said.ids_of(self._family, request, answer, self._info.vocab)
            require_room(self._info, request.inputs.length, len(ids))
            size = require_budget(self._info, plan, request, len(ids))
            if progress is not None:
                progress(0.0, f"recording {readable(size)}")
            given = {"answer": digest(ids)}
            fingerprint = self._fingerprint("read", request, given, plan)
            return self._cached(fingerprint, lambda: self._read(request, plan, ids, fingerprint, progress))

    def answers(
        self,
        pairs: Sequence[tuple[Any, str]],
        *,
        max_new_tokens: int = 64,
        batch_size: int = 16,
        progress: Report | None = None,
    ) -> list[str]:
        """Answers to many (image, question) pairs, greedily, in left-padded batches, without recording.

        Pairs that share an image object are encoded together and their picture only once. Inside `edited` they come one
        by one, because every prompt has positions of its own.

        Raises
        ------
        ImageInputError, QuestionError, ContextLengthError
            For the first pair that is wrong.
        OutOfMemoryError, Cancelled
            During the run; the runner stays usable.
        """
        with self._running():
            if self._edits.now:
                return self._edited_answers(list(pairs), checked_count("max_new_tokens", max_new_tokens), progress)
            return batched_answers(
                self._family,
                self._writer,
                self._info,
                list(pairs),
                checked_count("max_new_tokens", max_new_tokens),
                checked_count("batch_size", batch_size),
                progress,
            )

    def estimate(
        self,
        image: Any,
        question: str,
        *,
        max_new_tokens: int = 64,
        record: RecordingPlan | None = None,
        system: str | None = None,
        history: Any = None,
    ) -> dict[str, int]:
        """Bytes that `ask` with the same arguments would keep at most, by part and in "total"; nothing is run.

        Raises
        ------
        ImageInputError, QuestionError, ContextLengthError, ParameterError
            As `ask` would.
        """
        plan, most = checked_plan(record), checked_count("max_new_tokens", max_new_tokens)
        with self._running():
            request = make_request(self._family, self._writer, image, question, system, history)
            require_room(self._info, request.inputs.length)
            return recorded_bytes(self._info, plan, request, min(most, room_of(self._info, request.inputs.length)))

    @contextmanager
    def edited(self, *edits: Edit | Sequence[Edit]) -> Iterator[None]:
        """Everything this thread asks, reads and reruns inside is edited, prefill and generation alike.

        Edits inside edits add up. They are gone when the block ends, however it ends; a trace made inside carries them
        in its fingerprint. Plain text (`language`) has no such positions and is not edited.

        Parameters
        ----------
        edits
            Of `explore.edits`, one or several, or sums and lists of them.

        Raises
        ------
        ParameterError, CheckpointError
            This model cannot have them; the message says why, and what it can have.
        """
        wanted = as_edits(*edits)
        with self._running():
            require_editable(self._family, [*self._edits.now, *wanted])
        with self._edits.more(wanted):
            yield

    def rerun(self, trace: Trace) -> Rerun:
        """The trace once more in this model: replays, gradients, and scores with something taken away.

        Raises
        ------
        ParameterError
            Another model made the trace, or it keeps no pictures.
        """
        with self._running():
            last = self._rerun
            if last is None or not last.of(trace):
                inputs = catch_decoder_inputs(self._family, self._writer, self._info, trace)
                self._rerun = last = Rerun(
                    self._family, self._head, inputs, trace, self._running, lambda: self._edits.now
                )
            return last

    @property
    def language(self) -> Language:
        """The language model without any picture: vocabulary, head, and states of plain text."""
        with self._running():
            return Language(self._family, self._head, self._running)

    def close(self) -> None:
        """Let go of the model; the runner cannot be used afterwards."""
        with self._lock:
            self._closed = True
            self._family = self._head = self._writer = self._said = self._rerun = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        info = self._info
        state = ", closed" if self._closed else ""
        return f"<Runner {info.checkpoint or info.family}: {info.layers} layers, {info.dtype} on {info.device}{state}>"

    @contextmanager
    def _running(self) -> Iterator[None]:
        with self._lock, torch.inference_mode(), memory_errors():
            if self._closed:
                raise CheckpointError(
                    f"The runner of {self._info.checkpoint or self._info.family} was closed",
                    "",
                    "Load it again with explore.load().",
                )
            yield

    def _edited_answers(self, pairs: list[tuple[Any, str]], most: int, progress: Report | None) -> list[str]:
        plan, found = RecordingPlan(hidden="none", attention="none", columns=False, logits="none"), list[str]()
        check = cancel_check(progress)
        for image, question in pairs:
            check()
            found.append(self.ask(image, question, max_new_tokens=most, record=plan).answer)
            if progress is not None:
                progress(len(found) / len(pairs), f"{len(found)} of {len(pairs)} questions")
        return found

    def _editing(self, request: Request) -> AbstractContextManager[Program]:
        """What is run inside is edited; entered before recording, which then sees what the edits made."""
        layout = layout_of(request.inputs.tokens, request.inputs)
        return edited_run(self._family, self._edits.now, layout, request.inputs.length)

    def _fingerprint(self, kind: str, request: Request, made_by: dict[str, Any], plan: RecordingPlan) -> dict[str, Any]:
        found = run_fingerprint(kind, self._info, request.key, request.hashes, made_by, plan)
        edits = [edit.to_json() for edit in self._edits.now]
        return {**found, "edits": edits} if edits else found

    def _cached(self, fingerprint: dict[str, Any], make: Callable[[], Trace]) -> Trace:
        if self._cache is None:
            return make()
        found = self._cache.get(fingerprint)
        if found is None:
            found = self._cache[fingerprint] = make()
        elif found.origin is None or found.origin() is not self:
            # An earlier runner of the same checkpoint made it, and may be closed by now.
            found = self._cache[fingerprint] = replace(found, origin=weakref.ref(self))
        trace: Trace = found
        return trace

    def _ask(
        self, request: Request, plan: RecordingPlan, new: int, fingerprint: dict[str, Any], progress: Report | None
    ) -> Trace:
        def on_step(made: int) -> None:
            if progress is not None:
                progress(min(made / new, 1.0), f"token {made + 1} of at most {new}")

        with self._editing(request) as edits:
            run = (self._family, plan, request.inputs.length, cancel_check(progress), on_step)
            recorder = recorder_of(edits, *run)
            with recorder.recording():
                tensors = self._family.on_device(request.inputs.tensors)
                ids, logits = generate(self._family, tensors, new, logits=plan.logits == "answer")
        return self._trace(request, plan, recorder, ids, logits, fingerprint)

    def _read(
        self,
        request: Request,
        plan: RecordingPlan,
        ids: list[int],
        fingerprint: dict[str, Any],
        progress: Report | None,
    ) -> Trace:
        with self._editing(request) as edits:
            recorder = recorder_of(edits, self._family, plan, request.inputs.length, cancel_check(progress))
            with recorder.recording():
                tensors = self._family.on_device(with_answer(self._family, request.inputs.tensors, ids[:-1]))
                made = self._family.model(**tensors, use_cache=False, logits_to_keep=len(ids))
        return self._trace(request, plan, recorder, ids, made.logits[0, -len(ids) :], fingerprint)

    def _trace(self, *run: Any) -> Trace:
        return make_trace(self._family, self._head, self._info, *run, origin=weakref.ref(self))
