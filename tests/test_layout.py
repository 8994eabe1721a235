"""Roles, grids and boxes of a token layout."""

from __future__ import annotations

import json

import numpy as np
import pytest

from explore.errors import ParameterError
from explore.layout import ImageGrid, Role, TokenLayout


def grid(
    first: int, rows: int, cols: int, *, image: int = 0, tile: int = 0, size: tuple[int, int] = (60, 40)
) -> ImageGrid:
    """A grid of equal boxes that cover the picture, on consecutive positions."""
    width, height = size
    x, y = np.linspace(0, width, cols + 1), np.linspace(0, height, rows + 1)
    boxes = np.stack([*np.meshgrid(x[:-1], y[:-1]), *np.meshgrid(x[1:], y[1:])], axis=-1)
    return ImageGrid(image, 0, tile, np.arange(first, first + rows * cols).reshape(rows, cols), boxes, size)


def layout() -> TokenLayout:
    """System, a 2x3 image, template, a 1x2 image, question, answer: 14 positions."""
    roles = [Role.SYSTEM, *[Role.IMAGE] * 6, Role.TEMPLATE, *[Role.IMAGE] * 2, *[Role.QUESTION] * 2, *[Role.ANSWER] * 2]
    return TokenLayout(tuple(roles), (grid(1, 2, 3), grid(8, 1, 2, image=1, size=(10, 10))))


def test_every_position_has_one_role() -> None:
    found = layout()
    assert len(found) == 14
    together = np.sort(np.concatenate([found.positions(role) for role in Role]))
    assert together.tolist() == list(range(14))
    assert found.positions("question").tolist() == [10, 11]
    assert found.positions(Role.IMAGE, image=1).tolist() == [8, 9]
    assert found.visual.tolist() == [1, 2, 3, 4, 5, 6, 8, 9]


def test_rows_columns_images_and_boxes_per_position() -> None:
    found = layout()
    assert found.row[[1, 3, 4, 8, 0]].tolist() == [0, 0, 1, 0, -1]
    assert found.col[[1, 3, 4, 9, 13]].tolist() == [0, 2, 0, 1, -1]
    assert found.image[[0, 6, 8]].tolist() == [-1, 0, 1]
    assert found.frame[1] == 0
    assert found.tile[7] == -1
    assert found.box[6].tolist() == [40, 20, 60, 40]
    assert np.isnan(found.box[[0, 7, 12]]).all()


def test_pixel_to_token_and_back() -> None:
    found = layout()
    for position in found.visual.tolist():
        x0, y0, x1, y1 = found.box[position]
        image = int(found.image[position])
        assert found.at_pixel((x0 + x1) / 2, (y0 + y1) / 2, image) == position
    assert found.at_pixel(20, 0) == 2  # boxes are half open
    assert found.at_pixel(60, 10) is None
    assert found.at_pixel(-1, 10) is None


def test_finest_tile_wins() -> None:
    found = TokenLayout((Role.IMAGE,) * 7, (grid(0, 1, 1, tile=0), grid(1, 2, 3, tile=1)))
    assert found.at_pixel(30, 10) == 2
    assert found.grid(0, 0, 1).cols == 3


def test_separators_belong_to_the_image_before_them() -> None:
    roles = (*[Role.IMAGE] * 7, Role.TEMPLATE, *[Role.IMAGE] * 3)
    found = TokenLayout(roles, (grid(0, 2, 3), grid(8, 1, 2, image=1)))
    assert found.image[[6, 10]].tolist() == [0, 1]
    assert found.row[6] == -1
    assert found.positions(Role.IMAGE, image=0).tolist() == list(range(7))


def test_missing_grid_names_those_there_are() -> None:
    with pytest.raises(ParameterError, match=r"\(1, 0, 0\)"):
        layout().grid(image=2)


def test_grid_on_a_text_position_is_refused() -> None:
    with pytest.raises(ParameterError, match="no image token"):
        TokenLayout((Role.IMAGE, Role.TEMPLATE), (grid(0, 1, 2),))


def test_grids_that_share_a_position_are_refused() -> None:
    with pytest.raises(ParameterError, match="share a position"):
        TokenLayout((Role.IMAGE,) * 3, (grid(0, 1, 2), grid(1, 1, 2, image=1)))


def test_grid_shapes_are_checked() -> None:
    with pytest.raises(ParameterError, match=r"\(2, 2, 4\)"):
        ImageGrid(0, 0, 0, np.zeros((2, 3)), np.zeros((2, 2, 4)), (4, 4))


def test_json_round_trip_is_exact() -> None:
    before = layout()
    after = TokenLayout.from_json(json.loads(json.dumps(before.to_json())))
    assert after.roles == before.roles
    for one, other in zip(before.grids, after.grids, strict=True):
        assert (one.image, one.frame, one.tile, one.size) == (other.image, other.frame, other.tile, other.size)
        np.testing.assert_array_equal(one.positions, other.positions)
        np.testing.assert_array_equal(one.boxes, other.boxes)


def test_layout_without_images() -> None:
    found = TokenLayout((Role.QUESTION, Role.ANSWER))
    assert found.visual.shape == (0,)
    assert found.at_pixel(0, 0) is None
    assert found.box.shape == (2, 4)
