"""Pictures and their grids as the browser gets them: image bytes once, geometry as parts of the picture."""

from __future__ import annotations

import io
from typing import Any

from PIL import Image

from explore.layout import ImageGrid, TokenLayout

MAX_SIDE = 1024
"""Longest side of a picture in the browser, pixels: more than a notebook column can show."""
_LOSSLESS_PIXELS = 400 * 400


def encode_picture(picture: Image.Image) -> dict[str, Any]:
    """Bytes a browser can show: PNG for small pictures and drawings, JPEG for photographs.

    Returns
    -------
    dict
        ``mime``, ``bytes``, and ``width`` and ``height`` of the original in pixels.
    """
    shown = picture.convert("RGB")
    shown.thumbnail((MAX_SIDE, MAX_SIDE), Image.Resampling.LANCZOS)
    stream = io.BytesIO()
    if shown.width * shown.height <= _LOSSLESS_PIXELS:
        shown.save(stream, "PNG")
        mime = "image/png"
    else:
        shown.save(stream, "JPEG", quality=90)
        mime = "image/jpeg"
    return {"mime": mime, "bytes": stream.getvalue(), "width": picture.width, "height": picture.height}


def describe_grids(layout: TokenLayout, pictures: int) -> list[dict[str, Any]]:
    """Every grid of a layout for ``static/picture.js``: its picture, its place in it, and its first cell.

    Cells count through all grids one after the other, each in raster order, as the visual axis of ``TokenMaps`` does.

    Parameters
    ----------
    layout
        Layout of a run.
    pictures
        How many pictures the run kept.
    """
    described, start = [], 0
    frames = sorted({(grid.image, grid.frame) for grid in layout.grids})
    for grid in layout.grids:
        # A video's frames are pictures of their own where the run kept them all.
        picture = frames.index((grid.image, grid.frame)) if len(frames) == pictures else grid.image
        described.append(
            {
                "label": _label(grid, layout),
                "picture": picture,
                "rows": grid.rows,
                "cols": grid.cols,
                "start": start,
                "box": _extent(grid),
                "size": list(grid.size),
            }
        )
        start += grid.rows * grid.cols
    return described


def _extent(grid: ImageGrid) -> list[float]:
    """Left, top, width and height of a grid as parts of its picture; a grid over padding reaches outside 0..1."""
    x0, y0 = grid.boxes[..., 0].min(), grid.boxes[..., 1].min()
    x1, y1 = grid.boxes[..., 2].max(), grid.boxes[..., 3].max()
    width, height = grid.size
    return [float(x0 / width), float(y0 / height), float((x1 - x0) / width), float((y1 - y0) / height)]


def _label(grid: ImageGrid, layout: TokenLayout) -> str:
    """What the grid is called; only what tells it from the others."""
    if len(layout.grids) == 1:
        return "Picture"
    names = [n for n in ("image", "frame", "tile") if len({getattr(other, n) for other in layout.grids}) > 1]
    parts = [f"{name} {getattr(grid, name)}" for name in names]
    return " · ".join(parts).capitalize()
