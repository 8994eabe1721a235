"""Weights in 8 and 4 bits: asked for, refused in words, told apart, and run where bitsandbytes is installed."""

from __future__ import annotations

import json
import sys
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from transformers import BitsAndBytesConfig

from explore.errors import CheckpointError, ParameterError
from explore.models import loading, quantization
from explore.models.fingerprints import runner_fingerprint
from explore.models.loading import load_runner
from explore.models.quantization import bitsandbytes_config, checked_quantization, missing_for, quantization_of, way_to
from explore.models.runner import Runner
from explore.models.stored import expected_bytes
from explore.sessions import Session
from tests.models.samples import EVERYTHING, QUESTION, noise
from tests.tiny import tiny_llava, tiny_runner

CPU = torch.device("cpu")
installed = pytest.mark.skipif(find_spec("bitsandbytes") is None, reason="bitsandbytes is not installed")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    where = tmp_path_factory.mktemp("tiny")
    model, processor = tiny_llava(seed=9)
    model.save_pretrained(where)
    processor.save_pretrained(where)
    return where


def pretend(monkeypatch: pytest.MonkeyPatch, *devices: str, usable: bool = True) -> None:
    """A bitsandbytes that knows these devices and nothing else."""
    package = ModuleType("bitsandbytes")
    package.supported_torch_devices = set(devices)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "bitsandbytes", package)
    monkeypatch.setattr(quantization, "find_spec", lambda name: object())
    monkeypatch.setattr(quantization, "is_bitsandbytes_available", lambda: usable)


def without(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quantization, "find_spec", lambda name: None)


@pytest.mark.parametrize("wrong", ["3bit", "int8", 4, True, ["4bit"]])
def test_quantisations_there_are_not(wrong: Any, folder: Path) -> None:
    with pytest.raises(ParameterError, match='"8bit", "4bit" and None'):
        load_runner(folder, quantization=wrong)
    with Session() as session, pytest.raises(ParameterError, match='"8bit", "4bit" and None'):
        session.load(folder, quantization=wrong)


def test_none_is_one_of_them() -> None:
    assert [checked_quantization(each) for each in (None, "8bit", "4bit")] == [None, "8bit", "4bit"]


def test_without_the_package_the_error_says_what_to_install_and_what_to_do_instead(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without(monkeypatch)
    with pytest.raises(
        CheckpointError, match=r"4bit.*not installed.*bfloat16.*device_map.*pip install -U bitsandbytes"
    ):
        load_runner(folder, quantization="4bit")
    assert way_to("4bit", CPU) == 'quantization="4bit" after `pip install -U bitsandbytes`'


def test_an_old_package_is_told_from_a_missing_one(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, "cpu", usable=False)
    assert "older than" in str(missing_for(CPU))


def test_a_package_that_breaks_on_import_is_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch)
    monkeypatch.setitem(sys.modules, "bitsandbytes", None)
    assert "cannot be imported" in str(missing_for(CPU))


def test_a_device_that_the_package_does_not_know_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, "cuda", "xpu")
    with pytest.raises(CheckpointError, match="does not run on 'cpu', only on cuda, xpu"):
        bitsandbytes_config("8bit", torch.float32, CPU, None)
    assert missing_for(torch.device("cuda:1")) is None
    assert (way_to("8bit", CPU), way_to("8bit", torch.device("cuda:0"))) == (None, 'quantization="8bit"')


@pytest.mark.parametrize(("kind", "bits"), [("8bit", (True, False)), ("4bit", (False, True))])
def test_the_library_is_told(kind: str, bits: tuple[bool, bool], folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What reaches the library, without the package that it would then need."""
    pretend(monkeypatch, "cpu")
    told: dict[str, Any] = {}

    def note(*args: Any, **options: Any) -> None:
        told.update(options)
        raise ImportError("stop here")

    monkeypatch.setattr(loading.AutoModelForImageTextToText, "from_pretrained", note)
    with pytest.raises(CheckpointError):
        load_runner(folder, quantization=kind)
    config = told["quantization_config"]
    assert (config.load_in_8bit, config.load_in_4bit) == bits
    assert (config.bnb_4bit_quant_type, config.bnb_4bit_compute_dtype) == ("nf4", torch.float32)
    with pytest.raises(CheckpointError):
        load_runner(folder)
    assert told["quantization_config"] is config, "a plain load said something of quantisation"


def test_a_checkpoint_that_is_quantised_is_not_quantised_again(folder: Path, tmp_path: Path) -> None:
    for each in folder.iterdir():
        (tmp_path / each.name).write_bytes(each.read_bytes())
    config = json.loads((folder / "config.json").read_text())
    config["quantization_config"] = {"quant_method": "gptq", "bits": 4}
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(ParameterError, match=r"already \(gptq\).*quantization=None"):
        load_runner(tmp_path, quantization="8bit")


def test_the_name_of_a_quantisation() -> None:
    class Config:
        quantization_config: Any = None

    config = Config()
    assert quantization_of(config) == quantization_of(object()) == ""
    for given, name in [
        ({"load_in_4bit": True, "quant_method": "bitsandbytes"}, "4bit"),
        (BitsAndBytesConfig(load_in_8bit=True), "8bit"),
        ({"quant_method": "awq"}, "awq"),
        ({}, "quantised"),
    ]:
        config.quantization_config = given
        assert quantization_of(config) == name


def test_fingerprints_and_info_tell_quantised_runners_apart() -> None:
    model, processor = tiny_llava()
    model.config.quantization_config = {"load_in_8bit": True}
    quantised = Runner(model, processor, checkpoint="tiny", revision="test")
    assert (quantised.info.quantization, tiny_runner().info.quantization) == ("8bit", "")
    assert runner_fingerprint(quantised.info) != tiny_runner().fingerprint


@installed
@pytest.mark.parametrize("kind", ["8bit", "4bit"])
def test_a_quantised_model_runs_and_is_laid_open(kind: str, folder: Path) -> None:
    plain, runner = load_runner(folder), load_runner(folder, quantization=kind)
    assert (runner.info.quantization, runner.info.dtype) == (kind, "float32")
    assert runner.info.nbytes < 0.65 * plain.info.nbytes
    assert expected_bytes(folder, "cpu", None, None, kind) == pytest.approx(runner.info.nbytes, rel=0.05)
    trace = runner.read(noise(), QUESTION, "a red dog", record=EVERYTHING)
    exact = plain.read(noise(), QUESTION, "a red dog", record=EVERYTHING)
    size = np.abs(exact.hidden(2)).max()
    assert 0 < np.abs(trace.hidden(2) - exact.hidden(2)).max() < size
    with runner.rerun(trace).replay(gradients=True) as replay:
        np.testing.assert_allclose(replay.states[2].numpy(), trace.hidden(2), atol=1e-5)
        layer = replay.layers[1]
        said = layer.weights(range(trace.positions_fed)) @ layer.values()
        written = sum(layer.written(head, said[head]) for head in range(len(said)))
        expected = layer.projection(layer.output.flatten(2))[0].detach()
        np.testing.assert_allclose(written, expected, atol=0.03)
        assert replay.gradient(0).states[0].abs().max() > 0


@installed
def test_a_session_keeps_plain_and_quantised_runners_apart(folder: Path) -> None:
    with Session() as session:
        runners = [session.load(folder, quantization=kind) for kind in (None, "8bit", "4bit")]
        assert session.runners == tuple(runners)
        assert session.load(folder, quantization="8bit") is runners[1]
