"""Data sets cut down to things of one size."""

import pytest

from explore.bench.data import SizedTargets, SketchScenes
from explore.errors import ParameterError


def test_every_target_is_in_exactly_one_part():
    data = SketchScenes(6)
    parts = [SizedTargets(data, least, most) for least, most in ((0, 0.05), (0.05, 0.1), (0.1, 1))]
    for index, whole in enumerate(data):
        found = [target.span for part in parts for target in part[index].targets]
        assert sorted(found) == sorted(target.span for target in whole.targets)
    assert any(part[index].targets for index in range(6) for part in parts[:1])


def test_the_models_own_words_are_cut_down_too():
    data = SketchScenes(3, own_words=True)
    for index in range(3):
        answer = SketchScenes(3)[index].answer
        whole, small = data[index].answered(answer), SizedTargets(data, 0, 0.06)[index].answered(answer)
        assert [t.span for t in small.targets] == [t.span for t in whole.targets if t.mask.mean() < 0.06]


def test_it_has_a_fingerprint_of_its_own_and_refuses_nonsense():
    data = SketchScenes(2)
    assert SizedTargets(data, 0, 0.1).fingerprint != SizedTargets(data, 0, 0.2).fingerprint
    assert len(SizedTargets(data)[:]) == 2
    with pytest.raises(ParameterError, match="shares"):
        SizedTargets(data, 0.5, 0.1)
