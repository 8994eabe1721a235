"""Where learned queries look: weights are the library's eager ones, and every patch is where its box says."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from explore.errors import ParameterError
from explore.layout import ImageQueries, TokenLayout
from explore.models.families import FAMILIES
from explore.models.families.compressors import COMPRESSORS
from explore.models.families.queries import Queries
from explore.models.plans import RecordingPlan
from explore.models.runner import Runner
from explore.models.videos import Video
from explore.trace import Trace, open_trace
from tests.families.cases import (
    QUESTION,
    SIZES,
    Shown,
    eager,
    noise,
    pictures_of,
    planted,
    prepared,
    runner_of,
    tower_without_attention,
    trace_of,
)
from tests.zoo import ZOO

pytestmark = pytest.mark.filterwarnings("ignore")
NAMES = sorted(COMPRESSORS)
families = pytest.mark.parametrize("name", NAMES)
PLAN = RecordingPlan(vision=("query_attention",))
SPLIT = {"idefics2": "do_image_splitting", "aria": "split_image"}


def split(name: str) -> Runner:
    """The family's runner with a processor that cuts large pictures up."""
    model, processor = ZOO[name].build.__wrapped__()  # type: ignore[attr-defined]
    setattr(processor.image_processor, SPLIT[name], True)
    if name == "aria":
        processor.images_kwargs = processor.images_kwargs | {"split_image": True}
        processor.image_processor.split_resolutions = [[980, 1960], [1960, 980]]
    return Runner(model, processor, checkpoint=f"zoo/{name}-split")


def attentions(runner: Runner) -> Sequence[nn.Module]:
    compressor = runner._family.compressor
    assert compressor is not None
    return compressor.attentions


def run_tower(runner: Runner, shown: Shown) -> None:
    """The bare library on the prompt."""
    family = runner._family
    with torch.inference_mode():
        family.model.generate(**family.on_device(prepared(runner, shown).tensors), max_new_tokens=1, do_sample=False)


def eager_weights(runner: Runner, shown: Shown) -> list[list[Tensor]]:
    """What the library's own attention modules give as weights: layers, calls, each (views, heads, rows, keys)."""
    found: list[list[Tensor]] = [[] for _ in attentions(runner)]

    def keep(calls: list[Tensor]) -> Callable[..., None]:
        def after(module: nn.Module, args: Any, kwargs: Any, output: Any) -> None:
            weights = output[1]
            if isinstance(module, nn.MultiheadAttention):
                weights = module.forward(*args, **kwargs, average_attn_weights=False)[1]
            calls.append(weights.float())

        return after

    with ExitStack() as stack:
        for module, calls in zip(attentions(runner), found, strict=True):
            stack.enter_context(eager(module))
            stack.callback(module.register_forward_hook(keep(calls), with_kwargs=True).remove)
        run_tower(runner, shown)
    return found


def columns(name: str, runner: Runner, shown: Shown, each: ImageQueries) -> np.ndarray:
    """Which keys the patches are, by what is known of each family's tower, (patches,)."""
    rows, cols = each.shape
    if name in ("idefics2", "aria"):  # a rectangle at the top left of a padded one
        patch = runner._family.model.config.vision_config.patch_size
        wide = prepared(runner, shown).tensors["pixel_values"].shape[-1] // patch
        return (np.arange(rows)[:, None] * wide + np.arange(cols)).ravel()
    first = 0 if name in ("kosmos-2.5", "deepseek_ocr2") else 1
    return first + np.arange(rows * cols)


def blocks(trace: Trace) -> list[tuple[ImageQueries, np.ndarray]]:
    """Recorded weights of every view, each (layers, heads, queries, patches); elsewhere there are none."""
    weights, row, column, found = trace.vision["query_attention"].copy(), 0, 0, []
    for each in trace.layout.queries:
        count, patches = len(each.positions), int(np.prod(each.shape))
        part = weights[:, :, row : row + count, column : column + patches]
        found.append((each, part.copy()))
        part[:] = 0
        row, column = row + count, column + patches
    assert weights.shape[2:] == (row, column)
    assert not weights.any()
    return found


