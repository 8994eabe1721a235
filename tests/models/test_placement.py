"""Spread weights: the maps that may be asked for, and runs that are those of the same model on one device.

There is one kind of device here, so parts are left on the disk: like those that wait beside a GPU they come to a device
only while they run. That results of several devices meet is tested with the meta device in a second device's place.
"""

from __future__ import annotations

import gc
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from explore import memory
from explore.errors import CheckpointError, DeviceError, ParameterError
from explore.maps import METHODS
from explore.models import placement
from explore.models.attention import AttentionCall
from explore.models.edges import blocked_keys, without_cut_edges
from explore.models.loading import load_runner
from explore.models.placement import checked_device_map, main_device, places_of, readable, spelled_out
from explore.models.plans import RecordingPlan
from explore.models.replays import LayerReplay
from explore.models.runner import Runner
from explore.sessions import Session
from tests.models.samples import EVERYTHING, QUESTION, noise
from tests.tiny import tiny_llava

SPREAD = {
    "model.vision_tower": "cpu",
    "model.multi_modal_projector": "cpu",
    "model.language_model.embed_tokens": "cpu",
    "model.language_model.layers.0": "cpu",
    "model.language_model.layers.1": "disk",
    "model.language_model.norm": "disk",
    "model.language_model.rotary_emb": "cpu",
    "lm_head": "disk",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    where = tmp_path_factory.mktemp("tiny")
    model, processor = tiny_llava(seed=9)
    model.save_pretrained(where)
    processor.save_pretrained(where)
    return where


@pytest.fixture(scope="module")
def plain(folder: Path) -> Runner:
    return load_runner(folder)


@pytest.fixture(scope="module")
def spread(folder: Path) -> Runner:
    return load_runner(folder, device_map=SPREAD)


def test_most_of_the_weights_really_lie_on_the_disk(plain: Runner, spread: Runner) -> None:
    places = dict(spread.info.places)
    assert set(places) == {"cpu", "disk"}
    head, norm = spread._family.head, spread._family.final_norm
    assert head.weight.is_meta
    assert norm.weight.is_meta
    assert places["disk"] > (head.weight.numel() + norm.weight.numel()) * 4
    assert sum(places.values()) == spread.info.nbytes == plain.info.nbytes
    assert plain.info.places == (("cpu", plain.info.nbytes),)
    assert spread.info.device == "cpu"


def test_a_recorded_run_is_that_of_the_plain_load(plain: Runner, spread: Runner) -> None:
    record = RecordingPlan(hidden="all", attention="all", vision=("cls_attention", "keys", "features"))
    one, other = (each.ask(noise(), QUESTION, max_new_tokens=6, record=record) for each in (plain, spread))
    assert one.tokens == other.tokens
    assert one.arrays().keys() == other.arrays().keys()
    for name, values in one.arrays().items():
        np.testing.assert_allclose(other.arrays()[name], values, atol=1e-6, err_msg=name)


def test_answers_in_batches_are_those_of_the_plain_load(plain: Runner, spread: Runner) -> None:
    pairs = [(noise(), QUESTION), (noise(seed=1), "what?")]
    assert spread.answers(pairs, max_new_tokens=4) == plain.answers(pairs, max_new_tokens=4)


def test_reruns_are_those_of_the_plain_load(plain: Runner, spread: Runner) -> None:
    trace = plain.read(noise(), QUESTION, "a red dog", record=EVERYTHING)
    one, other = plain.rerun(trace), spread.rerun(trace)
    blocked = np.zeros((2, trace.positions_fed), bool)
    blocked[1, trace.layout.visual[3]] = True
    for scores in zip(
        *((each.without(blocked), each.with_pictures([[noise()]])) for each in (one, other)), strict=True
    ):
        np.testing.assert_allclose(scores[0].logprobs, scores[1].logprobs, atol=1e-5)
    ids = trace.answer_ids
    np.testing.assert_allclose(other.read_out(trace.hidden(2), ids), one.read_out(trace.hidden(2), ids), atol=1e-5)
    with one.replay(gradients=True) as first, other.replay(gradients=True) as second:
        slopes = first.gradient(1, "logprob"), second.gradient(1, "logprob")
        for kind in ("states", "heads"):
            for a, b in zip(*(getattr(each, kind) for each in slopes), strict=True):
                np.testing.assert_allclose(b, a, atol=1e-5)
        for a, b in zip(first.layers, second.layers, strict=True):
            vectors = a.values()[1]
            np.testing.assert_allclose(b.written(1, vectors), a.written(1, vectors), atol=1e-5)


@pytest.mark.parametrize("name", sorted(METHODS))
def test_every_map_is_that_of_the_plain_load(name: str, plain: Runner, spread: Runner) -> None:
    first, second = (
        METHODS[name]().maps(each.read(noise(), QUESTION, "a dog", record=EVERYTHING)) for each in (plain, spread)
    )
    np.testing.assert_allclose(second.array, first.array, atol=1e-4)


def test_auto_leaves_on_the_disk_what_fits_nowhere_else(
    folder: Path, plain: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert load_runner(folder, device_map="auto").info.places == plain.info.places
    monkeypatch.setattr(memory, "host_available", lambda: int(plain.info.nbytes * 0.7))
    runner = load_runner(folder, device_map="auto")
    assert dict(runner.info.places)["disk"] > 0
    asked = [each.ask(noise(), QUESTION, max_new_tokens=4).tokens for each in (plain, runner)]
    assert asked[0] == asked[1]


def test_weights_that_are_written_anew_for_the_disk_go_with_the_model(
    folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Weights in the older format cannot be read where they are."""
    where = tmp_path / "older"
    shutil.copytree(folder, where)
    from safetensors.torch import load_file

    torch.save(load_file(where / "model.safetensors"), where / "pytorch_model.bin")
    (where / "model.safetensors").unlink()
    monkeypatch.setattr(placement.tempfile, "tempdir", str(tmp_path))
    runner = load_runner(where, device_map=SPREAD)
    (made,) = tmp_path.glob("vlmscope-weights-*")
    assert list(made.iterdir())
    assert runner.ask(noise(), QUESTION, max_new_tokens=2).answer_ids.size
    runner.close()
    gc.collect()
    assert not made.exists()


def test_a_first_part_on_the_disk_runs_where_it_computes(folder: Path, plain: Runner) -> None:
    """Its weights are nowhere until it runs; inputs go where accelerate brings them."""
    first = {
        "model.vision_tower": "disk",
        "model.multi_modal_projector": "disk",
        "model.language_model.layers.0": "disk",
    }
    runner = load_runner(folder, device_map={**SPREAD, **first, "model.language_model.embed_tokens": "disk"})
    assert next(runner._family.model.parameters()).is_meta
    assert placement.input_device(runner._family.model) == torch.device("cpu")
    assert runner.info.device == "cpu"
    one, other = (each.ask(noise(), QUESTION, max_new_tokens=4, record=EVERYTHING) for each in (plain, runner))
    for name, values in one.arrays().items():
        np.testing.assert_allclose(other.arrays()[name], values, atol=1e-5, err_msg=name)
    scores = (each.rerun(one).with_pictures([[noise(seed=1)]]).logits for each in (plain, runner))
    np.testing.assert_allclose(*scores, atol=1e-5)


def test_inputs_go_where_the_hook_of_the_whole_model_says() -> None:
    model = torch.nn.Linear(2, 2)
    model.device = torch.device("cpu")  # type: ignore[assignment]
    assert placement.input_device(model) == torch.device("cpu")
    for given, meant in (("meta", "meta"), (1, "cuda:1"), (torch.device("cuda:2"), "cuda:2")):
        model._hf_hook = type("Hook", (), {"execution_device": given})()  # type: ignore[assignment]
        assert placement.input_device(model) == torch.device(meant)


def test_a_map_that_forgets_a_part_is_a_checkpoint_error(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(placement.tempfile, "tempdir", str(tmp_path))
    with pytest.raises(CheckpointError, match=r"cannot be loaded.*lm_head"):
        load_runner(folder, device_map={part: place for part, place in SPREAD.items() if part != "lm_head"})
    assert not list(tmp_path.glob("vlmscope-weights-*")), "the folder for weights is left behind"


@pytest.mark.parametrize("given", ["everywhere", "cuda", "", 0, {}, {1: "cpu"}, ["cpu"], {"": None}, {"": "auto"}])
def test_maps_there_are_not(given: Any) -> None:
    with pytest.raises(ParameterError, match=r"device_map.*Allowed are auto, balanced"):
        checked_device_map(given)


def test_a_map_and_a_device_are_one_too_many() -> None:
    with pytest.raises(ParameterError, match="Leave one of them out"):
        load_runner(device="cpu", device_map="auto")


def test_devices_of_a_map_must_be_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(DeviceError, match=r"number of CUDA devices here is 0"):
        checked_device_map({"": 0})
    with pytest.raises(DeviceError, match=r"toaster.*also \"disk\""):
        checked_device_map({"": "toaster"})
    with pytest.raises(ParameterError, match="everything on the disk"):
        checked_device_map({"": "disk"})


def test_the_main_device_is_the_one_that_computes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    found = checked_device_map({"a": "cpu", "b": 1, "c": "disk", "d": "cuda"})
    assert found == {"a": "cpu", "b": "cuda:1", "c": "disk", "d": "cuda:0"}
    assert main_device(found) == torch.device("cuda:1")
    assert main_device({"a": "disk", "b": "cpu"}) == torch.device("cpu")
    assert main_device("auto") == torch.device("cuda:0")
    assert spelled_out(None, None, {"b": 1, "a": "cpu"}) == spelled_out(None, None, {"a": "cpu", "b": "cuda:1"})


def test_a_session_tells_spread_runners_from_plain_ones_by_what_lies_where(folder: Path) -> None:
    with Session() as session:
        first = session.load(folder)
        second = session.load(folder, device_map=SPREAD)
        assert second is not first
        assert session.load(folder, device_map=dict(reversed(SPREAD.items()))) is second
        assert session.load(folder, device_map="auto") is first, "all of it fits on the one device"
        assert session.runners == (second, first)


def test_places_count_tied_weights_once() -> None:
    model = torch.nn.Sequential(torch.nn.Linear(4, 4, bias=False), torch.nn.Linear(4, 4, bias=False, device="meta"))
    model.append(model[0])
    model.hf_device_map = {"": 0, "0": "cpu", "1": "disk"}  # type: ignore[assignment]
    assert places_of(model) == (("cpu", 64), ("disk", 64))


def test_only_weights_that_are_there_can_be_read() -> None:
    there = torch.nn.Linear(2, 2)
    assert readable(there) is there
    assert readable(torch.nn.Linear(2, 2, device="meta")) is None
    assert readable(torch.nn.Embedding(2, 2)) is None


def test_what_a_layer_is_asked_for_comes_to_one_device() -> None:
    away = torch.device("meta")
    states = torch.ones(1, 2, 3, 4)
    call, head = AttentionCall(0.5, None, True), torch.nn.Linear(8, 8, bias=False)
    layer = LayerReplay(0, states, states, states, None, call, states.transpose(1, 2), head, away)
    assert layer.weights(range(2)).device == layer.values().device == away
    assert layer.written(0, torch.ones(3, 4, device=away)).device == away


@pytest.mark.parametrize("masked", [False, True])
def test_edges_are_cut_where_the_layer_is(masked: bool) -> None:
    away = torch.device("meta")
    mask = torch.ones(1, 1, 3, 3, dtype=torch.bool, device=away) if masked else None
    with blocked_keys(torch.tensor([[True, False, False]])):
        found = without_cut_edges(mask, 3, 3, causal=True, device=away)
    assert found is not None
    assert found.device == away


def test_the_map_that_is_reported_is_json_when_it_is_a_key() -> None:
    spelled = spelled_out(None, None, {"": "cpu"})[2]
    assert spelled is not None
    assert json.loads(spelled) == {"": "cpu"}
