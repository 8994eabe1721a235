"""Annotations as pixels: polygons, run lengths in both spellings, boxes, and what is damaged."""

import numpy as np
import pytest
from pycocotools import mask as coco

from explore.bench.data.coco_masks import annotation_mask
from explore.errors import ParameterError
from tests.maps_bench.layouts import box_mask

SIZE = (9, 6)
BOX = box_mask(SIZE, 2, 1, 7, 4)
SQUARE = [2, 1, 7, 1, 7, 4, 2, 4]


def run_lengths(mask):
    """Counts of zeros and ones in turn, column by column, as COCO has it."""
    flat, counts, current = mask.ravel(order="F").tolist(), [0], False
    for value in flat:
        if value != current:
            counts.append(0)
            current = value
        counts[-1] += 1
    return counts


def test_polygons():
    np.testing.assert_array_equal(annotation_mask({"segmentation": [SQUARE]}, SIZE), BOX)
    far = [0, 5, 2, 5, 2, 6, 0, 6]
    both = annotation_mask({"segmentation": [SQUARE, far]}, SIZE)
    np.testing.assert_array_equal(both, BOX | box_mask(SIZE, 0, 5, 2, 6))


@pytest.mark.parametrize("seed", range(3))
def test_run_lengths_in_both_spellings(seed):
    mask = np.random.default_rng(seed).random((6, 9)) < 0.4
    plain = {"size": [6, 9], "counts": run_lengths(mask)}
    np.testing.assert_array_equal(annotation_mask({"segmentation": plain}, SIZE), mask)
    packed = coco.encode(np.asfortranarray(mask.astype(np.uint8)))
    for counts in (packed["counts"], packed["counts"].decode()):
        found = annotation_mask({"segmentation": {"size": [6, 9], "counts": counts}}, SIZE)
        np.testing.assert_array_equal(found, mask)
        assert found.dtype == np.bool_


def test_a_box_is_a_thing_without_a_segmentation():
    for segmentation in ({}, {"segmentation": []}, {"segmentation": None}):
        np.testing.assert_array_equal(annotation_mask({"bbox": [2, 1, 5, 3]} | segmentation, SIZE), BOX)
    sticking_out = annotation_mask({"bbox": [-3, 4.4, 5, 99]}, SIZE)
    np.testing.assert_array_equal(sticking_out, box_mask(SIZE, 0, 4, 2, 6), "a pixel belongs by its centre")


@pytest.mark.parametrize(
    ("annotation", "says"),
    [
        ({}, "neither a segmentation nor a bbox"),
        ({"bbox": [1, 2, 3]}, r"\[x, y, width, height\]"),
        ({"bbox": [1, 2, 3, float("nan")]}, "bbox"),
        ({"segmentation": [[1, 2, 3, 4]]}, "polygon"),
        ({"segmentation": [[1, 2, 3, 4, 5, 6, 7]]}, "polygon"),
        ({"segmentation": [1, 2, 3, 4, 5, 6]}, "polygon"),
        ({"segmentation": [["a"] * 6]}, "polygon"),
        ({"segmentation": {"size": [6, 9], "counts": [50, 3]}}, "add up"),
        ({"segmentation": {"size": [6, 9], "counts": [60, -6]}}, "add up"),
        ({"segmentation": {"size": [9, 6], "counts": [54]}}, r"size \[9, 6\]"),
        ({"segmentation": {"size": [6, 9]}}, "NoneType"),
        ({"segmentation": {"size": [6, 9], "counts": "not run lengths"}}, "cannot be read"),
    ],
)
def test_damaged_annotations_are_named(annotation, says):
    with pytest.raises(ParameterError, match=says) as caught:
        annotation_mask({"id": 17} | annotation, SIZE, "'instances.json'")
    assert "17" in str(caught.value)
    assert "instances.json" in str(caught.value)
