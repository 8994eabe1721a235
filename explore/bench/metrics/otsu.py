"""Otsu's threshold, with a value for pictures that have nothing to separate."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

_SAME = 1e-9


def otsu_threshold(picture: NDArray[Any]) -> float:
    """The grey level that parts a picture best; what is strictly above it is bright.

    Source: Otsu, A threshold selection method from gray-level histograms, 1979, as in scikit-image: the levels
    themselves for uint8, 256 bins between minimum and maximum for floats; of equally good levels the lowest.

    Parameters
    ----------
    picture
        Any shape, uint8 or floats; NaN pixels are left out.

    Returns
    -------
    float
        For a picture of one value, that value: nothing is bright. Values that agree in nine digits are one value.
    """
    from skimage.filters import threshold_otsu  # a second of imports that only this step needs

    values = picture[~np.isnan(picture)] if picture.dtype.kind == "f" else picture
    low, high = float(values.min()), float(values.max())
    if high - low <= _SAME * max(abs(low), abs(high)):
        return high
    return float(threshold_otsu(values))
