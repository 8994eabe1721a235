"""Boxes land where a person sees them: paint inside one box of the picture, and that patch of the pixels changes."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image
from transformers import CLIPImageProcessorPil
from transformers.models.llava.image_processing_pil_llava import LlavaImageProcessorPil

from explore.models.geometry import Placement, patch_boxes, placement, resized
from explore.models.pictures import open_picture
from tests.tiny import tiny_runner

PATCH, SIDE = 16, 96
CELLS = SIDE // PATCH

PROCESSORS: dict[str, Any] = {
    "exact": CLIPImageProcessorPil(size={"height": SIDE, "width": SIDE}, do_center_crop=False),
    "shortest edge and crop": CLIPImageProcessorPil(
        size={"shortest_edge": SIDE}, crop_size={"height": SIDE, "width": SIDE}
    ),
    "larger edge and crop": CLIPImageProcessorPil(
        size={"shortest_edge": SIDE + 20}, crop_size={"height": SIDE, "width": SIDE}
    ),
    "crop that pads": CLIPImageProcessorPil(
        size={"shortest_edge": SIDE - 29}, crop_size={"height": SIDE, "width": SIDE}
    ),
    "crop only": CLIPImageProcessorPil(do_resize=False, crop_size={"height": SIDE, "width": SIDE}),
    "square first": LlavaImageProcessorPil(
        do_pad=True, size={"shortest_edge": SIDE}, crop_size={"height": SIDE, "width": SIDE}
    ),
}

SIZES = [(96, 96), (320, 240), (167, 259), (500, 65), (97, 301), (50, 41)]


def pixels(processor: Any, picture: Image.Image) -> np.ndarray:
    found: np.ndarray = processor(picture, return_tensors="np")["pixel_values"][0]
    return found


def changes(processor: Any, before: Image.Image, after: Image.Image) -> np.ndarray:
    """How much each patch of the processed picture changed, (rows, cols)."""
    difference = np.abs(pixels(processor, after) - pixels(processor, before)).sum(0)
    return difference.reshape(CELLS, PATCH, CELLS, PATCH).sum((1, 3))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", PROCESSORS)
def test_planted_square_changes_its_own_patch(name: str, size: tuple[int, int]) -> None:
    processor, (width, height) = PROCESSORS[name], size
    boxes = patch_boxes(CELLS, CELLS, PATCH, placement(processor, size))
    before = Image.new("RGB", size, (90, 100, 110))
    tried = 0
    for row in range(CELLS):
        for col in range(CELLS):
            x0, y0, x1, y1 = boxes[row, col]
            # The middle of the box, so that the resize filter does not reach the neighbours.
            inner = (x0 + 0.3 * (x1 - x0), y0 + 0.3 * (y1 - y0), x1 - 0.3 * (x1 - x0), y1 - 0.3 * (y1 - y0))
            left, top, right, bottom = (round(each) for each in np.clip(inner, 0, [width, height] * 2))
            if left >= right or top >= bottom:
                continue
            after = before.copy()
            after.paste((250, 20, 30), (left, top, right, bottom))
            found = changes(processor, before, after)
            assert np.unravel_index(found.argmax(), found.shape) == (row, col)
            assert found[row, col] > 0.9 * found.sum()
            tried += 1
    assert tried >= 4


@pytest.mark.parametrize("size", SIZES)
def test_a_plain_resize_covers_the_picture_once(size: tuple[int, int]) -> None:
    boxes = patch_boxes(CELLS, CELLS, PATCH, placement(PROCESSORS["exact"], size))
    np.testing.assert_allclose(boxes[0, 0, :2], 0, atol=1e-4)
    np.testing.assert_allclose(boxes[-1, -1, 2:], size, rtol=1e-5)
    np.testing.assert_allclose(boxes[:, 1:, 0], boxes[:, :-1, 2])
    np.testing.assert_allclose(boxes[1:, :, 1], boxes[:-1, :, 3])


def test_boxes_of_padding_lie_outside_the_picture() -> None:
    boxes = patch_boxes(CELLS, CELLS, PATCH, placement(PROCESSORS["square first"], (960, 320)))
    assert boxes[0, 0].tolist() == [0, -320, 160, -160]
    assert boxes[2, 3].tolist() == [480, 0, 640, 160]


def test_cropped_borders_have_no_box() -> None:
    boxes = patch_boxes(CELLS, CELLS, PATCH, placement(PROCESSORS["shortest edge and crop"], (300, 100)))
    assert boxes[0, 0, 0] == pytest.approx(100, abs=1)
    assert boxes[0, -1, 2] == pytest.approx(200, abs=1)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    "rule", [{"shortest_edge": 80}, {"shortest_edge": 80, "longest_edge": 120}, {"height": 70, "width": 90}]
)
def test_resized_is_the_processors_own_rounding(size: tuple[int, int], rule: dict[str, int]) -> None:
    processor = CLIPImageProcessorPil(size=rule, do_center_crop=False)
    height, width = pixels(processor, Image.new("RGB", size)).shape[-2:]
    assert resized(*size, processor.size) == (width, height)


def test_placements_compose() -> None:
    where = Placement((1.0, 1.0), (0.0, 0.0)).shrunk(0.5, 0.25).shifted(3, -2)
    assert where.scale == (2.0, 4.0)
    assert where.offset == (6.0, -8.0)


def test_boxes_of_a_turned_photo_are_upright() -> None:
    upright = Image.new("RGB", (60, 120), (90, 100, 110))
    upright.paste((250, 20, 30), (35, 95, 55, 115))
    exif = Image.Exif()
    exif[0x0112] = 6
    buffer = io.BytesIO()
    upright.transpose(Image.Transpose.ROTATE_90).save(buffer, "PNG", exif=exif)
    trace = tiny_runner().ask(buffer.getvalue(), "what is this", max_new_tokens=1)
    assert trace.images[0].size == trace.layout.grid().size == (60, 120)
    position = trace.layout.at_pixel(45, 105)
    assert (trace.layout.row[position], trace.layout.col[position]) == (3, 3)
    assert trace.images[0].getpixel((45, 105)) == (250, 20, 30)
    np.testing.assert_array_equal(open_picture(buffer.getvalue()), upright)
