"""Many variants of one run: each a few edits, several in one forward pass, each run from where it begins to differ."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor

from explore.edits import Edit, Part, as_edits
from explore.errors import ParameterError
from explore.models.attention import continued_from, keeping, watched
from explore.models.decoder_inputs import DecoderInputs
from explore.models.editing import edited_run
from explore.models.editing_catch import catching, rows_of
from explore.models.editing_inputs import can_gather, counts_no_tokens, inputs_of
from explore.models.editing_means import MeanRows
from explore.models.editing_prefix import KeptBeginning, WholeRun
from explore.models.editing_program import program_of
from explore.models.families.base import Family
from explore.models.heads import OutputHead
from explore.trace import Trace

# Rows that run at once where the caller leaves it open: enough to keep the processor busy, few enough for any memory.
_ROWS = 512
_MOST = 64


class Variants:
    """See `explore.edits.running.VariantsLike`; made by `Rerun.variants`.

    Parameters
    ----------
    family, head
        The loaded model.
    inputs
        What its decoder is fed for the trace.
    trace
        The run.
    shared
        Edits that all variants have.
    number
        Which answer token is predicted; nothing behind the position that predicts it is run.
    reuse
        Whether variants run only from the first position that they change.
    trusted
        Whether it was seen before that such runs say what whole runs say; where not, it is tried first.
    check
        Called before every batch; raises to stop.
    """

    def __init__(
        self,
        family: Family,
        head: OutputHead,
        inputs: DecoderInputs,
        trace: Trace,
        *,
        shared: Sequence[Edit] = (),
        number: int = 0,
        reuse: bool = True,
        trusted: bool = False,
        check: Callable[[], None],
    ) -> None:
        if not 0 <= number < len(trace.answer_ids):
            raise ParameterError(
                f"There is no answer token {number}", f"The answer has {len(trace.answer_ids)} tokens."
            )
        self._family, self._head, self._inputs, self._trace = family, head, inputs, trace
        self._shared, self._check, self._run = as_edits(shared), check, WholeRun()
        self._end = trace.prompt_length + number
        self.rows_run = 0
        """Positions that the decoder has run for variants so far, all sequences together."""
        self._cut_down = can_gather(family, inputs)
        with self._ordinary():
            self._base = self._forward(0, 1, None, keep=reuse)[0].float().cpu().numpy()
        able = reuse and self._cut_down and self._run.complete and counts_no_tokens(family)
        self._starts = self._run.starts() if able else None
        if able and not trusted and not self._agrees():
            self._starts = None  # something else in this decoder knows how long its sequence is
        if self._starts is None:
            self._run = WholeRun()

    @property
    def base(self) -> np.ndarray:
        """Logits of the run itself, (vocabulary,) float32."""
        return self._base

    @property
    def edits(self) -> list[dict[str, Any]]:
        """What is done to all variants and to the run itself, as plain data."""
        return [each.to_json() for each in self._shared]

    @property
    def reuses(self) -> bool:
        """Whether beginnings are reused; where not, every variant is run from the start."""
        return self._starts is not None

    def logits(
        self,
        variants: Sequence[Any],
        *,
        batch_size: int | None = None,
        measure: Callable[[np.ndarray], np.ndarray] | None = None,
    ) -> np.ndarray:
        """Logits of the variants where the answer token is predicted, (variants, vocabulary) float32.

        Parameters
        ----------
        variants
            Each an edit or several, on top of the run's own.
        batch_size
            Variants in one forward pass; None chooses.
        measure
            From logits of a batch (batch, vocabulary) to what is returned in their place, (batch, ...): logits of
            thousands of variants would not fit in memory.
        """
        edits = [as_edits(each) for each in variants]
        starts = [self._start(self._first(each)) for each in edits]
        # Those that begin late come together, so that an early one does not make them run from the start.
        order = sorted(range(len(edits)), key=lambda at: -starts[at])
        found: dict[int, np.ndarray] = {}
        while order:
            self._check()
            count = self._together([starts[at] for at in order], batch_size)
            chosen, order = order[:count], order[count:]
            start = starts[chosen[-1]]
            with self._ordinary():
                logits = self._forward(start, len(chosen), [edits[at] for at in chosen]).float().cpu().numpy()
            self.rows_run += len(chosen) * (self._length - start)
            found |= zip(chosen, logits if measure is None else measure(logits), strict=True)
        return (
            np.stack([found[at] for at in range(len(edits))]) if edits else np.empty((0, len(self._base)), np.float32)
        )

    def attention(self, rows: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Attention of some sets of query rows, mean over heads and rows, each (layers, positions) float32.

        Layers without attention have zeros.
        """
        sums = MeanRows(self._family.layers, rows, self._length)
        with self._ordinary():
            self._forward(0, 1, None, catch=sums.recording())
        return sums.means

    def states(self, part: Part, positions: np.ndarray) -> np.ndarray:
        """States of the run itself, (layers, positions, width) float32; of "state" there are L + 1 layers."""
        caught: list[Tensor] = []
        with self._ordinary():
            self._forward(0, 1, None, catch=catching(self._family, part, caught))
        return rows_of(caught, positions)

    def slopes(self, part: Part, positions: np.ndarray, weights: dict[int, float]) -> tuple[np.ndarray, np.ndarray]:
        """States, and the gradient of a weighted sum of logits with respect to them, both shaped as `states`."""
        caught: list[Tensor] = []
        with torch.inference_mode(False), torch.enable_grad():
            logits = self._forward(0, 1, None, catch=catching(self._family, part, caught), grad=True)[0]
            ids = torch.tensor(list(weights), device=logits.device)
            score = (logits[ids].float() * torch.tensor(list(weights.values()), device=logits.device)).sum()
            found = torch.autograd.grad(score, caught, allow_unused=True)
        zero = [torch.zeros_like(own) if each is None else each for each, own in zip(found, caught, strict=True)]
        return rows_of(caught, positions), rows_of(zero, positions)

    def close(self) -> None:
        """Let go of everything that is kept."""
        self._run = WholeRun()
        self._starts = None

    @property
    def _length(self) -> int:
        """Positions that are run: up to the one that predicts, or all where the inputs cannot be cut down."""
        return self._end if self._cut_down else self._inputs.embeds.shape[1]

    def _together(self, starts: Sequence[int], batch_size: int | None) -> int:
        """How many of the next variants run in one pass, of where each may begin, in falling order."""
        longest = 1.5 * (self._length - starts[0]) + 2  # rows that are run in vain cost more than a small batch
        alike = sum(self._length - start <= longest for start in starts)
        rows = max(1, self._length - starts[alike - 1])
        return min(alike, batch_size or max(1, min(_MOST, _ROWS // rows)))

    def _first(self, edits: Sequence[Edit]) -> int:
        """The first position that a variant changes."""
        if self._starts is None:
            return 0
        trace = self._trace
        return program_of((), [edits], trace.layout, trace.prompt_length, len(self._family.layers)).first

    def _start(self, first: int) -> int:
        """Where a run that changes nothing before a position may begin."""
        if self._starts is None:
            return 0
        return int(torch.nonzero(self._starts[: min(first, self._end - 1) + 1])[-1, 0])

    def _forward(
        self,
        start: int,
        count: int,
        variants: Sequence[Sequence[Edit]] | None,
        *,
        keep: bool = False,
        grad: bool = False,
        catch: AbstractContextManager[None] | None = None,
    ) -> Tensor:
        """Logits (count, vocabulary) where the answer token is predicted, of a batch that begins at `start`."""
        family, trace = self._family, self._trace
        inputs = self._part(start)
        with ExitStack() as stack:
            if start:
                beginning = KeptBeginning(self._run, start)
                stack.enter_context(continued_from(beginning))
            edits = edited_run(family, self._shared, trace.layout, trace.prompt_length, variants, start=start)
            stack.enter_context(edits)
            stack.enter_context(watched(family.text_model))
            if keep:
                stack.enter_context(keeping(self._run))
            if catch is not None:
                stack.enter_context(catch)  # after the edits, whose hooks then run first
            given = inputs.repeated(count)
            if isinstance(given.get("position_ids"), Tensor):
                given["position_ids"] = given["position_ids"].contiguous()  # some decoders look at them as one list
            if grad:
                given["inputs_embeds"] = given["inputs_embeds"].detach().clone().requires_grad_(True)
            made = family.text_model(**given, use_cache=False)
        return self._head.full(made.last_hidden_state[:, self._end - 1 - start])

    def _part(self, start: int) -> DecoderInputs:
        """The decoder's inputs from a position on."""
        if not self._cut_down:
            return self._inputs
        return inputs_of(self._family, self._inputs, torch.arange(start, self._end))

    def _agrees(self) -> bool:
        """Whether the last position alone says what it says in the whole run."""
        with self._ordinary():
            found = self._forward(self._start(self._end), 1, None)[0].float().cpu().numpy()
        said = self._base > 0.1 * np.finfo(np.float32).min
        tolerance = 1e-4 if self._family.dtype == torch.float32 else 5e-2
        return bool(np.abs(found - self._base)[said].max() <= tolerance * np.abs(self._base[said]).max())

    @contextmanager
    def _ordinary(self) -> Iterator[None]:
        """No graph, and ordinary tensors: kept ones are used in passes with gradients too."""
        with torch.inference_mode(False), torch.no_grad():
            yield
