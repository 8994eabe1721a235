"""What a token is replaced by when its worth is probed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from explore.errors import ParameterError
from explore.runs import LanguageLike, RerunLike, RunnerLike
from explore.trace import Trace

Draw: TypeAlias = Callable[[np.random.Generator, int], NDArray[np.int64]]
"""From a random stream and a count to ids in place of all tokens, (count, tokens); used or not, all are drawn."""

Sampler: TypeAlias = Callable[[RunnerLike, Trace, Sequence[int]], Draw]
"""From a run and the positions of its text tokens to what may stand in their place."""

_BAND = 3  # letters by which lengths are told apart


def same_shape(runner: RunnerLike, trace: Trace, positions: Sequence[int]) -> Draw:
    """Tokens that look alike: leading space, case, letters or digits or signs, about as long.

    A stand-in for tokens of the same part of speech, which need a tagger.

    Source: Zhao & Shan, ReAGent, arXiv 2402.00794, whose released configurations sample by part of speech
    """
    language = runner.language
    pool = np.flatnonzero(language.words())
    by_shape: dict[tuple[bool, str, str, int], list[int]] = {}
    for each, text in zip(pool.tolist(), language.token_texts(pool), strict=True):
        by_shape.setdefault(shape_of(text), []).append(each)
    own = [int(trace.ids[position]) for position in positions]
    shapes = [shape_of(text) for text in language.token_texts(own)]
    return _among([by_shape.get(shape) or [each] for shape, each in zip(shapes, own, strict=True)])


def any_token(runner: RunnerLike, trace: Trace, positions: Sequence[int]) -> Draw:
    """Every token a text can have, all as likely."""
    pool = _all_words(runner.language)
    return _among([pool] * len(positions))


def own_guesses(k: int = 20) -> Sampler:
    """What the model itself holds most likely at each position, given what stands before it: its `k` best, as likely as
    it says.

    Source: Zhao & Shan, ReAGent, arXiv 2402.00794, the variant with the causal model's own predictions
    """
    if k < 1:
        raise ParameterError(f"k={k} was given", "At least one guess is needed.")

    def sampler(runner: RunnerLike, trace: Trace, positions: Sequence[int]) -> Draw:
        rerun: RerunLike = runner.rerun(trace)
        with rerun.replay() as replay:
            states = replay.state(replay.depth)[[max(0, position - 1) for position in positions]].cpu().numpy()
        ids, _, chances = runner.language.top_tokens(states, k, runner.language.words())
        edges = np.cumsum(chances / chances.sum(-1, keepdims=True), axis=-1)

        def draw(rng: np.random.Generator, count: int) -> NDArray[np.int64]:
            chosen = (rng.random((count, len(ids), 1)) > edges[None]).sum(-1).clip(max=ids.shape[1] - 1)
            return np.take_along_axis(ids[None].repeat(count, 0), chosen[..., None], axis=-1)[..., 0]

        return draw

    return sampler


def shape_of(text: str) -> tuple[bool, str, str, int]:
    """What a token looks like: whether it begins with a space, its case, its kind, and its length in bands."""
    bare = text.strip()
    kind = "letters" if bare.isalpha() else "digits" if bare.isdigit() else "mixed" if bare.isalnum() else "signs"
    case = "lower" if bare.islower() else "upper" if bare.isupper() and len(bare) > 1 else "title"
    return text[:1].isspace(), case if kind in ("letters", "mixed") else "", kind, min(len(bare) // _BAND, 4)


def _among(pools: Sequence[Sequence[int]]) -> Draw:
    """One of a pool for each token, all as likely."""
    tables = [np.asarray(pool, np.int64) for pool in pools]

    def draw(rng: np.random.Generator, count: int) -> NDArray[np.int64]:
        parts = [table[rng.integers(len(table), size=count)] for table in tables]
        return np.stack(parts, axis=1) if parts else np.empty((count, 0), np.int64)

    return draw


def _all_words(language: LanguageLike) -> list[int]:
    found: list[int] = np.flatnonzero(language.words()).tolist()
    return found
