"""A model type without a line: its grid is right, or it has none and says so."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from explore.layout import TokenLayout
from explore.models.families import FAMILIES
from explore.models.families.deduced import Deduced
from explore.models.inputs import layout_of
from explore.models.runner import Runner
from explore.models.videos import Video
from tests.families.cases import QUESTION, SUPPORTED, noise, prepared, runner_of
from tests.zoo import ZOO

pytestmark = pytest.mark.filterwarnings("ignore")
# One of each layout, those that pad or crop among them; the ones with a class of their own parts are left out.
NAMES = [
    "llava", "gemma3", "got_ocr2", "internvl", "llava_next", "qwen2_vl", "qwen2_5_vl", "glm4v", "kimi_k25",
    "mistral3", "hunyuan_vl", "gemma4", "lfm2_vl", "molmo2", "ovis2", "idefics3", "paddleocr_vl", "dots3_note",
    "deepseek_vl", "janus", "chameleon", "video_llama_3", "exaone4_5", "aria", "muse_glimmer", "nemotron_h_omni",
]  # fmt: skip
GUESSED = ("llava", "qwen2_vl", "qwen2_5_vl", "glm4v", "paddleocr_vl", "video_llama_3", "exaone4_5")


@pytest.mark.parametrize("name", NAMES)
def test_a_guessed_grid_is_right_or_not_shown(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert name in SUPPORTED
    known = _layout(runner_of(name))
    monkeypatch.delitem(FAMILIES, name)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        runner = Runner(*ZOO[name].build(), checkpoint=f"zoo/{name}")
    assert isinstance(runner._family, Deduced)
    found = _layout(runner)
    assert [found.visual.tolist()] == [known.visual.tolist()]
    if name in GUESSED:
        assert found.grids
    for grid in found.grids:
        same = next(each for each in known.grids if each.positions.tolist() == grid.positions.tolist())
        cell = np.abs(same.boxes[..., 2:] - same.boxes[..., :2]).mean()
        assert np.abs(same.boxes - grid.boxes).max() < 0.5 * cell
    if not runner._family.trusted:
        assert any("was guessed, and did not hold" in str(each.message) for each in said)
        assert not found.grids


def test_a_model_that_stumbles_over_the_check_loads_without_places(monkeypatch: pytest.MonkeyPatch) -> None:
    def stumbles(*_: object) -> None:
        raise RuntimeError("no such size")

    monkeypatch.delitem(FAMILIES, "qwen2_vl")
    monkeypatch.setattr("explore.models.deduced_grids.caught_inputs", stumbles)
    with pytest.warns(UserWarning, match="did not hold"):
        runner = Runner(*ZOO["qwen2_vl"].build(), checkpoint="zoo/qwen2_vl")
    assert not _layout(runner).grids
    film = runner.ask(Video([noise(40, 30, seed=seed) for seed in range(4)], fps=1.0), QUESTION, max_new_tokens=1)
    assert not film.layout.grids
    assert len(film.layout.queries[0].positions) == len(film.layout.visual)


def _layout(runner: Runner) -> TokenLayout:
    inputs = prepared(runner, [noise(101, 67)])
    return layout_of(inputs.tokens, inputs)
