"""The scene world: reproducible, exact about its truth, composable, and clear about what it cannot draw."""

import numpy as np
import pytest

from explore.errors import ParameterError
from explore.sketch import BACKGROUNDS, COLOURS, KINDS, Scene, Thing, examples, scene
from explore.sketch.cells import GRID, centre_cells, order_ranks, order_words, scene_cells, scene_words, thing_cell
from explore.sketch.scenes import SIZE, crowd
from explore.sketch.things.signs import TEXTS
from explore.sketch.training.scene_store import scene_contents


def test_the_world_is_as_rich_as_promised() -> None:
    assert len(KINDS) >= 40
    assert len({kind.group for kind in KINDS.values()}) >= 6
    assert len(COLOURS) == 8
    assert len(BACKGROUNDS) >= 6
    assert {len(text) for text in TEXTS} >= {1, 2, 3, 4}


@pytest.mark.parametrize("seed", [0, 1, 17, 123_456, 1_000_000_007])
def test_a_seed_gives_the_same_scene_and_its_contents_without_drawing(seed: int) -> None:
    first, second = scene(seed=seed), scene(seed=seed)
    assert first == second
    assert np.array_equal(np.asarray(first.image), np.asarray(second.image))
    assert np.array_equal(first.labels, second.labels)
    assert scene_contents(seed) == (first.things, first.background)


def test_different_seeds_give_different_pictures() -> None:
    pictures = {scene(seed=seed).image.tobytes() for seed in range(30)}
    assert len(pictures) == 30


def test_scenes_hold_one_to_four_things_of_every_kind_and_colour() -> None:
    contents = [scene_contents(seed)[0] for seed in range(3000)]
    assert {len(things) for things in contents} == {1, 2, 3, 4}
    assert {thing.kind for things in contents for thing in things} == set(KINDS)
    assert {thing.colour for things in contents for thing in things} == set(COLOURS)
    assert {thing.text for things in contents for thing in things} >= set(TEXTS)
    repeated = sum(len({thing.kind for thing in things}) < len(things) for things in contents)
    assert repeated > 200


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("colour", ["red", "blue"])
def test_every_kind_shows_its_colour_inside_its_mask_and_nowhere_else(kind: str, colour: str) -> None:
    text = "STOP" if kind == "sign" else ""
    coloured = scene([Thing(kind, colour, "large", (0.5, 0.5), text)], seed=5, background="paper")
    other = scene([Thing(kind, "green", "large", (0.5, 0.5), text)], seed=5, background="paper")
    mask = coloured.mask(0)
    assert np.array_equal(mask, other.mask(0))
    assert 300 < mask.sum() < SIZE * SIZE / 2
    changed = (np.asarray(coloured.image).astype(int) != np.asarray(other.image).astype(int)).any(-1)
    assert changed[mask].mean() > 0.1
    # a mask is a majority of supersampled pixels, so a thing's colour may bleed over its edge by one pixel
    grown = mask.copy()
    for axis, step in ((0, 1), (0, -1), (1, 1), (1, -1)):
        grown |= np.roll(mask, step, axis)
    # and a tip thinner than half a pixel has colour but no mask
    assert changed[~grown].sum() <= 0.01 * mask.sum()


def test_masks_are_disjoint_and_later_things_hide_earlier_ones() -> None:
    behind, front = Thing("house", "red", "large", (0.45, 0.5)), Thing("ball", "blue", "large", (0.6, 0.5))
    both = scene([behind, front], seed=1)
    alone = scene([behind], seed=1)
    assert not (both.mask(0) & both.mask(1)).any()
    assert both.mask(0).sum() < alone.mask(0).sum()


def test_boxes_bound_the_masks() -> None:
    drawn = scene(seed=7)
    for (x0, y0, x1, y1), mask in zip(drawn.boxes(), drawn.masks, strict=True):
        ys, xs = np.nonzero(mask)
        assert (xs.min(), ys.min(), xs.max() + 1, ys.max() + 1) == (x0, y0, x1, y1)


def test_a_hidden_thing_has_no_box() -> None:
    drawn = scene([Thing("key", "red", "small", (0.5, 0.5)), Thing("ball", "blue", "large", (0.5, 0.5))], seed=2)
    assert np.isnan(drawn.boxes()[0]).all()


