"""One loaded model that can be asked, and hands out traces.

Nothing outside `explore.models` touches the network itself: a runner takes pictures and text and gives numpy.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor

from explore.errors import CheckpointError, ContextLengthError, ParameterError
from explore.layout import Role
from explore.models.batches import batched_answers
from explore.models.checks import checked_head
from explore.models.families import require_family
from explore.models.fingerprints import digest, run_fingerprint, runner_fingerprint
from explore.models.generation import end_ids, generate
from explore.models.guards import cancel_check, memory_errors
from explore.models.info import ModelInfo
from explore.models.inputs import PromptInputs, answer_tokens, layout_of, prepare, with_answer
from explore.models.pictures import open_pictures, picture_hash
from explore.models.plans import RecordingPlan
from explore.models.prompts import Prompt, PromptWriter
from explore.models.recorder import Recorder, to_host
from explore.runs import Report
from explore.trace import TokenColumns, Trace

_REMEMBERED = 256


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
        self._family = require_family(model.config)(model.eval(), processor)
        self._writer = PromptWriter(processor)
        self._said: OrderedDict[tuple[str, str], list[int]] = OrderedDict()
        self._info = _read_info(self._family, checkpoint, revision)
        self._closed = False
        with self._running():
            self._head = checked_head(self._family, self._writer)

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
            Text for the template's system turn.

        Raises
        ------
        ImageInputError, QuestionError, ContextLengthError, BudgetError, ParameterError
            Before anything runs.
        OutOfMemoryError, Cancelled
            During the run; the runner stays usable.
        """
        plan = record or RecordingPlan()
        if max_new_tokens < 1:
            raise ParameterError(f"max_new_tokens={max_new_tokens} was given", "At least one token can be generated.")
        with self._running():
            run = self._prepare(image, question, system)
            new = min(max_new_tokens, (self._info.context_length or 1 << 40) - run.inputs.length)
            self._require_budget(plan, run, new)
            made_by = {"do_sample": False, "max_new_tokens": max_new_tokens}
            fingerprint = run_fingerprint("ask", self._info, run.key, run.hashes, made_by, plan)
            return self._cached(fingerprint, lambda: self._ask(run, plan, new, fingerprint, progress))

    def read(
        self,
        image: Any,
        question: str,
        answer: str | Sequence[int],
        *,
        record: RecordingPlan | None = None,
        progress: Report | None = None,
        system: str | None = None,
    ) -> Trace:
        """Record one forward pass over a given answer, without generating.

        Parameters
        ----------
        image, question, record, progress, system
            As for `ask`.
        answer
            Text, or token ids. Text that this runner gave as its answer to the same question is read token by token as
            it was said; other text is tokenised as it would go on after the prompt, and ends with the end token.

        Raises
        ------
        ImageInputError, QuestionError, ContextLengthError, BudgetError, ParameterError
            Before anything runs.
        OutOfMemoryError, Cancelled
            During the run; the runner stays usable.
        """
        plan = record or RecordingPlan()
        with self._running():
            run = self._prepare(image, question, system)
            ids = self._answer_ids(run, answer)
            self._require_room(run.inputs.length + len(ids) - 1)
            self._require_budget(plan, run, len(ids))
            fingerprint = run_fingerprint("read", self._info, run.key, run.hashes, {"answer": digest(ids)}, plan)
            return self._cached(fingerprint, lambda: self._read(run, plan, ids, fingerprint, progress))

    def answers(
        self,
        pairs: Sequence[tuple[Any, str]],
        *,
        max_new_tokens: int = 64,
        batch_size: int = 16,
        progress: Report | None = None,
    ) -> list[str]:
        """Answers to many (image, question) pairs, greedily, in left-padded batches, without recording.

        Pairs that share an image object are encoded together and their picture only once.

        Raises
        ------
        ImageInputError, QuestionError, ContextLengthError
            For the first pair that is wrong.
        OutOfMemoryError, Cancelled
            During the run; the runner stays usable.
        """
        with self._running():
            return batched_answers(
                self._family, self._writer, pairs, max_new_tokens, batch_size, self._require_room, progress
            )

    def close(self) -> None:
        """Let go of the model; the runner cannot be used afterwards."""
        with self._lock:
            self._closed = True
            self._family = self._head = self._writer = None  # type: ignore[assignment]
            self._said.clear()

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

    def _cached(self, fingerprint: dict[str, Any], make: Callable[[], Trace]) -> Trace:
        if self._cache is None:
            return make()
        key = digest(fingerprint)
        found = self._cache.get(key)
        if found is None:
            found = self._cache[key] = make()
        trace: Trace = found
        return trace

    def _prepare(self, image: Any, question: str, system: str | None) -> _Run:
        pictures = open_pictures(image)
        prompt = self._writer.write(question, len(pictures), system)
        inputs = prepare(self._family, prompt, pictures)
        self._require_room(inputs.length)
        return _Run(question.strip(), prompt, pictures, inputs)

    def _require_room(self, length: int) -> None:
        limit = self._info.context_length
        if limit and length >= limit:
            raise ContextLengthError(
                f"The prompt has {length} tokens, image tokens included",
                f"The model's context holds {limit}, of which at least one is needed for the answer.",
                "Shorten the question, or use fewer or smaller pictures.",
            )

    def _require_budget(self, plan: RecordingPlan, run: _Run, new: int) -> None:
        parts = plan.estimate(
            self._info,
            run.inputs.length,
            new,
            question_tokens=len(run.inputs.positions(Role.QUESTION)),
            visual_tokens=len(run.inputs.positions(Role.IMAGE)),
        )
        plan.require_budget(parts, self._info.layers)

    def _ask(
        self, run: _Run, plan: RecordingPlan, new: int, fingerprint: dict[str, Any], progress: Report | None
    ) -> Trace:
        def on_step(made: int) -> None:
            if progress is not None:
                progress(made / new, f"token {made + 1} of at most {new}")

        recorder = Recorder(self._family, plan, run.inputs.length, cancel_check(progress), on_step)
        with recorder.recording():
            tensors = self._family.on_device(run.inputs.tensors)
            ids, logits = generate(self._family, tensors, new, logits=plan.logits == "answer")
        trace = self._trace(run, plan, recorder, ids, logits, fingerprint)
        self._remember(run, trace.answer, ids)
        return trace

    def _read(
        self, run: _Run, plan: RecordingPlan, ids: list[int], fingerprint: dict[str, Any], progress: Report | None
    ) -> Trace:
        recorder = Recorder(self._family, plan, run.inputs.length, cancel_check(progress))
        with recorder.recording():
            tensors = self._family.on_device(with_answer(run.inputs.tensors, ids[:-1]))
            made = self._family.model(**tensors, use_cache=False, logits_to_keep=len(ids))
        logits = made.logits[0].float() if plan.logits == "answer" else torch.empty(0)
        return self._trace(run, plan, recorder, ids, logits, fingerprint)

    def _trace(
        self,
        run: _Run,
        plan: RecordingPlan,
        recorder: Recorder,
        ids: list[int],
        logits: Tensor,
        fingerprint: dict[str, Any],
    ) -> Trace:
        tokens = (*run.inputs.tokens, *answer_tokens(self._family, run.inputs, ids))
        fed = run.inputs.length + len(ids) - 1
        rows, places = recorder.attention_rows(fed)
        return Trace(
            tokens=tokens,
            layout=layout_of(tokens, run.inputs.grids),
            question=run.question,
            answer=self._text(ids),
            images=run.pictures,
            fingerprint=fingerprint,
            prompt_length=run.inputs.length,
            columns=self._columns(run.inputs, recorder.normed(fed), ids) if plan.columns else None,
            logits=to_host(logits.to(self._family.dtype)) if plan.logits == "answer" else None,
            hidden_states=recorder.hidden_states(fed),
            attention_rows=rows,
            row_positions=places,
            vision=recorder.vision(),
            layers=self._info.layers,
            heads=self._info.heads,
            width=self._info.width,
        )

    def _columns(self, inputs: PromptInputs, normed: Tensor, ids: list[int]) -> TokenColumns:
        question = inputs.positions(Role.QUESTION)
        guess = int(self._head.full(normed[question[:1]]).argmax())
        wanted = np.unique(np.concatenate([inputs.ids[question], ids, [guess, inputs.ids[-1]]]).astype(np.int64))
        return TokenColumns(wanted, to_host(self._head.columns(normed, torch.from_numpy(wanted))))

    def _answer_ids(self, run: _Run, answer: str | Sequence[int]) -> list[int]:
        if not isinstance(answer, str):
            ids = [int(each) for each in answer]
            if not ids or not all(0 <= each < self._info.vocab for each in ids):
                raise ParameterError(
                    f"The answer was given as {len(ids)} token ids",
                    f"At least one id is needed, and all are from 0 to {self._info.vocab - 1}.",
                )
            return ids
        said = self._said.get((run.key, answer.strip()))
        if said is not None:
            return list(said)
        tokenizer = self._family.processor.tokenizer
        text = f"{run.prompt.bridge}{answer.strip()}" if answer.strip() else ""
        return [*_continued(tokenizer, run.prompt.text, text), *end_ids(self._family)[:1]]

    def _text(self, ids: list[int]) -> str:
        text: str = self._family.processor.tokenizer.decode(ids, skip_special_tokens=True)
        return text.strip()

    def _remember(self, run: _Run, answer: str, ids: list[int]) -> None:
        self._said[run.key, answer] = ids
        while len(self._said) > _REMEMBERED:
            self._said.popitem(last=False)


