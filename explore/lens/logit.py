"""The logit lens: what the model would say next if a state were its last one."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from explore.errors import ParameterError
from explore.lens.choices import Tokens
from explore.lens.method import LensRun, Ranked
from explore.lens.reading import LensReading
from explore.lens.vocabulary_lens import VocabularyLens, spelled
from explore.runs import Report, RunnerLike
from explore.trace import Trace

_CHUNK = 128  # states whose whole distribution is held at once


@dataclass(frozen=True)
class LogitLens(VocabularyLens):
    r"""Logits :math:`c(W_U \, \mathrm{norm}(h))` of each state, by the model's own norm, head, scale and soft cap.

    A state of layer L is before the final norm like all others, so nothing is normed twice, and the reading of layer L
    is what the model says. A decoder with several residual streams is refused: its recorded states are their mean.
    """

    name: ClassVar[str] = "logit"
    source: ClassVar[str] = "nostalgebraist, interpreting GPT: the logit lens, 2020; baseline of arXiv 2602.00462"

    words_only: bool = False

    @property
    def score_name(self) -> str:
        return "logit"

    @property
    def word_unit(self) -> str:
        return "probability"

    def prepared(self, run: LensRun, layer: int) -> NDArray[np.float32]:
        """The states that go through the head, (tokens, width)."""
        return run.states(layer)

    def notes(self, run: LensRun) -> tuple[str, ...]:
        """What a reader has to know."""
        return ()

    def compute(self, run: LensRun) -> Ranked:
        language, allowed, parts = run.language, self.named(run), []
        most = self.k if allowed is None else min(self.k, int(allowed.sum()))
        for done, layer in enumerate(run.layers):
            parts.append(language.top_tokens(self.prepared(run, layer), most, allowed))
            run.report(done + 1, len(run.layers), "layer")
        ids, logits, chances = (np.stack(each) for each in zip(*parts, strict=True))
        require_finite(logits)
        return Ranked(logits, ids, spelled(language, ids), chances, notes=self.notes(run))

    def token_scores(self, run: LensRun, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        """The probability of each token, (layers, tokens, ids) float32."""
        found = []
        for done, layer in enumerate(run.layers):
            with run.language.readout() as read:
                found.append(_chances(read, self.prepared(run, layer), ids))
            run.report(done + 1, len(run.layers), "layer")
        return np.stack(found)


def logit_lens(
    trace: Trace,
    k: int = 5,
    *,
    layers: Iterable[int] | None = None,
    positions: Tokens | None = None,
    words_only: bool = False,
    runner: RunnerLike | None = None,
    progress: Report | None = None,
) -> LensReading:
    """What the model's own head makes of every visual token; parameters as for `LogitLens` and its `read`."""
    lens = LogitLens(k=k, words_only=words_only)
    return lens.read(trace, layers, positions, runner=runner, progress=progress)


def require_finite(scores: NDArray[np.float32]) -> None:
    """Refuse scores that the head made no numbers of.

    Raises
    ------
    ParameterError
        One is not finite.
    """
    if not np.isfinite(scores).all():
        raise ParameterError(
            "The head's logits of some states are not finite",
            "Visual states can be thousands of times longer than those of text, which float16 cannot hold.",
            "Load the model in bfloat16 or float32.",
        )


def _chances(read: Callable[[Any], Any], states: NDArray[np.float32], ids: NDArray[np.int64]) -> NDArray[np.float32]:
    """Probabilities of some tokens, (rows, ids) float32."""
    import torch

    found, wanted = [], torch.from_numpy(ids)
    with torch.no_grad():
        for at in range(0, len(states), _CHUNK):
            likely = read(torch.from_numpy(states[at : at + _CHUNK])).log_softmax(-1)
            found.append(likely[:, wanted.to(likely.device)].exp().cpu().numpy())
    columns = np.concatenate(found)
    require_finite(columns)
    return columns
