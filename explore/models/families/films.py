"""Where the visual tokens of a film look: the same grid for every step in time, a step being one frame or several.

Towers may join neighbouring frames to one step (Qwen-VL two, at the processor or later in the projector), so a step
stands for its first frame and the ones after it. A film's last frame may be doubled to fill its step.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from explore.errors import CheckpointError
from explore.models.families.grids import GridPlan
from explore.models.geometry import patch_boxes, placement, region_boxes

if TYPE_CHECKING:
    from explore.models.families.base import Family, Size

_PIXELS = ("pixel_values_videos", "pixel_values")


def steps_in_time(size: Size, frames: int, steps: int, boxes: np.ndarray, skip: int = 0) -> list[GridPlan]:
    """The same boxes (rows, cols, 4) for every step; `skip` visual tokens stand before each of them."""
    span = math.ceil(frames / max(steps, 1))
    return [GridPlan(0, boxes, size, frame=step * span, skip=skip, frames=span) for step in range(steps)]


def stated_grid(family: Family, sizes: Sequence[Size], inputs: Mapping[str, Any]) -> list[GridPlan]:
    """A film whose grid of patches is an input of the model, stretched to whole tokens."""
    merge = int(family.processor.video_processor.merge_size)
    _, rows, cols = (int(each) for each in inputs["video_grid_thw"][0])
    boxes = region_boxes((0, 0, *sizes[0]), rows // merge, cols // merge)
    # How many steps are joined between tower and decoder is seen in the number of tokens.
    steps = family.visual_count(inputs) // (boxes.shape[0] * boxes.shape[1])
    return steps_in_time(sizes[0], len(sizes), steps, boxes)


def square_grids(
    family: Family, sizes: Sequence[Size], inputs: Mapping[str, Any], *, stretched: bool = False
) -> list[GridPlan]:
    """A square of tokens for every frame, perhaps behind a class token; one token may end the film.

    Raises
    ------
    CheckpointError
        The number of tokens makes no squares.
    """
    total = family.visual_count(inputs)
    each, rest = divmod(total, len(sizes))
    side = math.isqrt(each)
    skip = each - side**2
    if rest > 1 or skip > 1 or not side:
        raise CheckpointError(
            f"{total} visual tokens do not make a square grid for each of {len(sizes)} frames",
            f"{type(family.model).__name__} was expected to have one.",
            "Its family needs a layout of films in explore/models/families.",
        )
    boxes = _square_boxes(family, sizes[0], side, inputs, stretched)
    plans = steps_in_time(sizes[0], len(sizes), len(sizes), boxes, skip)
    if rest:
        last = plans[-1]
        plans[-1] = GridPlan(0, boxes, last.size, frame=last.frame, skip=skip, after=rest, frames=last.frames)
    return plans


def _square_boxes(family: Family, size: Size, side: int, inputs: Mapping[str, Any], stretched: bool) -> np.ndarray:
    if stretched:
        return region_boxes((0, 0, *size), side, side)
    edges = [int(inputs[name].shape[-1]) for name in _PIXELS if name in inputs]
    if not edges:
        raise CheckpointError(
            f"The frames of a film reach {type(family.model).__name__} under none of the names {_PIXELS}",
            "",
            "Its family needs a layout of films in explore/models/families.",
        )
    edge = edges[0]
    return patch_boxes(side, side, edge / side, placement(family.processor.video_processor, size))
