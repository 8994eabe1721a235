"""Annotations of the COCO format as masks of pixels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from explore.errors import ParameterError


def annotation_mask(annotation: Mapping[str, Any], size: tuple[int, int], where: str = "") -> NDArray[np.bool_]:
    """The pixels of one annotation.

    Parameters
    ----------
    annotation
        With a "segmentation": a list of polygons [x, y, x, y, ...], or run lengths {"size", "counts"}, compressed
        (a string) or not (a list). Without one, its "bbox" [x, y, width, height] is taken for the thing.
    size
        (width, height) of the picture in pixels.
    where
        Named in errors, for example the file.

    Returns
    -------
    bool (height, width)

    Raises
    ------
    ParameterError
        There is neither, or it is damaged or belongs to a picture of another size.
    """
    name = f"Annotation {annotation.get('id', 'without id')}{' of ' if where else ''}{where}"
    segmentation = annotation.get("segmentation")
    if isinstance(segmentation, Mapping):
        return _from_runs(segmentation, size, name)
    if segmentation:
        return _from_polygons(segmentation, size, name)
    if annotation.get("bbox"):
        return _from_box(annotation["bbox"], size, name)
    raise ParameterError(f"{name} has neither a segmentation nor a bbox", "One of them says where the thing is.")


def _from_runs(runs: Mapping[str, Any], size: tuple[int, int], name: str) -> NDArray[np.bool_]:
    from pycocotools import mask as coco

    height, width = size[1], size[0]
    counts = runs.get("counts")
    if list(runs.get("size", ())) != [height, width]:
        raise ParameterError(
            f"{name} has run lengths for the size {runs.get('size')}", f"The picture has [{height}, {width}]."
        )
    if isinstance(counts, list):
        whole = all(isinstance(count, int) and count >= 0 for count in counts)
        if not whole or sum(counts) != height * width:
            raise ParameterError(f"{name} has run lengths that do not add up", f"Their sum is {height * width} pixels.")
        encoded = coco.frPyObjects(dict(runs), height, width)
    elif isinstance(counts, str | bytes):
        encoded = {"size": [height, width], "counts": counts.encode() if isinstance(counts, str) else counts}
    else:
        raise ParameterError(f"{name} has run lengths of type {type(counts).__name__}", "They are a list or a string.")
    try:
        return np.asarray(coco.decode(encoded)).astype(bool)
    except (ValueError, TypeError) as error:
        raise ParameterError(f"{name} has run lengths that cannot be read: {error}") from error


def _from_polygons(polygons: Any, size: tuple[int, int], name: str) -> NDArray[np.bool_]:
    from pycocotools import mask as coco

    corners = [_numbers(polygon) for polygon in polygons] if isinstance(polygons, list) else [None]
    outlines = [each for each in corners if each is not None and len(each) >= 6 and len(each) % 2 == 0]
    if len(outlines) < len(corners):
        raise ParameterError(f"{name} has a polygon that is none", "Each is [x, y, x, y, x, y, ...], three corners up.")
    return np.asarray(coco.decode(coco.merge(coco.frPyObjects(outlines, size[1], size[0])))).astype(bool)


def _from_box(box: Any, size: tuple[int, int], name: str) -> NDArray[np.bool_]:
    edges = _numbers(box)
    if edges is None or len(edges) != 4:
        raise ParameterError(f"{name} has the bbox {box}", "It is [x, y, width, height] in pixels.")
    left, top, width, height = edges
    across, down = np.arange(size[0]) + 0.5, np.arange(size[1]) + 0.5
    rows = (down >= top) & (down < top + height)
    cols = (across >= left) & (across < left + width)
    return rows[:, None] & cols


def _numbers(values: Any) -> list[float] | None:
    """The values as finite numbers, None if they are none."""
    plain = isinstance(values, list) and all(isinstance(each, int | float) for each in values)
    return [float(each) for each in values] if plain and np.isfinite(values).all() else None
