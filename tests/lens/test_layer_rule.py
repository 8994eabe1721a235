"""Which layers are stored: golden G7, what lies beyond it, and what is refused."""

from __future__ import annotations

import pytest

from explore.errors import ParameterError
from explore.lens.layer_rule import checked_layers, contextual_layers


@pytest.mark.parametrize(
    ("blocks", "layers"),
    [
        (32, (1, 2, 4, 8, 16, 24, 30, 31)),
        (28, (1, 2, 4, 8, 16, 24, 26, 27)),
        (6, (1, 2, 4, 5)),
        (3, (1, 2)),
        (36, (1, 2, 4, 8, 16, 24, 34, 35)),
        (42, (1, 2, 4, 8, 16, 24, 40, 41)),
        (64, (1, 2, 4, 8, 16, 32, 48, 56, 62, 63)),
        (80, (1, 2, 4, 8, 16, 40, 60, 70, 78, 79)),
        (2, (1,)),
        (1, (1,)),
    ],
)
def test_the_rule_of_the_paper_and_its_library(blocks: int, layers: tuple[int, ...]) -> None:
    assert contextual_layers(blocks) == layers
    assert checked_layers(None, blocks) == layers


@pytest.mark.parametrize("blocks", range(2, 130))
def test_the_rule_never_stores_the_input_or_the_last_state(blocks: int) -> None:
    layers = contextual_layers(blocks)
    assert layers == tuple(sorted(set(layers)))
    assert layers[0] == 1
    assert layers[-1] == blocks - 1


def test_layers_of_the_users_own() -> None:
    assert checked_layers([4, 0, 4, 6], 6) == (0, 4, 6)
    for wrong in ([], [7], [-1, 2]):
        with pytest.raises(ParameterError, match="0 to 6"):
            checked_layers(wrong, 6)
    with pytest.raises(ParameterError, match="0 layers"):
        contextual_layers(0)
