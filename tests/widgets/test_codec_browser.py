"""Arrays on the wire, the browser's half: the same numbers as Python's."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page

from widgets.assets import STATIC
from widgets.codec import pack_array, pack_maps, unpack

pytestmark = pytest.mark.browser

_DECODE = """async ([code, packed, shift]) => {
  const codec = await import(URL.createObjectURL(new Blob([code], { type: "text/javascript" })));
  const text = atob(packed.buffer);
  const bytes = new Uint8Array(text.length + shift);
  for (let i = 0; i < text.length; i++) bytes[i + shift] = text.charCodeAt(i);
  const decoded = codec.decode({ ...packed, buffer: new DataView(bytes.buffer, shift) });
  const upTo = (n) => Array.from({ length: n }, (_, i) => i);
  const row = (m) => upTo(decoded.size).map((i) => codec.valueAt(decoded, m, i));
  const values = packed.maps ? upTo(packed.maps).map(row) : Array.from(decoded.values);
  const peaks = upTo(packed.maps).map((m) => codec.peakOf(decoded, m));
  return { values, peaks, type: decoded.values.constructor.name };
}"""


def decode(page: Page, packed: dict[str, Any], shift: int = 0) -> dict[str, Any]:
    code = (STATIC / "codec.js").read_text()
    plain = {**packed, "buffer": base64.b64encode(packed["buffer"]).decode()}
    result: dict[str, Any] = page.evaluate(_DECODE, [code, plain, shift])
    return result


@pytest.fixture
def page(new_page: Callable[..., Page]) -> Page:
    return new_page()


def test_maps_decode_to_pythons_values_at_any_offset(page: Page) -> None:
    maps = np.random.default_rng(0).normal(size=(5, 3, 4)).astype(np.float32)
    for shift in (0, 1, 3):
        got = decode(page, pack_maps(maps), shift)
        np.testing.assert_allclose(np.reshape(got["values"], maps.shape), unpack(pack_maps(maps)), atol=1e-6)
        assert got["peaks"] == maps.reshape(5, -1).argmax(axis=1).tolist()


def test_arrays_decode_exactly(page: Page) -> None:
    for dtype in ("uint8", "int8", "uint16", "int16", "uint32", "int32", "float32", "float64", "int64", "bool"):
        array = np.array([0, 1, 7, 100]).astype(dtype)
        got = decode(page, pack_array(array), shift=1)
        assert got["values"] == array.astype(float).tolist(), dtype
        assert got["type"].lower() == pack_array(array)["dtype"] + "array"


def test_a_cut_buffer_is_noticed(page: Page) -> None:
    packed = pack_array(np.arange(4))
    with pytest.raises(Exception, match=r"needs 16 bytes, 15 arrived"):
        decode(page, {**packed, "buffer": packed["buffer"][:-1]})
