"""Methods and metrics as words."""

import pytest

from explore.bench.metrics import METRICS
from explore.bench.spelling import spelled
from explore.errors import ParameterError
from explore.maps import METHODS


def test_a_name_alone_is_the_method_as_it_comes():
    assert spelled("tam", METHODS) == METHODS["tam"]()


def test_parameters_are_json_or_plain_text():
    assert spelled("tam:eci=false,kernel=5", METHODS) == METHODS["tam"](eci=False, kernel=5)
    assert spelled("rollout:fuse=max", METHODS) == METHODS["rollout"](fuse="max")
    assert spelled("logit:layer=null", METHODS) == METHODS["logit"]()
    assert spelled("attention:layers=[1]", METHODS) == METHODS["attention"](layers=(1,))
    assert spelled("pointing:tolerance=3", METRICS) == METRICS["pointing"](tolerance=3)


@pytest.mark.parametrize(
    ("text", "what"),
    [("tm", "tam"), ("tam:ecl=false", "eci"), ("tam:eci", "parameter=value"), ("centre:x=1", "spread")],
)
def test_what_is_wrong_is_answered_with_what_is_right(text, what):
    with pytest.raises(ParameterError, match=what):
        spelled(text, METHODS)
