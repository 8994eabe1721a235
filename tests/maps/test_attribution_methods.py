"""Gradient and ablation methods against hand-made cases and plain loops."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from explore.errors import ParameterError
from explore.layout import Role, TokenLayout
from explore.maps.ablation import FeatureAblation, cell_groups, pixel_segments
from explore.maps.attribution import attributed
from explore.maps.centre import CentrePrior
from explore.maps.grad_cam import GradCam, channel_map, head_map
from explore.maps.hiding import hide, painted
from explore.maps.integrated_gradients import IntegratedGradients
from explore.maps.knockout import Knockout
from explore.maps.occlusion import Occlusion
from tests.maps.fakes import fake_grid, fake_trace
from tests.tiny import tiny_runner


@pytest.fixture(scope="module")
def trace():
    pixels = np.random.default_rng(5).integers(0, 255, (30, 40, 3), dtype=np.uint8)
    return tiny_runner().read(Image.fromarray(pixels), "what is it?", "a red dog")


def test_grad_cam_of_a_case_by_hand():
    states = torch.tensor([[1.0, 2.0], [3.0, -1.0], [0.0, 0.0]])
    gradient = torch.tensor([[1.0, 0.0], [2.0, -3.0], [0.0, 0.0]])
    # alpha = (1, -1): cells give 1 - 2, 3 + 1 and 0.
    assert channel_map(states, gradient).tolist() == [0.0, 4.0, 0.0]


def test_grad_cam_on_attention_is_the_mean_over_the_whole_gradient_matrix(trace):
    with tiny_runner().rerun(trace).replay(gradients=True) as replay:
        said, layer = replay.gradient(1).heads[-1], replay.layers[-1]
        slope = said @ layer.values().transpose(1, 2)
        row = trace.prompt_length
        expected = (slope.mean((1, 2))[:, None] * layer.weights([row])[:, 0]).mean(0).clamp_min(0)
        np.testing.assert_allclose(head_map(layer, said, row).numpy(), expected.numpy(), rtol=1e-3, atol=1e-7)


def test_at_the_last_layer_no_visual_state_reaches_the_answer(trace):
    assert not GradCam(layer=trace.layers).maps(trace).parts.values.any()
    assert GradCam().maps(trace).parts.values.any()
    assert GradCam(on="attention", of="logprob").maps(trace).parts.values.any()


def test_integrated_gradients_add_up_to_what_the_logit_gains(trace):
    values = IntegratedGradients(steps=200, baseline="mean").maps(trace).parts.values
    with tiny_runner().rerun(trace).features() as (features, score):
        blank = features.mean(0, keepdim=True).expand_as(features)
        gain = (score(features[None]) - score(blank[None]))[0].detach().numpy()
    np.testing.assert_allclose(values.sum(1), gain, rtol=1e-2, atol=1e-3)


def test_integrated_gradients_are_a_plain_sum_over_the_way(trace):
    """The method's own quadrature replaced by a fine midpoint rule over autograd."""
    with tiny_runner().rerun(trace).features() as (features, score):
        total, blank = torch.zeros_like(features), features.mean(0, keepdim=True)
        for share in (np.arange(64) + 0.5) / 64:
            given = (blank + (features - blank) * float(share))[None].requires_grad_()
            total += torch.autograd.grad(score(given)[0, 2], given)[0][0] / 64
        expected = (total * (features - blank)).sum(-1).numpy()
    found = IntegratedGradients(steps=64).maps(trace, int(trace.answer_positions[2]))
    np.testing.assert_allclose(found.parts.values[0], expected, rtol=2e-2, atol=2e-3)


def test_ablation_paints_one_patch_after_the_other(trace):
    values = FeatureAblation(group=1).maps(trace).parts.values
    plain = tiny_runner().rerun(trace).with_pictures([trace.images]).logprobs[0]
    fills = [painted(trace.images[0], "mean")]
    for cell in (0, 5, 15):
        hidden = np.arange(16) == cell
        shown = hide(trace.images, fills, trace.layout, hidden)
        lost = plain - tiny_runner().rerun(trace).with_pictures([shown]).logprobs[0]
        np.testing.assert_allclose(values[:, cell], lost, atol=1e-5)


