"""With all edges from the picture cut, the answer knows nothing of it; what else carries it is listed."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from tests.families.cases import QUESTION, SUPPORTED, noise, pictures_of, runner_of

pytestmark = pytest.mark.filterwarnings("ignore")
# Linear attention, convolutions, state spaces and retrieved memory carry the picture past attention.
OTHERWISE = {
    "qwen3_5": "linear attention",
    "qwen3_5_moe": "linear attention",
    "qwen4_exp": "linear attention",
    "glm5_next": "linear attention",
    "minicpmv4_6": "linear attention",
    "minicpmv4_7": "linear attention",
    "minicpm_ocr": "linear attention",
    "inkling_mm_model": "convolutions",
    "lfm2_vl": "convolutions",
    "lfm3_vl": "convolutions",
    "nemotron_h_omni": "state spaces",
}


@pytest.mark.parametrize("name", SUPPORTED)
def test_an_answer_without_edges_from_the_picture_does_not_depend_on_it(name: str) -> None:
    runner, sizes = runner_of(name), [each.size for each in pictures_of(name, (40, 30), (30, 64))]
    first = [noise(*size, seed=number) for number, size in enumerate(sizes)]
    other = [Image.new("RGB", size, (250, 40 * number, 20)) for number, size in enumerate(sizes)]
    said = runner.ask(first, QUESTION, max_new_tokens=4).answer_ids
    found, plain = [], []
    for pictures in (first, other):
        trace = runner.read(pictures, QUESTION, said)
        blocked = np.zeros((2, len(trace.tokens) - 1), bool)
        blocked[1, trace.layout.visual] = True
        scores = runner.rerun(trace).without(blocked).logits
        plain.append(scores[0])
        found.append(scores[1])
    size = np.abs(plain[0]).max()
    # The tiny random tower of fast_vlm gives nearly the same for every picture.
    sees = name != "fast_vlm"
    assert not sees or np.abs(plain[0] - plain[1]).max() > 1e-4 * size, "the picture made no difference to begin with"
    difference = np.abs(found[0] - found[1]).max()
    if name in OTHERWISE:
        assert difference > 1e-4 * size, "edges carry all of it after all: take it off the list"
    else:
        assert difference < 1e-5 * size
