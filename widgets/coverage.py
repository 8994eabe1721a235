"""How much of what every patch sees lies inside a region, and how much of a map therefore does.

What a patch sees is the part of it that lies in the picture: one over the picture's edge is measured by what it sees,
and one that sees nothing of it (padding, other pictures) does not count at all.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from widgets.regions import Box

Cells = NDArray[np.float64]
"""x0, y0, x1, y1 of cells in pixels, cut at the border of their picture, (cells, 4); without area where unseen."""


def box_cover(cells: Cells, box: Box) -> NDArray[np.float64]:
    """Part of what each cell sees that lies in a box, (cells,) in 0..1; NaN for cells that see nothing."""
    x0, y0, x1, y1 = cells.T
    width = np.minimum(x1, box[2]) - np.maximum(x0, box[0])
    height = np.minimum(y1, box[3]) - np.maximum(y0, box[1])
    return covered_part(width.clip(min=0) * height.clip(min=0), cells)


def covered_part(area: NDArray[np.float64], cells: Cells) -> NDArray[np.float64]:
    """An area of each cell as part of what it sees, (cells,) in 0..1; NaN for cells that see nothing."""
    x0, y0, x1, y1 = cells.T
    seen = (x1 - x0) * (y1 - y0)
    return np.divide(area.clip(0, seen), seen, out=np.full_like(seen, np.nan), where=seen > 0)


def share_inside(values: NDArray[np.floating], cover: NDArray[np.floating]) -> float | None:
    """Sum of a map inside a region by its sum over all cells that count; None where that is 0.

    Parameters
    ----------
    values
        A map, (visual,); negative values count as 0.
    cover
        Part of each cell inside, (visual,), NaN where it does not count.
    """
    counted = np.isfinite(cover)
    heat = np.maximum(values[counted], 0).astype(np.float64)
    return float(heat @ cover[counted] / heat.sum()) if heat.any() else None


def own_share(cover: NDArray[np.floating]) -> float:
    """The share of a map that is the same everywhere."""
    counted = cover[np.isfinite(cover)]
    return float(counted.mean()) if len(counted) else 0.0
