"""A run that is cancelled or fails leaves nothing behind: no hook, no changed setting, a runner that still answers."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from explore.errors import Cancelled, OutOfMemoryError
from explore.jobs import check_cancelled
from explore.workers import Worker
from tests.models.samples import EVERYTHING, QUESTION, fresh, noise
from tests.tiny import tiny_runner


def hooks_of(model: Any) -> int:
    return sum(
        len(module._forward_hooks) + len(module._forward_pre_hooks) for module in model.modules() if module is not None
    )


def implementations(model: Any) -> set[str]:
    return {module.config._attn_implementation for module in model.modules() if hasattr(module, "config")}


def cancel_at(call: int) -> Callable[..., None]:
    calls = iter(range(10**6))

    def progress(fraction: float | None, message: str) -> None:
        if next(calls) == call:
            raise Cancelled

    return progress


@pytest.mark.parametrize("token", [0, 1, 4])
def test_cancel_in_the_middle_leaves_a_working_model(token: int) -> None:
    model, runner = fresh(seed=7)
    hooks, chosen = hooks_of(model), implementations(model)
    expected = runner.ask(noise(), QUESTION, max_new_tokens=6, record=EVERYTHING)
    with pytest.raises(Cancelled):
        runner.ask(noise(), QUESTION, max_new_tokens=6, record=EVERYTHING, progress=cancel_at(token))
    assert hooks_of(model) == hooks
    assert implementations(model) == chosen == {"sdpa"}
    again = runner.ask(noise(), QUESTION, max_new_tokens=6, record=EVERYTHING)
    np.testing.assert_array_equal(again.logits, expected.logits)


def test_cancel_is_seen_between_layers() -> None:
    _, runner = fresh(seed=7)

    class Progress:
        checks = 0

        def __call__(self, fraction: float | None, message: str) -> None:
            pass

        def check(self) -> None:
            self.checks += 1
            if self.checks == 2:
                raise Cancelled

    with pytest.raises(Cancelled):
        runner.read(noise(), QUESTION, "a dog", progress=Progress())
    with pytest.raises(Cancelled):
        runner.answers([(noise(), QUESTION)], max_new_tokens=3, progress=Progress())


def test_a_cancelled_job_stops_a_run_that_was_handed_no_progress() -> None:
    _, runner = fresh(seed=7)
    worker, begun = Worker(), threading.Event()

    def work() -> None:
        while True:
            begun.set()
            check_cancelled()
            runner.ask(noise(), QUESTION, max_new_tokens=4)

    job = worker.submit(work)
    assert begun.wait(10)
    job.cancel()
    with pytest.raises(Cancelled):
        job.result(timeout=20)
    worker.close()
    assert runner.ask(noise(), QUESTION, max_new_tokens=2).answer_ids.shape == (2,)


def test_progress_counts_tokens() -> None:
    reports: list[tuple[float | None, str]] = []
    tiny_runner().ask(noise(), QUESTION, max_new_tokens=4, progress=lambda *report: reports.append(report))
    assert [fraction for fraction, _ in reports] == [0.0, 0.0, 0.25, 0.5, 0.75]
    assert reports[0][1].startswith("recording at most ")
    assert reports[2][1] == "token 2 of at most 4"


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"),
        RuntimeError("[enforce fail] DefaultCPUAllocator: not enough memory: you tried to allocate 9 bytes."),
        MemoryError(),
    ],
    ids=["cuda", "cpu", "python"],
)
def test_out_of_memory_is_one_error_and_the_runner_stays_usable(
    error: BaseException, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, runner = fresh(seed=7)
    hooks = hooks_of(model)

    def fail(*args: Any, **kwargs: Any) -> None:
        raise error

    with monkeypatch.context() as patched:
        patched.setattr(model.model.language_model.layers[1].mlp, "forward", fail)
        for run in (
            lambda: runner.ask(noise(), QUESTION),
            lambda: runner.read(noise(), QUESTION, "a"),
            lambda: runner.answers([(noise(), QUESTION)]),
        ):
            with pytest.raises(OutOfMemoryError, match="still loaded"):
                run()
    assert implementations(model) == {"sdpa"}
    assert hooks_of(model) == hooks
    assert runner.ask(noise(), QUESTION, max_new_tokens=1).answer_ids.shape == (1,)


def test_other_errors_pass_unchanged_and_hooks_are_undone(monkeypatch: pytest.MonkeyPatch) -> None:
    model, runner = fresh(seed=7)
    hooks = hooks_of(model)

    def fail(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("shapes do not match")

    with monkeypatch.context() as patched:
        patched.setattr(model.model.vision_tower, "forward", fail)
        with pytest.raises(RuntimeError, match="shapes do not match"):
            runner.ask(noise(), QUESTION, record=EVERYTHING)
    assert implementations(model) == {"sdpa"}
    assert hooks_of(model) == hooks