def test_groups_share_one_value(trace):
    values = FeatureAblation().maps(trace).parts.values.reshape(-1, 4, 4)
    np.testing.assert_array_equal(values[:, ::2], values[:, 1::2])
    np.testing.assert_array_equal(values[..., ::2], values[..., 1::2])
    assert len(np.unique(values[0])) == 4


def test_occlusion_with_a_window_of_one_is_ablation(trace):
    windows = Occlusion(window=1, stride=1).maps(trace).parts.values
    np.testing.assert_allclose(windows, FeatureAblation(group=1).maps(trace).parts.values, atol=1e-5)


def test_occlusion_averages_over_the_windows_that_hide_a_cell(trace):
    fills, plain = [painted(trace.images[0], "black")], None
    rerun, total, count = tiny_runner().rerun(trace), np.zeros((4, 4)), np.zeros((4, 4))
    plain = rerun.with_pictures([trace.images]).logprobs[0, 1]
    for top in range(3):
        for left in range(3):
            hidden = np.zeros((4, 4), bool)
            hidden[top : top + 2, left : left + 2] = True
            shown = hide(trace.images, fills, trace.layout, hidden.ravel())
            total[hidden] += plain - rerun.with_pictures([shown]).logprobs[0, 1]
            count[hidden] += 1
    found = Occlusion(window=2, stride=1, fill="black").maps(trace, int(trace.answer_positions[1])).parts.values
    np.testing.assert_allclose(found[0].reshape(4, 4), total / count, atol=1e-5)


def test_each_pictures_cells_are_hidden_in_that_picture():
    pictures = [Image.fromarray(np.random.default_rng(n).integers(0, 255, (30, 40, 3), dtype=np.uint8)) for n in (1, 2)]
    trace = tiny_runner().read(pictures, "what is it?", "a red dog")
    values = Occlusion(window=1, stride=1).maps(trace).parts.values
    fills = [painted(each, "mean") for each in trace.images]
    rerun = tiny_runner().rerun(trace)
    plain = rerun.with_pictures([trace.images]).logprobs[0]
    for cell in (2, 16 + 9):
        shown = hide(trace.images, fills, trace.layout, np.arange(32) == cell)
        np.testing.assert_allclose(values[:, cell], plain - rerun.with_pictures([shown]).logprobs[0], atol=1e-5)


def test_progress_counts_every_variant_once(trace):
    for made in (Occlusion(), FeatureAblation(group=1), Knockout(batch=3), IntegratedGradients(steps=2), GradCam()):
        told = []
        made.maps(trace, progress=lambda fraction, message, told=told: told.append(fraction))
        assert told == sorted(told)
        assert len(told) > 1
        assert told[-1] <= 1


def test_boxes_that_stick_out_of_the_picture_hide_what_is_inside():
    square = fake_grid(2, 2, 1)
    padded = type(square)(0, 0, 0, square.positions, square.boxes - [5, 5, 5, 5], (20, 20))
    layout = TokenLayout((Role.SYSTEM, *[Role.IMAGE] * 4), (padded,))
    white, black = Image.new("RGB", (20, 20), "white"), Image.new("RGB", (20, 20))
    (shown,) = hide([white], [black], layout, np.array([True, False, False, False]))
    dark = np.asarray(shown)[..., 0] == 0
    assert dark.sum() == 25
    assert dark[:5, :5].all()


