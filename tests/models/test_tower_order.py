"""Keys and features of towers that pack, window, pad or tile their patches: all of them, in the order of the tokens."""

from __future__ import annotations

from contextlib import nullcontext

import numpy as np
import pytest
import torch
from PIL import Image

from explore.errors import ParameterError
from explore.models.plans import RecordingPlan
from explore.models.runner import Runner
from tests.families.cases import QUESTION, SUPPORTED, noise, pictures_of, runner_of, tower_without_attention

pytestmark = pytest.mark.filterwarnings("ignore")
# Patches in blocks, several for each token, behind one another; 64 x 64 pixels are 16 windows of Qwen2.5-VL.
BLOCKS = (
    *("qwen2_vl", "qwen2_5_vl", "qwen3_vl", "qwen3_5", "glm4v", "glm46v", "glm_ocr", "ernie4_5_vl_moe", "exaone4_5"),
    *("qwen2_5_omni_thinker", "qwen3_omni_moe_thinker", "hyperclovax_vision_v2", "cosmos3_edge", "minimax_m3_vl"),
    *("cohere_compass", "dots3_note", "qwen4_exp", "glm5_next", "video_llama_3"),
)
# Patches row by row while the layers run; what the projector reads is in the order of the tokens.
PROJECTED = ("kimi_k25", "gemma4", "muse_glimmer", "muse_spark", "nemotron_h_omni")
# Tokens that are no patches, before or behind them, and padding, are left out: so many patches make one token.
PATCHES = {"internvl": 4, "llama4": 4, "nemotron_h_omni": 4, "lfm2_vl": 4, "step3p7": 16, "mistral3": 4, "gemma4": 4}


def signal(runner: Runner, pictures: list[Image.Image], name: str) -> np.ndarray:
    """One signal of a run, (patches, numbers); of keys those of the first layer."""
    plan = RecordingPlan(hidden="none", attention="none", vision=(name,))
    found: np.ndarray = runner.ask(pictures, QUESTION, max_new_tokens=1, record=plan).vision[name]
    return found[0].transpose(1, 0, 2).reshape(found.shape[2], -1) if name == "keys" else found


@pytest.mark.parametrize(
    ("name", "what"),
    [(name, what) for name in BLOCKS for what in ("keys", "features")] + [(name, "features") for name in PROJECTED],
)
def test_what_a_token_sees_changes_its_own_patches(name: str, what: str) -> None:
    runner, pictures = runner_of(name), pictures_of(name, (64, 64), (64, 64))
    layout = runner.ask(pictures, QUESTION, max_new_tokens=1).layout
    # Keys of the first layer are of one patch each; features are, where no patch hears of another.
    with nullcontext() if what == "keys" else tower_without_attention(runner):
        before = signal(runner, pictures, what)
        each, rest = divmod(len(before), len(layout.visual))
        assert not rest
        for grid in layout.grids:
            for row, col in ((0, grid.cols - 1), (grid.rows - 1, 0), (1, 2)):
                x0, y0, x1, y1 = grid.boxes[row, col].tolist()
                wide, high = (x1 - x0) / 4, (y1 - y0) / 4
                changed = [picture.copy() for picture in pictures]
                changed[grid.image].paste(
                    (255, 0, 255), (round(x0 + wide), round(y0 + high), round(x1 - wide), round(y1 - high))
                )
                difference = np.abs(signal(runner, changed, what) - before).max(axis=-1)
                tokens = set((np.flatnonzero(difference > 1e-3 * difference.max()) // each).tolist())
                assert tokens == {int(np.searchsorted(layout.visual, grid.positions[row, col]))}


@pytest.mark.parametrize("name", ["qwen2_vl", "qwen2_5_vl", "glm4v"])
def test_keys_are_those_of_the_projections(name: str) -> None:
    """Rotary embeddings keep the length of a key, and here no window order is left in them."""
    runner, pictures = runner_of(name), pictures_of(name, (64, 64), (40, 64))
    made: list[torch.Tensor] = []
    handles = [
        layer.attn.qkv.register_forward_hook(lambda module, args, output: made.append(output))
        for layer in runner._family.vision_layers
    ]
    plan = RecordingPlan(hidden="none", attention="none", vision=("keys",))
    found = runner.ask(pictures, QUESTION, max_new_tokens=1, record=plan).vision["keys"]
    for handle in handles:
        handle.remove()
    for keys, both in zip(found, made, strict=True):
        own = both.reshape(len(both), 3, keys.shape[0], -1)[:, 1].norm(dim=-1).numpy()  # patches, heads
        given = np.linalg.norm(keys, axis=-1).T
        assert given.shape == own.shape
        # As many patches, and the same ones: those of a window stand together in the library, in blocks of four.
        order = np.lexsort(np.round(own, 3).T), np.lexsort(np.round(given, 3).T)
        np.testing.assert_allclose(given[order[1]], own[order[0]], atol=2e-3)
        assert np.allclose(given, own, atol=1e-4) is (name != "qwen2_5_vl")


@pytest.mark.parametrize("name", sorted(PATCHES))
def test_only_patches_are_kept(name: str) -> None:
    runner, pictures = runner_of(name), pictures_of(name, (101, 67), (64, 90))
    trace = runner.ask(pictures, QUESTION, max_new_tokens=1)
    assert len(signal(runner, pictures, "keys")) == PATCHES[name] * len(trace.layout.visual)


@pytest.mark.parametrize("name", ["minicpmv4_6", "got_ocr2", "lfm3_vl", "perception_lm", "emu3"])
def test_towers_that_cannot_be_recorded_say_so(name: str) -> None:
    if name not in SUPPORTED:
        pytest.skip("not built here")
    with pytest.raises(ParameterError, match="vision="):
        signal(runner_of(name), [noise(40, 30)], "keys")
