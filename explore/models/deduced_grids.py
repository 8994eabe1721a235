"""Whether a grid that was only deduced holds: stripes of a picture are repainted, and its own cells must change most.

A padded, cropped or turned picture has as many visual tokens as a stretched one; only pixels tell them apart.
"""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from explore.errors import ExploreError
from explore.layout import ImageGrid
from explore.models.decoder_inputs import caught_inputs
from explore.models.families.base import Family
from explore.models.guards import is_memory_error
from explore.models.inputs import PromptInputs, prepare
from explore.models.prompts import PromptWriter

_SIZE = (150, 97)  # neither square nor even, so that padding and swapped axes show
_CLEARLY = 1.25  # times as much as any other: what sees the whole picture moves everywhere alike
_QUESTION = "What is this?"


def grid_holds(family: Family, writer: PromptWriter) -> bool:
    """Whether the first, a middle and the last column and row of cells change most when their pixels change.

    Runs the vision tower some seven times on each of two small pictures: one could agree by chance. Without a grid
    there is nothing to hold.
    """
    try:
        return all(_holds(family, writer, seed) for seed in range(2))
    except (ExploreError, ValueError, TypeError, RuntimeError, LookupError) as error:
        if is_memory_error(error):
            raise
        return False  # a model nobody has looked at may stumble over these pictures; it loads all the same


def _holds(family: Family, writer: PromptWriter, seed: int) -> bool:
    picture = Image.fromarray(np.random.default_rng(seed).integers(0, 256, (*_SIZE[::-1], 3), dtype=np.uint8))
    plain, inputs = _features(family, writer, picture)
    return all(
        _answers(family, writer, picture, plain, grid, axis)
        for grid in inputs.grids
        for axis in (0, 1)
        if grid.positions.shape[axis] > 1
    )


def _answers(
    family: Family, writer: PromptWriter, picture: Image.Image, plain: Tensor, grid: ImageGrid, axis: int
) -> bool:
    """Whether stripes of cells along one axis (0 rows, 1 columns) change most where they are repainted."""
    count, painted = grid.positions.shape[axis], 0
    for at in {0, count // 2, count - 1}:
        box = grid.boxes.take(at, axis=axis).reshape(-1, 4)
        start, end = int(np.ceil(box[0, 1 - axis])), int(np.floor(box[0, 3 - axis]))
        if start < 0 or end > _SIZE[1 - axis] or end <= start:
            continue  # cells that reach past the picture cannot be painted
        painted += 1
        changed, inputs = _features(family, writer, _repainted(picture, start, end, axis))
        order = {int(place): number for number, place in enumerate(np.flatnonzero(_visual(family, inputs)))}
        rows = [order[int(place)] for place in grid.positions.ravel()]
        moved = (changed - plain)[rows].norm(dim=-1).reshape(grid.positions.shape)
        means = moved.mean(dim=1 - axis)
        others = torch.cat([means[:at], means[at + 1 :]])
        if means[at] < _CLEARLY * others.max():
            return False
    return painted > 1


def _repainted(picture: Image.Image, start: int, end: int, axis: int) -> Image.Image:
    values = np.array(picture)
    stripe = values[start:end] if axis == 0 else values[:, start:end]
    stripe[...] = np.where(stripe < 128, 255, 0)
    return Image.fromarray(values)


def _features(family: Family, writer: PromptWriter, picture: Image.Image) -> tuple[Tensor, PromptInputs]:
    """What the decoder is given at the visual positions, (visual_tokens, width) float32."""
    inputs = prepare(family, writer.write(_QUESTION, 1), [picture])
    caught = caught_inputs(family, family.on_device(inputs.tensors))["inputs_embeds"]
    return caught.detach()[0, torch.from_numpy(_visual(family, inputs))].float().cpu(), inputs


def _visual(family: Family, inputs: PromptInputs) -> np.ndarray:
    return family.visual_mask(inputs.ids, inputs.tensors)
