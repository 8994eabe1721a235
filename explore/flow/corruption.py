"""The other run of a patching: another picture, or noise on the picture's states."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from explore.edits import AddNoise, Edit
from explore.errors import ParameterError
from explore.runs import RerunLike, RunnerLike
from explore.trace import Trace

NOISE_STDS = 3.0
"""Standard deviation of the noise over that of the picture's own states, as in Meng et al., arXiv 2202.05262."""


@dataclass(frozen=True, eq=False)
class Corrupt:
    """The corrupted run.

    Parameters
    ----------
    rerun
        The run whose inputs it has.
    edits
        What corrupts it, one set for each draw; a run of another picture needs none.
    kind
        "picture" or "noise".
    trace
        Its own trace, which has to be kept alive; the clean one for noise.
    """

    rerun: RerunLike
    edits: tuple[tuple[Edit, ...], ...]
    kind: str
    trace: Trace


def corrupted(
    runner: RunnerLike, trace: Trace, clean: RerunLike, other: Any, *, number: int, draws: int, seed: int
) -> Corrupt:
    """The run that a clean one is compared with.

    Parameters
    ----------
    runner, trace, clean
        The model, the run, and its rerun.
    other
        A picture in place of the trace's own (several, where it has several), a trace of the same question about
        another picture, or "noise" on the decoder's input at the picture's positions.
    number
        Which answer token is followed; the tokens before it must be the same.
    draws, seed
        How many different noises, and from which seed.

    Raises
    ------
    ParameterError
        The other run has other tokens, or nothing the like was given.
    """
    if isinstance(other, str) and other == "noise":
        with clean.variants(number=number, reuse=False) as variants:
            states = variants.states("state", trace.layout.visual)[0]
        std = NOISE_STDS * float(states.std())
        noises = tuple((AddNoise("image", layers=0, std=std, seed=seed + draw),) for draw in range(draws))
        return Corrupt(clean, noises, "noise", trace)
    second = other if isinstance(other, Trace) else _read(runner, trace, other)
    end = trace.prompt_length + number
    if second.prompt_length != trace.prompt_length or not np.array_equal(second.ids[:end], trace.ids[:end]):
        raise ParameterError(
            f"The other run has {second.prompt_length} prompt tokens, this one {trace.prompt_length}, or they differ",
            "Only states of the same tokens can stand for each other.",
            "Give a picture of the same size, and the same question.",
        )
    return Corrupt(runner.rerun(second), ((),), "picture", second)


def _read(runner: RunnerLike, trace: Trace, other: Any) -> Trace:
    """The trace's question and answer about another picture, brought to the size of the first."""
    if trace.times is not None:
        raise ParameterError("Another picture was given for a film", "", "Give a trace of another film, or noise.")
    pictures = list(other) if isinstance(other, Sequence) and not isinstance(other, (str, bytes)) else [other]
    if len(pictures) != len(trace.images):
        raise ParameterError(
            f"{len(pictures)} other pictures were given for {len(trace.images)}", "Each needs one in its place."
        )
    shown = [_sized(picture, own.size) for picture, own in zip(pictures, trace.images, strict=True)]
    more = {"system": trace.system, "history": trace.history or None}
    asked: Any = runner
    read: Trace = asked.read(
        shown if len(shown) > 1 else shown[0],
        trace.question,
        trace.answer_ids.tolist(),
        **{name: value for name, value in more.items() if value is not None},
    )
    return read


def _sized(picture: Any, size: tuple[int, int]) -> Any:
    if isinstance(picture, np.ndarray):
        picture = Image.fromarray(picture)
    if isinstance(picture, (str, os.PathLike)):
        picture = Image.open(picture)
    if not isinstance(picture, Image.Image):
        return picture
    return picture.convert("RGB") if picture.size == size else picture.convert("RGB").resize(size)
