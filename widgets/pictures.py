"""Pictures and their grids as the browser gets them: image bytes once, geometry as parts of the picture."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

from PIL import Image

from explore.frame_times import FrameTimes
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


def describe_grids(layout: TokenLayout, times: FrameTimes | None = None) -> list[dict[str, Any]]:
    """Every grid of a layout for ``static/picture.js``: its picture, its place in it, and its first cell.

    Cells count through all grids one after the other, each in raster order, as the visual axis of ``TokenMaps`` does.

    Parameters
    ----------
    layout
        Layout of a run.
    times
        When the frames of a film were taken, None for pictures.
    """
    return describe(layout.grids, times)


def describe(grids: Sequence[ImageGrid], times: FrameTimes | None = None) -> list[dict[str, Any]]:
    """See `describe_grids`."""
    described, start = [], 0
    for grid in grids:
        described.append(
            {
                "label": _label(grid, grids, times),
                "picture": grid.picture,
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


def _label(grid: ImageGrid, grids: Sequence[ImageGrid], times: FrameTimes | None) -> str:
    """What the grid is called; only what tells it from the others."""
    if len(grids) == 1:
        return "Picture"
    names = [n for n in ("image", "frame", "tile") if len({getattr(other, n) for other in grids}) > 1]
    parts = [_numbered(grid, name) for name in names]
    if times is not None:
        parts.append(f"{times.seconds[grid.frame]:.4g} s")
    return " · ".join(parts).capitalize()


def _numbered(grid: ImageGrid, name: str) -> str:
    number = getattr(grid, name)
    shared = name == "frame" and grid.frames > 1
    return f"frames {number}–{number + grid.frames - 1}" if shared else f"{name} {number}"
