"""A checkpoint in a folder loads back with its processor and answers the same; maps run on every answer."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from explore.errors import ParameterError
from explore.maps import token_activation_maps
from explore.models.loading import load_runner
from explore.models.plans import RecordingPlan
from tests.families.cases import QUESTION, SUPPORTED, pictures_of, runner_of, trace_of
from tests.zoo import ZOO

pytestmark = pytest.mark.filterwarnings("ignore")
# These processors count tokens by a default of the library that no file stores; the zoo has a smaller one.
UNSTORED = ("kosmos-2", "kosmos-2.5", "qwen2_5_omni_thinker", "qwen3_omni_moe_thinker")


@pytest.mark.parametrize("name", SUPPORTED)
def test_a_saved_checkpoint_loads_and_answers_the_same(name: str, tmp_path: Path) -> None:
    model, processor = ZOO[name].build()
    if name == "gemma3n":
        pytest.skip("the config of its tiny tower holds a function, which no file can")
    model.save_pretrained(tmp_path)
    processor.save_pretrained(tmp_path)
    if name in UNSTORED:
        pytest.skip("its tiny token count cannot be stored")
    runner = load_runner(tmp_path)
    assert type(runner._family.processor) is type(processor)
    plan = RecordingPlan(attention="all")
    trace = runner.ask(pictures_of(name, (40, 30), (30, 64)), QUESTION, max_new_tokens=4, record=plan)
    known = trace_of(name)
    assert trace.ids.tolist() == known.ids.tolist()
    assert trace.layout.to_json() == known.layout.to_json()
    said = known.logits > -1e30
    np.testing.assert_allclose(trace.logits[said], known.logits[said], atol=1e-4 * np.abs(known.logits[said]).max())


@pytest.mark.parametrize("name", SUPPORTED)
def test_token_activation_maps_run_on_every_family_with_a_grid(name: str) -> None:
    trace = trace_of(name)
    if not trace.layout.grids:
        with pytest.raises(ParameterError, match="learned queries"):
            token_activation_maps(trace)
        return
    maps = token_activation_maps(trace)
    first = trace.layout.grids[0]
    assert {token.position for token in trace.tokens[trace.prompt_length :]} <= {each.position for each in maps.tokens}
    assert np.isfinite(maps.flat(maps.tokens[0])).all()
    assert maps.split(maps.flat(maps.tokens[0]))[0].shape == (first.rows, first.cols)
    assert runner_of(name).info.family == name
