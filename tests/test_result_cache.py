"""The results cache: keys, budget, order of dropping, many threads."""

from __future__ import annotations

import random
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explore.errors import ParameterError
from explore.result_cache import ResultCache, fingerprint_key, size_of


def test_key_does_not_depend_on_the_order_of_fields() -> None:
    assert fingerprint_key({"a": 1, "b": {"c": 2, "d": 3}}) == fingerprint_key({"b": {"d": 3, "c": 2}, "a": 1})
    assert fingerprint_key({"a": 1}) != fingerprint_key({"a": 2})
    assert fingerprint_key("ready made") == "ready made"


def test_key_refuses_what_has_no_stable_text() -> None:
    with pytest.raises(ParameterError, match="plain data"):
        fingerprint_key({"image": object()})


def test_sizes_add_up() -> None:
    array = np.zeros((3, 4), np.float32)
    assert size_of(array) == 48
    assert size_of({"ab": [array, array], "c": "xyz"}) == 2 + 96 + 1 + 3


def test_least_recently_used_goes_first() -> None:
    cache = ResultCache(budget_bytes=30)
    for name in "abc":
        cache[name] = bytes(10)
    assert cache.get("a") == bytes(10)
    cache["d"] = bytes(10)
    assert ("a" in cache, "b" in cache, "c" in cache, "d" in cache) == (True, False, True, True)
    assert (cache.hits, cache.misses, cache.bytes, len(cache)) == (1, 0, 30, 3)
    assert cache.get("b", "absent") == "absent"
    assert cache.misses == 1
    with pytest.raises(KeyError):
        cache["b"]


def test_one_large_result_pushes_out_several() -> None:
    cache = ResultCache(budget_bytes=30)
    for name in "abc":
        cache[name] = bytes(10)
    cache["big"] = bytes(25)
    assert len(cache) == 1
    assert cache.bytes == 25


def test_a_result_over_budget_is_not_kept_and_replaces_nothing_but_its_own_key() -> None:
    cache = ResultCache(budget_bytes=30)
    cache["a"] = bytes(10)
    cache["b"] = bytes(10)
    cache["b"] = bytes(31)
    assert ("a" in cache, "b" in cache, cache.bytes) == (True, False, 10)


def test_replacing_counts_bytes_once_and_clear_reports_them() -> None:
    cache = ResultCache(budget_bytes=100)
    cache[{"q": 1}] = bytes(40)
    cache[{"q": 1}] = bytes(50)
    cache["other"] = bytes(5)
    del cache["other"]
    with pytest.raises(KeyError):
        del cache["other"]
    assert cache.bytes == 50
    assert cache.clear() == 50
    assert (cache.bytes, len(cache)) == (0, 0)


def test_a_budget_of_nothing_switches_it_off() -> None:
    cache = ResultCache(budget_bytes=0)
    cache["a"] = b"x"
    assert "a" not in cache
    with pytest.raises(ParameterError, match="-1"):
        ResultCache(budget_bytes=-1)


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 40)), max_size=60), st.integers(0, 100))
def test_never_over_budget_and_bytes_are_those_of_what_is_kept(steps: list[tuple[int, int]], budget: int) -> None:
    cache = ResultCache(budget)
    for key, size in steps:
        cache[str(key)] = bytes(size)
        kept = [cache.get(str(name)) for name in range(7) if str(name) in cache]
        assert cache.bytes == sum(map(len, kept)) <= budget


def test_threads_leave_it_consistent() -> None:
    cache = ResultCache(budget_bytes=500)
    failures: list[BaseException] = []

    def hammer(seed: int) -> None:
        random_ = random.Random(seed)
        try:
            for _ in range(2000):
                key = str(random_.randrange(40))
                if random_.random() < 0.5:
                    cache[key] = bytes(int(key))
                else:
                    value = cache.get(key)
                    assert value is None or len(value) == int(key)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=hammer, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert failures == []
    assert cache.bytes == sum(int(name) for name in map(str, range(40)) if name in cache) <= 500
