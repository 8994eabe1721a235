"""Which tokens of an answer depend on the picture: their distributions with it and without."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from explore.edits import CutEdges
from explore.errors import ParameterError
from explore.flow.named_arrays import NamedArrays, about
from explore.flow.output_signatures import OutputSignatures, answer_signatures
from explore.runs import Report, RunnerLike
from explore.trace import Trace

How = Literal["blocked", "grey"]

_GREY = (128, 128, 128)


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class ImageDependence(NamedArrays):
    """An answer's signatures with the picture and without.

    Parameters
    ----------
    tokens
        Sequence positions of the answer tokens, (tokens,).
    lost
        Log-probability of each token that goes with the picture, (tokens,).
    divergence
        KL of the distribution with the picture from that without, in nats, (tokens,).
    rank_change
        Ranks that the token falls by, (tokens,) int64.
    entropy_change
        Entropy without less entropy with, (tokens,).
    seen, unseen
        All signatures of both runs.
    """

    axes: ClassVar = {
        "lost": ("tokens",),
        "divergence": ("tokens",),
        "rank_change": ("tokens",),
        "entropy_change": ("tokens",),
    }

    tokens: NDArray[np.int64]
    lost: NDArray[np.float64]
    divergence: NDArray[np.float64]
    rank_change: NDArray[np.int64]
    entropy_change: NDArray[np.float64]
    seen: OutputSignatures
    unseen: OutputSignatures


def image_dependence(
    runner: RunnerLike,
    trace: Trace,
    how: How = "blocked",
    *,
    k: int = 1000,
    progress: Report | None = None,
) -> ImageDependence:
    """The answer read once more without the picture, token by token beside the run itself.

    Parameters
    ----------
    runner, trace
        The model, and the run with its logits recorded.
    how
        "blocked" lets nothing but visual tokens look at visual tokens, in all layers; "grey" shows a grey picture of
        the same size, which also works where edges cannot be cut.
    k
        Length of the sorted profiles.
    progress
        Passed on to the run.

    Raises
    ------
    ParameterError
        The run has no picture, or is a film that was to be greyed.
    CheckpointError
        Edges cannot be cut in this decoder.
    NotRecordedError
        The trace has no logits.
    """
    if how not in ("blocked", "grey"):
        raise ParameterError(f"how={how!r} was given", "Allowed are 'blocked' and 'grey'.")
    if not len(trace.layout.visual) or not trace.images:
        raise ParameterError("The run has no picture", "", "Use a run that keeps its pictures.")
    if trace.times is not None:
        raise ParameterError("The run is about a film", "Pictures can be blocked or greyed.")
    seen = answer_signatures(trace, k)
    shown = list(trace.images) if how == "blocked" else [Image.new("RGB", each.size, _GREY) for each in trace.images]
    more = {"system": trace.system, "history": trace.history or None}
    options = {name: value for name, value in more.items() if value}
    edited: Callable[..., AbstractContextManager[None]] = getattr(runner, "edited", _cannot_edit)
    read: Callable[..., Trace] = runner.read
    with edited(CutEdges("image", "~image")) if how == "blocked" else nullcontext():
        without = read(shown, trace.question, trace.answer_ids.tolist(), progress=progress, **options)
    unseen = answer_signatures(without, k)
    control = "Visual tokens hidden from all others" if how == "blocked" else "A grey picture in place of the run's own"
    return ImageDependence(
        tokens=seen.tokens,
        lost=seen.logprob - unseen.logprob,
        divergence=_divergence(trace, without),
        rank_change=unseen.rank - seen.rank,
        entropy_change=unseen.entropy - seen.entropy,
        seen=seen,
        unseen=unseen,
        **about(trace, "image_dependence", (f"{control}; the answer's own tokens were given.",), how=how, k=k),
    )


def _divergence(trace: Trace, without: Trace) -> NDArray[np.float64]:
    """KL(with || without) of every answer token's distribution, (tokens,)."""
    found = []
    for number in range(len(trace.answer_ids)):
        ours, theirs = (np.asarray(each.logits_of(number), np.float64) for each in (trace, without))
        common = (ours > -1e4) & (theirs > -1e4)  # what can be said at all
        first, second = (values[common] - np.logaddexp.reduce(values[common]) for values in (ours, theirs))
        found.append(float((np.exp(first) * (first - second)).sum()))
    return np.array(found)


def _cannot_edit(*edits: Any) -> AbstractContextManager[None]:
    raise ParameterError("This runner cannot edit its runs", "", "Use how='grey'.")