def test_pairs_are_placed_for_you() -> None:
    drawn = scene([("dog", "red"), ("ice cream", "pink")], seed=4, background="snow")
    assert [thing.kind for thing in drawn.things] == ["dog", "ice cream"]
    assert drawn.background == "snow"
    assert (drawn.masks.sum((1, 2)) > 100).all()


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Thing("unicorn"), "unicorn"),
        (lambda: Thing("dog", "beige"), "beige"),
        (lambda: Thing("dog", size="huge"), "huge"),
        (lambda: Thing("dog", at=(1.4, 0.5)), "1.4"),
        (lambda: Thing("sign"), "sign"),
        (lambda: Thing("sign", text="MUCH TOO LONG"), "MUCH TOO LONG"),
        (lambda: scene([]), "0 things"),
        (lambda: scene([("dog", "red")] * 5), "5 things"),
        (lambda: scene(seed=1, background="lava"), "lava"),
    ],
)
def test_what_cannot_be_drawn_is_refused_with_what_was_asked(make: object, says: str) -> None:
    with pytest.raises(ParameterError, match=says):
        make()  # type: ignore[operator]


def test_examples_are_a_dozen_scenes() -> None:
    assert len(examples()) == 12
    assert all(isinstance(item, Scene) for item in examples())


def test_cells_follow_the_masks() -> None:
    drawn = scene(seed=11)
    cells = scene_cells(drawn)
    assert cells.shape == (GRID, GRID)
    patch = SIZE // GRID
    for row in range(GRID):
        for column in range(GRID):
            window = drawn.labels[row * patch : (row + 1) * patch, column * patch : (column + 1) * patch]
            label = cells[row, column]
            if label:
                assert (window == label).mean() >= 0.2
            else:
                assert max((window == i + 1).mean() for i in range(len(drawn.things))) < 0.2


def test_scene_words_name_thing_order_and_place() -> None:
    things = [Thing("dog", "blue", at=(0.9, 0.1)), Thing("sign", "red", "large", (0.1, 0.9), "STOP")]
    cells = np.zeros((GRID, GRID), int)
    cells[10, 1:3], cells[0, 10] = 2, 1
    words = scene_words(things, "grass", cells)
    assert len(words) == GRID * GRID
    assert words[10 * GRID + 1] == ["sign", "red", "thing", "large", "first", "higher", "STOP", "cb", "rk"]
    assert words[10 * GRID + 2] == ["sign", "red", "first", "higher", "STOP", "cc", "rk"]
    assert words[10] == ["dog", "blue", "thing", "second", "highest", "ck", "ra"]
    assert words[11] == ["grass", "cl", "ra"]
    assert thing_cell(things[1]) == (10, 1)


def test_ranks_count_from_the_left_and_from_the_top() -> None:
    things = [Thing("dog", at=(0.5, 0.2)), Thing("cat", at=(0.1, 0.9)), Thing("owl", at=(0.8, 0.1))]
    assert order_ranks(things).tolist() == [[1, 1], [0, 2], [2, 0]]
    assert order_words(0, 3) == ["first", "lowest"]


def test_crowds_are_full_and_reproducible() -> None:
    crowded = crowd(3)
    assert crowded == crowd(3)
    assert len(crowded.things) > 4
    assert (scene_cells(crowded) > 0).mean() > 0.3


def test_every_thing_has_one_centre_patch_of_its_own() -> None:
    for seed in range(40):
        drawn = scene(seed=seed)
        cells = scene_cells(drawn)
        centres = centre_cells(drawn.things, cells)
        for index, (thing, centre) in enumerate(zip(drawn.things, centres, strict=True)):
            assert cells.flat[centre] == index + 1
            row, column = thing_cell(thing)
            if cells[row, column] == index + 1:
                assert centre == row * GRID + column
    assert centre_cells([Thing("dog")], np.zeros((GRID, GRID), int)).tolist() == [-1]


@pytest.mark.parametrize("wrong", [7, "dog"])
def test_a_seed_in_the_place_of_the_things_is_explained(wrong: object) -> None:
    with pytest.raises(ParameterError, match=r"scene\(seed=7\)"):
        scene(wrong)  # type: ignore[arg-type]
