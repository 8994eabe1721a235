"""Arrays on the wire: one contiguous buffer, its dtype and shape, and the range of every map.

The twin of this file is ``static/codec.js``. Clicks never ask the kernel, so the maps of a whole answer go to the
browser once; uint8 keeps them small, and because each map carries its own float32 (lo, hi), the number shown under
the cursor is known to within (hi - lo) / 510.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from explore.errors import ParameterError

Packed = dict[str, Any]

_PLAIN = {"uint8", "int8", "uint16", "int16", "uint32", "int32", "float32"}
# JavaScript has no 64-bit typed array that behaves like the others, and no half or boolean one at all.
_CASTS = {"float64": "float32", "float16": "float32", "int64": "int32", "uint64": "uint32", "bool": "uint8"}


def pack_maps(maps: NDArray[np.floating]) -> Packed:
    """Quantise maps to uint8, each over its own range.

    Parameters
    ----------
    maps : array (maps, ...)
        Finite values. Everything behind the first axis belongs to one map.

    Returns
    -------
    dict
        ``dtype``, ``shape``, ``maps`` (number of ranges) and ``buffer``: float32 (maps, 2) ranges, then the codes.

    Raises
    ------
    ParameterError
        If a value is NaN or infinite: no code could stand for it.
    """
    values = np.ascontiguousarray(maps, dtype=np.float32)
    if values.ndim < 2:
        raise ParameterError(f"An array of shape {values.shape}.", "Maps have a first axis that counts them.")
    if not np.isfinite(values).all():
        bad = int((~np.isfinite(values)).sum())
        raise ParameterError(
            f"{bad} values that are NaN or infinite.", "Maps must be finite.", "numpy.nan_to_num would replace them."
        )
    flat = values.reshape(len(values), math.prod(values.shape[1:])).astype(np.float64)
    lo, hi = (flat.min(axis=1), flat.max(axis=1)) if flat.size else (np.zeros(len(flat)), np.zeros(len(flat)))
    step = np.where(hi > lo, hi - lo, 1.0)[:, None]
    codes = np.rint((flat - lo[:, None]) / step * 255).astype(np.uint8)
    ranges = np.stack([lo, hi], axis=1).astype("<f4")
    return {
        "dtype": "uint8",
        "shape": list(values.shape),
        "maps": len(values),
        "buffer": ranges.tobytes() + codes.tobytes(),
    }


def pack_array(array: NDArray[Any]) -> Packed:
    """Pack an array as it is; float64, float16, int64, uint64 and bool are cast to what a browser can hold.

    Raises
    ------
    ParameterError
        If the dtype has no such cast, or an integer does not fit into 32 bits.
    """
    source = np.asarray(array)
    name: str = _CASTS.get(source.dtype.name, source.dtype.name)
    if name not in _PLAIN:
        raise ParameterError(f"dtype {source.dtype}.", f"Allowed: {sorted(_PLAIN | set(_CASTS))}.")
    if source.dtype.kind in "iu" and source.size:
        limits = np.iinfo(name)
        if source.min() < limits.min or source.max() > limits.max:
            raise ParameterError(
                f"Integers from {source.min()} to {source.max()}.", f"{name} holds {limits.min} to {limits.max}."
            )
    little = np.ascontiguousarray(source, dtype=np.dtype(name).newbyteorder("<"))
    return {"dtype": name, "shape": list(source.shape), "maps": 0, "buffer": little.tobytes()}


def unpack(packed: Packed) -> NDArray[Any]:
    """The array back: maps as float32 with an error of at most (hi - lo) / 510, plain arrays exactly as packed."""
    maps, shape = int(packed["maps"]), tuple(packed["shape"])
    dtype = np.dtype(packed["dtype"]).newbyteorder("<")
    values = np.frombuffer(packed["buffer"], dtype=dtype, offset=8 * maps).reshape(shape)
    if not maps:
        return values.astype(dtype.newbyteorder("="))
    lo, hi = np.frombuffer(packed["buffer"], dtype="<f4", count=2 * maps).reshape(maps, 2).T
    column = (maps, *(1 for _ in shape[1:]))
    return (lo.reshape(column) + values / np.float32(255) * (hi - lo).reshape(column)).astype(np.float32)
