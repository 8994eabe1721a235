"""Arrays on the wire, Python's half: exact where it says so, within the promised error where not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from explore.errors import ParameterError
from widgets.codec import pack_array, pack_maps, unpack

finite = st.floats(-1e6, 1e6, width=32)


@settings(deadline=None, max_examples=60)
@given(hnp.arrays(np.float32, hnp.array_shapes(min_dims=2, max_dims=3, max_side=7), elements=finite))
def test_maps_come_back_within_half_a_step(maps: np.ndarray) -> None:
    back = unpack(pack_maps(maps)).astype(np.float64)
    span = np.ptp(maps.reshape(len(maps), -1).astype(np.float64), axis=1).reshape(-1, *[1] * (maps.ndim - 1))
    size = np.abs(maps.astype(np.float64)).max(axis=tuple(range(1, maps.ndim)), keepdims=True)
    # Half a step, and what float32 cannot hold of the values themselves.
    assert (np.abs(back - maps) <= span / 510 + 4e-7 * size + 1e-30).all()


def test_every_map_has_its_own_range() -> None:
    maps = np.array([[0.0, 1.0], [0.0, 1e-4], [5.0, 5.0]])
    np.testing.assert_allclose(unpack(pack_maps(maps)), maps, rtol=1e-6)


def test_maps_are_one_buffer_with_ranges_in_front() -> None:
    packed = pack_maps(np.arange(12, dtype=np.float64).reshape(2, 2, 3))
    assert (packed["dtype"], packed["shape"], packed["maps"]) == ("uint8", [2, 2, 3], 2)
    assert len(packed["buffer"]) == 2 * 2 * 4 + 12
    assert np.frombuffer(packed["buffer"], "<f4", 4).tolist() == [0, 5, 6, 11]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_no_code_can_stand_for_is_refused(bad: float) -> None:
    with pytest.raises(ParameterError, match="1 values that are NaN or infinite"):
        pack_maps(np.array([[0.0, bad]]))


@pytest.mark.parametrize(
    ("given_as", "sent_as"),
    [
        ("float64", "float32"),
        ("float16", "float32"),
        ("int64", "int32"),
        ("uint64", "uint32"),
        ("bool", "uint8"),
        ("float32", "float32"),
        ("int16", "int16"),
        (">i4", "int32"),
    ],
)
def test_arrays_are_cast_to_what_a_browser_holds(given_as: str, sent_as: str) -> None:
    array = np.array([[0, 1, 0], [1, 1, 0]]).astype(given_as)
    packed = pack_array(array[:, ::-1])
    assert packed["dtype"] == sent_as
    assert unpack(packed).dtype == np.dtype(sent_as)
    np.testing.assert_array_equal(unpack(packed), array[:, ::-1])


def test_plain_floats_may_be_missing() -> None:
    np.testing.assert_array_equal(unpack(pack_array(np.array([1.5, np.nan]))), [1.5, np.nan])


def test_integers_beyond_32_bits_are_refused() -> None:
    with pytest.raises(ParameterError, match="int32 holds"):
        pack_array(np.array([2**31]))


def test_text_is_refused() -> None:
    with pytest.raises(ParameterError, match="dtype"):
        pack_array(np.array(["a"]))


def test_empty_maps_travel() -> None:
    assert unpack(pack_maps(np.zeros((0, 4)))).shape == (0, 4)
    assert unpack(pack_maps(np.zeros((2, 0)))).shape == (2, 0)
