"""The same request gets the runner that is there; another one gets another."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
import torch

import explore
from explore.runner_pool import RunnerPool
from explore.sessions import Session
from tests.sessions.stand_ins import Loader


def test_the_same_request_gets_the_same_runner(session: Session, loader: Loader) -> None:
    assert session.load("a") is session.load("a")
    assert loader.calls == ["a"]
    assert session.bytes == 100


@pytest.mark.parametrize(
    "other", [{"dtype": "bfloat16"}, {"device": "meta"}, {"revision": "v2"}, {"quantization": "4bit"}]
)
def test_another_dtype_device_revision_or_quantisation_is_another_runner(
    session: Session, other: dict[str, str]
) -> None:
    assert session.load("a") is not session.load("a", **other)


def test_spread_weights_are_told_apart_by_what_lies_where(session: Session, loader: Loader) -> None:
    plain = session.load("a")
    loader.spreads["a"] = (("cpu", 60), ("disk", 40))
    spread = session.load("a", device_map="auto")
    assert spread is not plain
    assert session.load("a", device_map="auto") is spread
    assert session.load("a", device_map={"": "disk"}) is spread, "other words for what lies in the same places"
    assert loader.calls == ["a", "a", "a"]


def test_spellings_of_one_request_get_one_runner(session: Session, loader: Loader, tmp_path: Path) -> None:
    first = session.load("a", dtype=torch.bfloat16, device=torch.device("cpu"))
    assert session.load("a", dtype="bfloat16", device="cpu") is first
    folder = session.load(tmp_path)
    assert session.load(str(tmp_path) + "/.") is folder
    assert loader.calls == ["a", tmp_path]


def test_defaults_spelled_out_find_the_runner_loaded_by_default(session: Session, loader: Loader) -> None:
    first = session.load()
    assert session.load("sketch", dtype="float32", device="cpu") is first
    assert loader.calls == [None]


def test_a_request_that_turns_out_to_be_a_loaded_runner_is_not_kept_twice(session: Session) -> None:
    first = session.load("a", dtype="float32", device="cpu")
    assert session.load("a") is first
    assert len(session.runners) == 1


def test_a_request_in_other_words_loads_nothing(loader: Loader) -> None:
    words = {None: "cuda:0", "cuda": "cuda:0", "cuda:0": "cuda:0"}

    def spelled(device: str | None, dtype: str | None, *others: None) -> tuple[str | None, ...]:
        return words[device], dtype or "f32", *others

    pool = RunnerPool(threading.RLock(), 250, loader, spelled_out=spelled)
    request = {"revision": None, "trust_remote_code": False, "cache": None}
    first = pool.load("a", device=None, dtype=None, **request)
    assert pool.load("a", device="cuda", dtype="f32", **request) is first
    assert loader.calls == ["a"]


def test_an_evicted_or_closed_runner_is_loaded_again_when_wanted(session: Session, loader: Loader) -> None:
    a = session.load("a")
    session.close(a)
    again = session.load("a")
    assert again is not a
    again.close()  # by hand, behind the session's back
    assert session.load("a") is not again
    assert session.bytes == 100
    assert loader.calls == ["a"] * 3


def test_trust_is_passed_on_and_never_assumed(session: Session, loader: Loader) -> None:
    session.load("a")
    session.load("b", trust_remote_code=True)
    assert loader.trusted == [False, True]


def test_the_default_session_is_one_and_load_goes_through_it(loader: Loader) -> None:
    assert explore.session() is explore.session()
    explore.session()._pool._loader = loader
    runner = explore.load("a", dtype="float16")
    assert explore.session().runners == (runner,)
    assert explore.session().close() == 100
