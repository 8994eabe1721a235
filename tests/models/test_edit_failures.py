"""Fifty runs fail or are cancelled at random moments while edits are open: the model is bit for bit what it was."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

from explore.edits import (
    AddNoise,
    CutEdges,
    DropTokens,
    FreezeStates,
    MergeTokens,
    ReplaceStates,
    ScaleStates,
    SkipUpdate,
)
from explore.errors import Cancelled, ExploreError
from explore.models.attention import _beginning, _editing, _keeping, _listening
from tests.models.samples import QUESTION, fresh, noise

FAILURES = 50


class BrokenError(Exception):
    """What a part of the model raises here."""


class Cancelling:
    """A progress that cancels at the n-th time it is asked."""

    def __init__(self, moment: int) -> None:
        self._left = moment

    def __call__(self, fraction: float | None, message: str) -> None:
        self.check()

    def check(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise Cancelled


def state_of(model: Any) -> tuple[int, list[str]]:
    hooks = sum(len(each._forward_hooks) + len(each._forward_pre_hooks) for each in model.modules())
    return hooks, [each.config._attn_implementation for each in model.modules() if hasattr(each, "config")]


@pytest.mark.filterwarnings("ignore")
def test_fifty_random_failures_leave_the_logits_bit_for_bit() -> None:
    model, runner = fresh(seed=5)
    picture, draw = noise(), random.Random(0)
    base = runner.ask(picture, QUESTION, max_new_tokens=3)
    visual, width = base.layout.visual, base.width
    kinds = (
        CutEdges("image", "~image"),
        CutEdges("image", "last", heads=[1], layers=1),
        CutEdges("image", ("question", "answer"), zero_value=True),
        SkipUpdate("mlp", "question"),
        SkipUpdate("attention", "answer"),
        ReplaceStates("question", layers=1, values=np.ones(width)),
        AddNoise("image"),
        ScaleStates("image", layers=1, factor=0.5),
        FreezeStates("last"),
        DropTokens(visual[::2]),
        MergeTokens([visual[:2]]),
    )
    before, failed = state_of(model), 0
    parts = [each for name, each in model.named_modules() if name and not list(each.children())]
    rerun = runner.rerun(base)

    def works(progress: Any) -> list[Any]:
        edits = [[each] for each in kinds[:8]]

        def vary() -> None:
            with rerun.variants(progress=progress, reuse=draw.random() < 0.5) as variants:
                variants.logits(edits, batch_size=draw.randint(1, 4))
                variants.slopes("state", visual, {3: 1.0})

        def replay() -> None:
            with rerun.replay(gradients=True, progress=progress) as found:
                found.gradient(0)

        blocked = np.zeros((4, base.positions_fed), bool)
        return [
            lambda: runner.ask(picture, QUESTION, max_new_tokens=3, progress=progress),
            lambda: runner.read(picture, QUESTION, "a dog", progress=progress),
            lambda: runner.answers([(picture, QUESTION)] * 2, max_new_tokens=2, progress=progress),
            lambda: rerun.without(blocked, batch_size=2, progress=progress),
            vary,
            replay,
        ]

    while failed < FAILURES:
        chosen = draw.sample(kinds, draw.randint(1, 3))
        moment, part = draw.randint(0, 12), draw.choice(parts)
        cancelling = draw.random() < 0.4
        work = draw.choice(works(Cancelling(moment) if cancelling else None))
        calls = 0

        def fail(*given: Any) -> None:
            nonlocal calls
            calls += 1
            if calls > moment % 4:  # noqa: B023
                raise BrokenError

        handle = None if cancelling else part.register_forward_hook(fail)
        try:
            with runner.edited(chosen[0]), runner.edited(*chosen[1:]):
                work()
        except (Cancelled, BrokenError):
            failed += 1
        except ExploreError:
            pass  # some of these edits do not go together, and are refused: that too must leave nothing behind
        finally:
            if handle is not None:
                handle.remove()
        assert state_of(model) == before
        assert [each.get() for each in (_beginning, _editing, _keeping, _listening)] == [None] * 4
        assert runner._edits.now == ()
    np.testing.assert_array_equal(runner.ask(picture, QUESTION, max_new_tokens=3).logits, base.logits)
    np.testing.assert_array_equal(rerun.without(np.zeros((1, base.positions_fed), bool)).logits.shape, (1, 3))