@families
def test_weights_are_those_of_eager_attention(name: str) -> None:
    runner, shown = runner_of(name), pictures_of(name, (40, 30), (30, 64))
    trace = runner.ask(shown, QUESTION, max_new_tokens=1, record=PLAN)
    wanted = [[view for call in calls for view in call] for calls in eager_weights(runner, shown)]
    assert len(trace.vision["query_attention"]) == len(wanted)
    seen = []
    for each, weights in blocks(trace):
        count = len(each.positions)
        rows = count + int(np.prod(each.shape)) if name == "deepseek_ocr2" else count
        # Views of one size come in the order of the sequence, whatever others lie between.
        place = next(number for number, view in enumerate(wanted[0]) if view.shape[1] == rows and number not in seen)
        seen.append(place)
        theirs = np.stack([views[place][:, -count:].numpy() for views in wanted])
        np.testing.assert_allclose(weights, theirs[..., columns(name, runner, shown, each)], atol=1e-6)
    assert len(seen) == len(wanted[0])


@families
def test_recording_changes_nothing_and_sums_tell_what_is_left_out(name: str) -> None:
    runner, shown = runner_of(name), pictures_of(name, (40, 30), (30, 64))
    trace = runner.ask(shown, QUESTION, max_new_tokens=4, record=PLAN)
    assert trace.answer_ids.tolist() == trace_of(name).answer_ids.tolist()
    np.testing.assert_allclose(trace.logits, trace_of(name).logits, atol=1e-4)
    compressor = runner._family.compressor
    assert compressor is not None
    sums = trace.vision["query_attention"].sum(-1)
    if compressor.beside:
        assert sums.max() < 1
    else:
        np.testing.assert_allclose(sums, 1, atol=1e-5)
    assert sums.min() > 0.01


@families
def test_the_estimate_is_what_is_kept_and_it_is_saved(name: str, tmp_path: Any) -> None:
    runner, shown = runner_of(name), pictures_of(name, (101, 67), (30, 64))
    trace = runner.ask(shown, QUESTION, max_new_tokens=1, record=PLAN)
    assert runner.estimate(shown, QUESTION, max_new_tokens=1, record=PLAN)["vision"] == sum(
        values.nbytes for values in trace.vision.values()
    )
    trace.save(tmp_path / "run.trace")
    opened = open_trace(tmp_path / "run.trace")
    np.testing.assert_array_equal(opened.vision["query_attention"], trace.vision["query_attention"])
    for one, other in zip(opened.layout.queries, trace.layout.queries, strict=True):
        np.testing.assert_array_equal(one.boxes, other.boxes)
        assert (one.tile, one.positions.tolist()) == (other.tile, other.positions.tolist())


@families
def test_tower_signals_can_be_recorded_with_it(name: str) -> None:
    runner, shown = runner_of(name), pictures_of(name, (40, 30))
    alone = runner.ask(shown, QUESTION, max_new_tokens=1, record=PLAN).vision["query_attention"]
    try:
        both = runner.ask(shown, QUESTION, max_new_tokens=1, record=RecordingPlan(vision=("query_attention", "keys")))
    except ParameterError:
        pytest.skip("its tower's keys cannot be recorded at all")
    np.testing.assert_array_equal(both.vision["query_attention"], alone)


@pytest.mark.parametrize("size", SIZES, ids=str)
@families
def test_pixels_in_a_box_change_that_patch_most(name: str, size: tuple[int, int]) -> None:
    assert_boxes_hold(name, runner_of(name), pictures_of(name, size))


@pytest.mark.parametrize("name", sorted(SPLIT))
@pytest.mark.parametrize("size", [(101, 67), (60, 130)], ids=str)
def test_so_they_do_where_pictures_are_cut_up(name: str, size: tuple[int, int]) -> None:
    runner = split(name)
    assert_boxes_hold(name, runner, [noise(*size)])
    trace = runner.ask(noise(*size), QUESTION, max_new_tokens=1, record=PLAN)
    assert [each.tile for each in trace.layout.queries] == ([1, 2, 3, 4, 0] if name == "idefics2" else [1, 2])
    assert {len(each.positions) for each in trace.layout.queries} == {4}


