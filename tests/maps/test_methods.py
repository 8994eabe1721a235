"""What every method of the table promises. A new method is tested here by being in the table."""

from dataclasses import fields, is_dataclass

import numpy as np
import pytest

from explore.maps import METHODS, token_activation_maps
from tests.maps.fakes import fake_trace

every_method = pytest.mark.parametrize("name", METHODS)


@every_method
def test_is_a_frozen_dataclass_with_defaults_a_name_and_a_source(name):
    method = METHODS[name]
    assert is_dataclass(method)
    assert method.__dataclass_params__.frozen
    assert method.name == name
    assert len(method.source) > 20
    assert method() == method()
    assert method.__doc__
    for parameter in fields(method):
        assert parameter.name in method.__doc__


@every_method
@pytest.mark.parametrize("shapes", [[(4, 5)], [(1, 1)], [(3, 4), (2, 6)]])
def test_gives_one_finite_map_per_token_in_0_to_1(name, shapes):
    trace = fake_trace(shapes)
    maps = METHODS[name]().maps(trace)
    assert maps.array.shape == (14, sum(rows * cols for rows, cols in shapes))
    assert maps.array.dtype == np.float32
    assert np.isfinite(maps.array).all()
    assert maps.array.min() >= 0
    assert maps.array.max() <= 1
    assert [token.position for token in maps.tokens] == [
        *trace.layout.positions("question"),
        *trace.layout.positions("answer"),
    ]


@every_method
def test_is_the_same_every_time(name):
    trace = fake_trace()
    np.testing.assert_array_equal(METHODS[name]().maps(trace).array, METHODS[name]().maps(trace).array)


@every_method
def test_leaves_the_trace_alone(name):
    trace = fake_trace()
    before = trace.columns.logits.copy()
    METHODS[name]().maps(trace)
    np.testing.assert_array_equal(trace.columns.logits, before)
    assert trace.fingerprint == {"checkpoint": "fake"}


@every_method
def test_an_empty_answer_leaves_the_question(name):
    assert METHODS[name]().maps(fake_trace(answer=())).array.shape == (5, 20)


@every_method
def test_the_fingerprint_names_method_and_parameters(name):
    method = METHODS[name]()
    found = method.maps(fake_trace()).fingerprint
    assert found["checkpoint"] == "fake"
    assert found["maps"]["method"] == name
    assert set(found["maps"]) == {"method"} | {parameter.name for parameter in fields(method)}


def test_logit_is_tam_with_both_parts_off():
    trace = fake_trace()
    plain = token_activation_maps(trace, eci=False, rank_filter=False)
    np.testing.assert_array_equal(METHODS["logit"]().maps(trace).array, plain.array)
    assert not np.array_equal(METHODS["tam"]().maps(trace).array, plain.array)


def test_random_depends_on_seed_and_position_only():
    short, long = fake_trace(answer=("On",)), fake_trace(answer=("On", " top"))
    method = METHODS["random"]
    np.testing.assert_array_equal(method().maps(short).array, method().maps(long).array[:-1])
    assert not np.array_equal(method().maps(short).array, method(seed=1).maps(short).array)