class _Run:
    """A question on its way through the runner."""

    def __init__(self, question: str, prompt: Prompt, pictures: tuple[Any, ...], inputs: PromptInputs) -> None:
        self.question, self.prompt, self.pictures, self.inputs = question, prompt, pictures, inputs
        self.hashes = [picture_hash(picture) for picture in pictures]
        self.key = digest([prompt.text, inputs.ids.tolist(), self.hashes])


def _continued(tokenizer: Any, before: str, text: str) -> list[int]:
    """Token ids of `text` as it goes on after `before`; a tokenizer may treat the start of a text differently."""
    if not text:
        return []
    tail = before[-32:]
    joint = tokenizer(tail + text, add_special_tokens=False, return_offsets_mapping=True)
    starts = [index for index, (_, end) in enumerate(joint["offset_mapping"]) if end > len(tail)]
    first = starts[0] if starts else len(joint["input_ids"])
    if starts and joint["offset_mapping"][first][0] < len(tail):
        # The first token would reach back into the prompt, which is fixed already.
        found: list[int] = tokenizer(text, add_special_tokens=False)["input_ids"]
        return found
    return list(joint["input_ids"][first:])


def _read_info(family: Any, checkpoint: str, revision: str) -> ModelInfo:
    model, config = family.model, family.text_config
    heads = int(config.num_attention_heads)
    tensors = {id(each): each for each in (*model.parameters(), *model.buffers())}
    return ModelInfo(
        layers=len(family.layers),
        heads=heads,
        kv_heads=int(getattr(config, "num_key_value_heads", None) or heads),
        width=int(config.hidden_size),
        vocab=int(config.vocab_size),
        context_length=int(getattr(config, "max_position_embeddings", 0) or 0),
        dtype=str(family.dtype).removeprefix("torch."),
        device=str(model.device),
        nbytes=sum(each.numel() * each.element_size() for each in tensors.values()),
        checkpoint=checkpoint,
        revision=revision,
        family=str(model.config.model_type),
        vision=family.vision_info(),
    )
