"""Boxes: they cover the picture once per tile level, and pixels changed inside one change that token and no other."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from PIL import Image

from explore.layout import ImageGrid, TokenLayout
from explore.models.inputs import layout_of, prepare
from tests.families.cases import (
    QUESTION,
    SIZES,
    SUPPORTED,
    noise,
    pictures_of,
    planted,
    runner_of,
    tower_without_attention,
    visual_inputs,
)

pytestmark = pytest.mark.filterwarnings("ignore")
# Towers of convolutions, and codes of pictures, look past their cell whatever is done to their attention.
CONVOLUTIONS = (
    "got_ocr2",
    "deepseek_vl_hybrid",
    "pp_chart2table",
    "step3p7",
    "unlimited_ocr",
    "fast_vlm",
    "gemma3n",
    "chameleon",
    "emu3",
)
# Random towers whose every token sees the whole picture: their squares of pixels are tested, and that rows come first.
WIDE = ("fast_vlm", "gemma3n", "chameleon")
families = pytest.mark.parametrize("name", SUPPORTED)


def layout(name: str, *pictures: Image.Image) -> TokenLayout:
    runner = runner_of(name)
    inputs = prepare(runner._family, runner._writer.write(QUESTION, len(pictures)), list(pictures))
    return layout_of(inputs.tokens, inputs)


@pytest.mark.parametrize("name", [name for name in SUPPORTED if name not in CONVOLUTIONS])
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_a_planted_patch_changes_its_own_token(name: str, size: tuple[int, int]) -> None:
    found = layout(name, *pictures_of(name, size))
    if not found.grids:
        assert found.queries
        pytest.skip("no grid")
    order = {int(position): index for index, position in enumerate(found.visual)}
    tried, wrong, far = 0, list[tuple[int, int, int, int]](), 0.0
    with tower_without_attention(runner_of(name)):
        before = visual_inputs(runner_of(name), [noise(*size)])
        for grid in found.grids:
            for row, col in _some_cells(grid):
                changed = planted(noise(*size), grid.boxes[row, col])
                if changed is None:
                    continue
                moved = (visual_inputs(runner_of(name), [changed]) - before).norm(dim=-1).numpy()
                cells = moved[[order[int(each)] for each in grid.positions.ravel()]].reshape(grid.rows, grid.cols)
                tried += 1
                found_at = np.unravel_index(cells.argmax(), cells.shape)
                if found_at != (row, col):
                    wrong.append((row, col, *map(int, found_at)))
                rest = cells.copy()
                rest[max(row - 1, 0) : row + 2, max(col - 1, 0) : col + 2] = 0
                far = max(far, float(rest.max() / cells.max()))
    assert tried >= 2
    assert not wrong, (
        f"{len(wrong)} of {tried} repainted boxes changed another token (row, column, found row, column): {wrong}"
    )
    assert far < 1e-3


@pytest.mark.parametrize("name", [name for name in CONVOLUTIONS if name not in WIDE])
@pytest.mark.parametrize("size", [(101, 67), (67, 120)], ids=str)
def test_tokens_of_a_repainted_half_change_most(name: str, size: tuple[int, int]) -> None:
    """Both ways, so that neither axis is turned round or swapped with the other."""
    found, runner = layout(name, noise(*size)), runner_of(name)
    order = {int(position): index for index, position in enumerate(found.visual)}
    before = visual_inputs(runner, [noise(*size)])
    for axis in (0, 1):
        moved = np.zeros((2, len(before)))
        for half, seed in itertools.product((0, 1), range(1, 5)):
            values, other = np.array(noise(*size)), np.array(noise(*size, seed=seed))
            middle = values.shape[axis] // 2
            part = slice(0, middle) if half == 0 else slice(middle, None)
            values[(slice(None),) * axis + (part,)] = other[(slice(None),) * axis + (part,)]
            moved[half] += (visual_inputs(runner, [Image.fromarray(values)]) - before).norm(dim=-1).numpy()
        for grid in (each for each in found.grids if min(each.rows, each.cols) > 1):
            centres = (grid.boxes[..., 1 - axis] + grid.boxes[..., 3 - axis]) / 2
            first = centres < size[1 - axis] / 2
            cells = [each[[order[int(place)] for place in grid.positions.ravel()]] for each in moved]
            share = [each.reshape(first.shape) / (cells[0] + cells[1] + 1e-9).reshape(first.shape) for each in cells]
            if first.all() or not first.any():
                continue  # a tile of one half
            assert share[0][first].mean() > share[0][~first].mean()


@pytest.mark.parametrize("name", WIDE)
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_boxes_are_squares_of_the_processors_pixels(name: str, size: tuple[int, int]) -> None:
    processor, grid = runner_of(name)._family.processor, layout(name, noise(*size)).grid()

    def pixels(picture: Image.Image) -> np.ndarray:
        made = np.asarray(processor.image_processor([picture], return_tensors="np")["pixel_values"])[0]
        edge = made.shape[-1] // grid.cols
        cut = made[:, : edge * grid.rows, : edge * grid.cols].reshape(3, grid.rows, edge, grid.cols, edge)
        return cut.transpose(1, 3, 0, 2, 4).reshape(grid.rows, grid.cols, -1)

    before, tried = pixels(noise(*size)), 0
    for row, col in _some_cells(grid):
        changed = planted(noise(*size), grid.boxes[row, col])
        if changed is not None:
            moved = np.abs(pixels(changed) - before).sum(-1)
            assert np.unravel_index(moved.argmax(), moved.shape) == (row, col)
            assert moved[row, col] > 0.85 * moved.sum()
            tried += 1
    assert tried >= 2


@families
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_boxes_cover_the_picture_once_per_level(name: str, size: tuple[int, int]) -> None:
    found = layout(name, *pictures_of(name, size))
    if not found.grids:
        pytest.skip("no grid")
    cover = {True: np.zeros(size[::-1]), False: np.zeros(size[::-1])}
    for grid in found.grids:
        assert grid.size == size
        for x0, y0, x1, y1 in grid.boxes.reshape(-1, 4):
            assert x0 < x1
            assert y0 < y1
            # Pixel centres, so that every pixel belongs to one box of a level.
            left, top, right, bottom = (int(np.ceil(each - 0.5 - 1e-3)) for each in (x0, y0, x1, y1))
            cover[grid.tile == 0][max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)] += 1
    assert {*np.unique(cover[False])} <= {0, 1}
    cropped = getattr(runner_of(name)._family.processor.image_processor, "do_center_crop", False)
    assert cropped or (cover[True] == 1).all() or (cover[False] == 1).all()
    assert cover[True].max() <= 1
    if any(grid.tile for grid in found.grids):
        # Joined tiles lose rows or columns that hold padding and a little of the picture.
        assert (cover[False] == 1).mean() > (0.7 if any(grid.tile == 1 for grid in found.grids[-1:]) else 0.98)


@families
def test_pixels_lead_to_tokens_and_back(name: str) -> None:
    found = layout(name, *pictures_of(name, (101, 67)))
    for grid in found.grids:
        centres = (grid.boxes[..., :2] + grid.boxes[..., 2:]) / 2
        for (x, y), position in zip(centres.reshape(-1, 2), grid.positions.ravel(), strict=True):
            hit = found.at_pixel(float(x), float(y))
            assert hit is not None
            # Another level may have a finer cell there; of the same level there is only this one.
            assert hit == position or found.tile[hit] != grid.tile


def _some_cells(grid: ImageGrid, most: int = 6) -> list[tuple[int, int]]:
    every = [(row, col) for row in range(grid.rows) for col in range(grid.cols)]
    step = max(1, len(every) // most)
    return every[:: step + (step % grid.cols == 0 and step > 1)][:most]
