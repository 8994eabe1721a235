"""From values of tokens to the cells of a picture's grid."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from explore.layout import ImageGrid


def on_grid(values: NDArray[Any], positions: NDArray[np.int64], grid: ImageGrid, empty: Any) -> NDArray[Any]:
    """Values of some tokens as they lie in a grid.

    Parameters
    ----------
    values, positions
        One value per token (tokens,), and the sequence position of each (tokens,).
    grid
        The grid of one picture, frame or tile.
    empty
        What stands in cells that are none of these tokens.

    Returns
    -------
    np.ndarray
        (rows, cols) of the values' type.
    """
    spread = np.full(max(int(grid.positions.max(initial=0)), int(positions.max(initial=0))) + 1, empty, values.dtype)
    spread[positions] = values
    return spread[grid.positions]
