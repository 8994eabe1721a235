"""The session around real runs of a tiny model: turns, cancel, kept results, and memory that is really given back."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from PIL import Image

from explore.errors import Cancelled, CheckpointError
from explore.jobs import Progress
from explore.models.runner import Runner
from explore.sessions import Session
from tests.tiny import tiny_llava

WAIT = 120.0


@pytest.fixture
def session() -> Iterator[Session]:
    def load(checkpoint: str | None, *, lock: Any, cache: Any, **_: Any) -> Runner:
        model, processor = tiny_llava(seed=len(checkpoint or ""))
        return Runner(model, processor, checkpoint=checkpoint or "tiny", revision="r", lock=lock, cache=cache)

    with Session(budget_bytes=1 << 30, loader=load) as session:
        yield session


def picture(seed: int) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 255, (32, 32, 3), dtype=np.uint8))


def test_threads_asking_at_once_get_the_answers_they_get_alone(session: Session) -> None:
    alone = [session.load("a").ask(picture(k), "what is this ?", max_new_tokens=6) for k in range(4)]
    session.cache.clear()
    together: dict[int, Any] = {}

    def ask(k: int) -> None:
        together[k] = session.load("a").ask(picture(k), "what is this ?", max_new_tokens=6)

    threads = [threading.Thread(target=ask, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT)
    assert sorted(together) == [0, 1, 2, 3]
    for k, trace in enumerate(alone):
        assert together[k].ids.tolist() == trace.ids.tolist()
        np.testing.assert_array_equal(together[k].hidden(1), trace.hidden(1))


def test_a_job_gives_the_same_trace_as_a_call(session: Session) -> None:
    runner = session.load("a")
    here = runner.ask(picture(0), "what is this ?", max_new_tokens=4)
    session.cache.clear()
    seen: list[float] = []
    job = session.submit(runner.ask, picture(0), "what is this ?", max_new_tokens=4)
    job.observe(lambda job: seen.append(job.progress or 0.0))
    there = job.result(WAIT)
    assert there is not here
    np.testing.assert_array_equal(there.columns.logits, here.columns.logits)
    assert (job.state, job.progress) == ("done", 1.0)


def test_the_same_question_twice_is_computed_once(session: Session) -> None:
    runner = session.load("a")
    first = runner.ask(picture(0), "what is this ?", max_new_tokens=3)
    assert runner.ask(picture(0), "what is this ?", max_new_tokens=3) is first
    assert session.cache.hits == 1
    assert session.cache.bytes >= first.nbytes > 0
    for other in (
        runner.ask(picture(1), "what is this ?", max_new_tokens=3),
        runner.ask(picture(0), "what is that ?", max_new_tokens=3),
        runner.ask(picture(0), "what is this ?", max_new_tokens=2),
        session.load("other").ask(picture(0), "what is this ?", max_new_tokens=3),
    ):
        assert other is not first
    assert session.cache.hits == 1


def test_cancel_in_the_middle_of_a_run_leaves_runner_and_session_usable(session: Session) -> None:
    runner = session.load("a")
    before = runner.ask(picture(0), "what is this ?", max_new_tokens=3)
    session.cache.clear()
    reached = threading.Event()
    job: Any

    def run(progress: Progress) -> None:
        def report(fraction: float | None, message: str) -> None:
            reached.set()
            job.cancel()

        runner.ask(picture(0), "what is this ?", max_new_tokens=400, progress=report)

    job = session.submit(run)
    with pytest.raises(Cancelled):
        job.result(WAIT)
    assert reached.is_set()
    assert len(session.cache) == 0
    after = runner.ask(picture(0), "what is this ?", max_new_tokens=3)
    np.testing.assert_array_equal(after.columns.logits, before.columns.logits)


def test_close_really_frees_the_model_and_says_how_much(session: Session) -> None:
    runner = session.load("a")
    runner.ask(picture(0), "what is this ?", max_new_tokens=3)
    model = weakref.ref(runner._family.model)
    size, kept = runner.info.nbytes, session.cache.bytes
    tensors = [*model().parameters(), *model().buffers()]
    assert size == sum(tensor.numel() * tensor.element_size() for tensor in tensors) > 0
    del tensors
    assert session.close(runner) == size
    gc.collect()
    assert model() is None
    assert session.close() == kept
    with pytest.raises(CheckpointError, match=r"explore.load\(\)"):
        runner.ask(picture(0), "what is this ?")


def test_a_model_is_freed_even_after_a_run_failed_in_a_job(session: Session) -> None:
    runner = session.load("a")
    model = weakref.ref(runner._family.model)

    def fail(fraction: float | None, message: str) -> None:
        raise ValueError("the caller's own report fails")

    job = session.submit(runner.ask, picture(0), "what is this ?", progress=fail)
    with pytest.raises(ValueError, match="own report"):
        job.result(WAIT)
    session.close(runner)
    del runner
    gc.collect()
    assert model() is None
