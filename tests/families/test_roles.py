"""Every position has one role, the visual ones are those that hold the picture, and the user's words are the user's."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from explore.layout import ImageGrid, Role
from explore.models.inputs import prepare
from tests.families.cases import QUESTION, SUPPORTED, decoder_inputs, noise, pictures_of, runner_of, trace_of
from tests.zoo import ZOO

pytestmark = pytest.mark.filterwarnings("ignore")
families = pytest.mark.parametrize("name", SUPPORTED)


@families
def test_roles_and_words(name: str) -> None:
    trace = trace_of(name)
    positions = np.sort(np.concatenate([trace.layout.positions(role) for role in Role]))
    assert positions.tolist() == list(range(len(trace.tokens)))
    words = "".join(token.text for token in trace.tokens if token.role is Role.QUESTION)
    assert words.strip() == QUESTION
    assert [word for word, _ in trace.words("question")] == ["what", "is", "the", "colour", "of", "this", "?"]
    answer = trace.layout.positions(Role.ANSWER)
    assert answer.tolist() == list(range(trace.prompt_length, len(trace.tokens)))


@families
def test_visual_positions_are_those_that_change_with_the_picture(name: str) -> None:
    runner, sizes = runner_of(name), [picture.size for picture in pictures_of(name, (40, 30), (30, 64))]
    held = []
    for seed in (0, 1):
        pictures = [noise(*size, seed=10 * seed + number) for number, size in enumerate(sizes)]
        held.append(decoder_inputs(runner, pictures))
    inputs = prepare(runner._family, runner._writer.write(QUESTION, len(sizes)), pictures)
    changed = np.flatnonzero((held[0] - held[1]).abs().amax(-1).numpy() > 0)
    visual = inputs.positions(Role.IMAGE)
    seeing = [each.positions for each in inputs.queries] + [_inside(each) for each in inputs.grids]
    assert set(changed.tolist()) <= set(visual.tolist())
    # Codes of a picture may happen to be the same; a placeholder without a cell (newline, separator) holds no pixels.
    missed = set(np.concatenate(seeing).tolist()) - set(changed.tolist())
    assert len(missed) <= (0.5 if name in ("chameleon", "emu3") else 0.0) * len(visual)


@families
def test_each_picture_has_its_own_tokens(name: str) -> None:
    trace = trace_of(name)
    numbers = trace.layout.image[trace.layout.visual]
    assert sorted(set(numbers.tolist())) == list(range(len(trace.images)))
    assert (np.diff(numbers) >= 0).all()
    for number, picture in enumerate(trace.images):
        placed = [each for each in (*trace.layout.grids, *trace.layout.queries) if each.image == number]
        assert placed
        assert all(each.size == picture.size for each in placed)
    assert torch.isfinite(torch.from_numpy(np.array(trace.logits, dtype=np.float32)[:, : len(numbers)])).all()
    assert bool(trace.layout.grids) != (ZOO[name].layout == "queries")


def _inside(grid: ImageGrid) -> np.ndarray:
    """Positions of the cells that see a pixel of the picture, not only padding."""
    x0, y0, x1, y1 = np.moveaxis(grid.boxes, -1, 0)
    seen = (x0 < grid.size[0] - 1e-3) & (y0 < grid.size[1] - 1e-3) & (x1 > 1e-3) & (y1 > 1e-3)
    found: np.ndarray = grid.positions[seen]
    return found
