"""Films: every frame has its tokens at its time, and pixels changed in one change the tokens of that frame."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import explore
from explore.errors import CheckpointError
from explore.layout import Role
from explore.models.videos import Video
from tests.families.cases import QUESTION, SUPPORTED, noise, planted, runner_of, tower_without_attention, visual_inputs
from tests.zoo import ZOO

pytestmark = pytest.mark.filterwarnings("ignore")
FILMS = [name for name in SUPPORTED if ZOO[name].video or ZOO[name].frames]
films = pytest.mark.parametrize("name", FILMS)
# Their towers or projectors mix neighbouring frames on their way to the tokens.
MIXING = ("ernie4_5_vl_moe",)
SIZE = (50, 36)


def film_of(name: str, *, changed: dict[int, np.ndarray] | None = None) -> Video:
    """Five frames, so that pairs of them do not come out even; some with the middle of a box repainted."""
    frames = [noise(*SIZE, seed=seed) for seed in range(ZOO[name].frames or 5)]
    for number, box in (changed or {}).items():
        frames[number] = planted(frames[number], box) or frames[number]
    return Video(frames, fps=2.0)


@films
def test_every_frame_has_its_tokens_and_its_time(name: str) -> None:
    film, runner = film_of(name), runner_of(name)
    trace = runner.ask(film, QUESTION, max_new_tokens=3)
    assert trace.times == film.times
    assert len(trace.images) == len(film)
    words = "".join(token.text for token in trace.tokens if token.role is Role.QUESTION)
    assert words.strip() == QUESTION
    if not trace.layout.grids:
        assert [each.frame for each in trace.layout.queries] == list(range(len(film)))
        return
    seen = [place for grid in trace.layout.grids if not grid.tile for place in grid.pictures(len(film))]
    assert seen == list(range(len(film)))
    assert all(grid.size == SIZE and grid.image == 0 for grid in trace.layout.grids)
    maps = explore.maps.token_activation_maps(trace)
    assert np.isfinite(maps.array).all()
    assert maps.overlay(trace.answer_positions[0], frame=trace.layout.grids[-1].frame).width > 0


@films
def test_a_planted_patch_changes_its_own_token_of_its_own_frame(name: str) -> None:
    runner, film = runner_of(name), film_of(name)
    layout = runner.ask(film, QUESTION, max_new_tokens=1).layout
    if not layout.grids:
        pytest.skip("no grid")
    with tower_without_attention(runner):
        before = visual_inputs(runner, film)
        for grid in (layout.grids[0], layout.grids[-1]):
            for row, col in ((0, 0), (grid.rows - 1, grid.cols // 2)):
                frame = grid.pictures(len(film))[-1]
                if planted(film.frames[frame], grid.boxes[row, col]) is None:
                    continue
                moved = visual_inputs(runner, film_of(name, changed={frame: grid.boxes[row, col]})) - before
                distance = np.zeros(len(layout))
                distance[layout.visual] = moved.norm(dim=-1).numpy()
                own = distance[grid.positions]
                assert np.unravel_index(own.argmax(), own.shape) == (row, col)
                near = grid.positions[max(row - 1, 0) : row + 2, max(col - 1, 0) : col + 2]
                slices = [each.positions.ravel() for each in layout.grids if each.frame == grid.frame if each != grid]
                far = np.setdiff1d(layout.visual, np.concatenate([near.ravel(), *slices]))
                assert name in MIXING or distance[far].max() < 1e-3 * distance.max()


@films
def test_a_film_can_be_run_again_and_saved(name: str, tmp_path: Path) -> None:
    runner = runner_of(name)
    trace = runner.ask(film_of(name), QUESTION, max_new_tokens=3)
    trace.save(tmp_path / "film")
    opened = explore.open_trace(tmp_path / "film")
    assert opened.times == trace.times
    assert opened.layout.to_json() == trace.layout.to_json()
    scores = runner.rerun(opened).without(np.zeros((1, trace.positions_fed), bool))
    said = np.array([trace.logits_of(k)[token] for k, token in enumerate(trace.answer_ids)])
    np.testing.assert_allclose(scores.logits[0], said, atol=1e-4 * np.abs(trace.logits).max())


@pytest.mark.parametrize("name", [name for name in SUPPORTED if name not in FILMS])
def test_other_families_say_that_they_take_no_films(name: str) -> None:
    with pytest.raises(CheckpointError, match="film"):
        runner_of(name).ask(Video([noise(40, 30)] * 2, fps=1.0), QUESTION)


def test_many_questions_about_films_and_pictures_together() -> None:
    runner, film, picture = runner_of("qwen2_5_vl"), film_of("qwen2_5_vl"), noise(40, 30)
    found = runner.answers([(film, "what is this?"), (picture, QUESTION), (film, QUESTION)], max_new_tokens=3)
    assert found == [
        runner.ask(shown, question, max_new_tokens=3).answer
        for shown, question in ((film, "what is this?"), (picture, QUESTION), (film, QUESTION))
    ]