def test_the_centre_prior_knows_a_wide_picture():
    square = fake_grid(4, 4, 1)
    wide = type(square)(0, 0, 0, square.positions, square.boxes * [2, 1, 2, 1], (80, 40))
    trace = fake_trace([(4, 4)])
    layout = TokenLayout(trace.layout.roles, (wide,))
    values = CentrePrior().maps(replace(trace, layout=layout)).array[0].reshape(4, 4)
    np.testing.assert_allclose(values, values.T, atol=1e-6)


def test_knockout_blocks_one_patch_after_the_other(trace):
    values = Knockout(batch=5).maps(trace).parts.values
    rerun, cells = tiny_runner().rerun(trace), trace.layout.grid().positions.ravel()
    plain = rerun.without(np.zeros((1, trace.positions_fed), bool)).logprobs[0]
    for cell in (0, 7, 15):
        blocked = np.zeros((1, trace.positions_fed), bool)
        blocked[0, cells[cell]] = True
        np.testing.assert_allclose(values[:, cell], plain - rerun.without(blocked).logprobs[0], atol=1e-5)


def test_hiding_everything_shows_the_fill_and_hiding_nothing_the_picture(trace):
    picture, fills = trace.images[0], [painted(trace.images[0], "blur")]
    assert hide([picture], fills, trace.layout, np.zeros(16, bool)) == [picture]
    (hidden,) = hide([picture], fills, trace.layout, np.ones(16, bool))
    np.testing.assert_array_equal(np.asarray(hidden), np.asarray(fills[0]))


def test_frames_of_a_video_are_pictures_of_their_own():
    trace = fake_trace([(2, 3), (2, 3)], video=True)
    pictures = [Image.new("RGB", (30, 20), "white") for _ in range(2)]
    fills = [Image.new("RGB", (30, 20)) for _ in range(2)]
    hidden = np.zeros(12, bool)
    hidden[6] = True
    first, second = hide(pictures, fills, trace.layout, hidden)
    assert first is pictures[0]
    assert np.asarray(second)[:10, :10].max() == 0
    assert np.asarray(second)[10:].min() == 255


def test_segments_cover_the_picture_and_pixels_outside_the_grid_are_their_own():
    grid = fake_grid(2, 3)
    segments, owners = pixel_segments(grid, cell_groups(grid, 1))
    assert owners == [0, 1, 2, 3, 4, 5]
    assert segments[0, 0] == 0
    assert segments[-1, -1] == 5
    small = fake_grid(2, 3, cell=5)
    wide = type(small)(0, 0, 0, small.positions, small.boxes, (30, 20))
    segments, owners = pixel_segments(wide, cell_groups(wide, 2))
    assert owners == [-1, 0, 1]


def test_the_centre_prior_peaks_in_the_middle_and_knows_the_crop():
    maps = CentrePrior().maps(fake_trace([(5, 5)]))
    values = maps[maps.tokens[0]]
    assert values.argmax() == 12
    np.testing.assert_allclose(values, values[::-1, ::-1], atol=1e-6)
    assert maps.array.shape[0] == 14
    one = CentrePrior().maps(fake_trace([(1, 1)]))
    np.testing.assert_array_equal(one.array, 1)


def test_attribution_keeps_sign_and_scale():
    array, parts = attributed(np.array([[-2.0, 1.0], [4.0, 0.0]]), "units")
    np.testing.assert_array_equal(array, [[0, 0.25], [1, 0]])
    np.testing.assert_array_equal(parts.values, [[-2, 1], [4, 0]])
    assert parts.scale == 4
    array, parts = attributed(np.full((2, 3), -1.0), "units")
    assert not array.any()
    with pytest.raises(ParameterError, match="finite"):
        attributed(np.array([[np.nan]]), "units")


def test_bad_parameters_are_refused():
    for make in (
        lambda: Occlusion(window=0),
        lambda: FeatureAblation(group=0),
        lambda: Knockout(of="probability"),
        lambda: GradCam(on="heads"),
        lambda: IntegratedGradients(baseline="noise"),
        lambda: CentrePrior(spread=0),
    ):
        with pytest.raises(ParameterError):
            make()
