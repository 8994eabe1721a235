"""From the numbers a method finds to maps in 0..1, with what was done to them on record."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from explore.errors import ParameterError


@dataclass(frozen=True, eq=False)
class Attribution:
    """What a method found before it was made a map.

    Parameters
    ----------
    values
        In the method's own unit and with its sign, (tokens, visual) float32.
    unit
        What one means.
    scale
        What the positive values were divided by, one number for all tokens, so that they stay comparable.
    note
        How values became the map, in a sentence.
    """

    values: NDArray[np.float32]
    unit: str
    scale: float
    note: str


def attributed(values: NDArray[np.floating], unit: str, note: str = "") -> tuple[NDArray[np.float32], Attribution]:
    """Maps of signed values: what speaks for the token, as a share of the largest value of any token asked for.

    Parameters
    ----------
    values
        (tokens, visual)
    unit
        What one means.
    note
        What a reader must know beside the rule that all methods share.

    Raises
    ------
    ParameterError
        A value is not finite.
    """
    found = finite(np.ascontiguousarray(values, dtype=np.float32))
    peak = float(found.max(initial=0))
    scale = peak if peak > 0 else 1.0
    rule = "Negative values are shown as 0; one scale for all tokens that were asked for, their largest value."
    return (np.maximum(found, 0) / scale).astype(np.float32), Attribution(found, unit, scale, f"{note} {rule}".strip())


def finite(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """The values themselves.

    Raises
    ------
    ParameterError
        One of them is not finite.
    """
    if not np.isfinite(values).all():
        raise ParameterError(
            "The method found values that are not finite",
            "Maps need finite numbers.",
            "Load the model in bfloat16 or float32: float16 may overflow.",
        )
    return values