def test_a_film_has_the_queries_of_each_of_its_frames() -> None:
    runner = runner_of("instructblipvideo")
    film = Video([noise(48, 32, seed=number) for number in range(4)], fps=2.0)
    trace = runner.ask(film, QUESTION, max_new_tokens=1, record=PLAN)
    assert [(each.image, each.frame, each.shape) for each in trace.layout.queries] == [(0, n, (4, 4)) for n in range(4)]
    assert trace.vision["query_attention"].shape == (2, 3, 16, 64)


def test_models_without_queries_refuse_in_words() -> None:
    with pytest.raises(ParameterError, match="no compressor of learned queries"):
        runner_of("llava").ask(noise(40, 30), QUESTION, max_new_tokens=1, record=PLAN)


def test_every_layout_of_queries_has_its_compressor() -> None:
    assert {name for name, family in FAMILIES.items() if issubclass(family, Queries)} == set(COMPRESSORS)


def test_layouts_of_former_versions_open() -> None:
    layout = TokenLayout(("image", "image", "answer"), (), (ImageQueries(0, 0, [0, 1], (4, 4), np.zeros((1, 2, 4))),))
    former = layout.to_json()
    for each in former["queries"]:
        del each["boxes"], each["tile"]
    assert TokenLayout.from_json(former).queries[0].boxes is None
    assert TokenLayout.from_json(layout.to_json()).queries[0].shape == (1, 2)
    with pytest.raises(ParameterError, match="rows, cols, 4"):
        ImageQueries(0, 0, [0, 1], (4, 4), np.zeros((2, 4)))


def patch_features(runner: Runner, shown: Shown) -> list[Tensor]:
    """What the compressor's first attention reads, view after view, each (keys, width)."""
    found: list[Tensor] = []

    def before(module: nn.Module, args: Any, kwargs: Any) -> None:
        names = [name for name in ("encoder_hidden_states", "context", "hidden_states") if name in kwargs]
        found.extend(args[1] if isinstance(module, nn.MultiheadAttention) else kwargs[names[0]])

    handle = attentions(runner)[0].register_forward_pre_hook(before, with_kwargs=True)
    try:
        run_tower(runner, shown)
    finally:
        handle.remove()
    return found


def assert_boxes_hold(name: str, runner: Runner, shown: list[Image.Image]) -> None:
    """Repaint the middle of some boxes of the first picture: of every view, that patch changes most."""
    queries = [each for each in prepared(runner, shown).queries if each.picture == 0]
    order = sorted(range(len(queries)), key=lambda place: queries[place].tile != 0) if name == "deepseek_ocr2" else None
    # Its convolutions reach over the borders of a patch, and further to the left and up than to the right and down.
    blur, tried = int(name == "deepseek_ocr2"), 0
    with tower_without_attention(runner):
        before = patch_features(runner, shown)
        for place, each in enumerate(queries):
            assert each.boxes is not None
            view = place if order is None else order.index(place)
            keys = columns(name, runner, shown, each)
            step = max(1, each.boxes[..., 0].size // 7) | 1
            for row, col in list(np.ndindex(each.shape))[::step]:
                changed = planted(shown[0], each.boxes[row, col])
                if changed is None:
                    continue
                after = patch_features(runner, [changed, *shown[1:]])
                moved = (after[view] - before[view]).norm(dim=-1).numpy()[keys].reshape(each.shape)
                found = np.array(np.unravel_index(moved.argmax(), moved.shape))
                assert np.abs(found - (row, col)).max() <= blur
                near = moved[max(row - 2, 0) : row + 3, max(col - 2, 0) : col + 3]
                assert not blur or near.sum() > 0.9 * moved.sum()
                tried += 1
    assert tried >= 3
