"""From a name to a runner, and every way it can fail."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from transformers.utils import logging

from explore.errors import CheckpointError, DeviceError, OutOfMemoryError, ParameterError, RemoteCodeError
from explore.models import loading, sources
from explore.models.devices import resolve_device
from explore.models.fingerprints import folder_revision
from explore.models.loading import load_runner
from explore.models.runner import Runner
from explore.models.stored import expected_bytes
from explore.sessions import Session
from tests.tiny import tiny_llava

PICTURE = Image.new("RGB", (40, 30), (200, 30, 40))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A saved tiny checkpoint with its processor."""
    where = tmp_path_factory.mktemp("tiny")
    model, processor = tiny_llava(seed=9)
    model.save_pretrained(where)
    processor.save_pretrained(where)
    return where


def test_a_saved_folder_gives_the_same_run(folder: Path) -> None:
    before = Runner(*tiny_llava(seed=9)).ask(PICTURE, "what is this?", max_new_tokens=5)
    runner = load_runner(folder)
    after = runner.ask(PICTURE, "what is this?", max_new_tokens=5)
    assert after.tokens == before.tokens
    np.testing.assert_allclose(after.logits, before.logits, atol=1e-5)
    assert (runner.info.checkpoint, runner.info.dtype, runner.info.device) == (str(folder), "float32", "cpu")
    assert len(runner.info.revision) == 12
    assert load_runner(str(folder)).info.revision == runner.info.revision


def test_the_revision_of_a_folder_follows_its_weights(folder: Path, tmp_path: Path) -> None:
    from explore.models.fingerprints import folder_revision

    before = folder_revision(folder)
    copy = tmp_path / "copy"
    copy.mkdir()
    for each in folder.iterdir():
        (copy / each.name).write_bytes(each.read_bytes())
    assert folder_revision(copy) == before
    weights = copy / "model.safetensors"
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)
    assert folder_revision(copy) != before


@pytest.mark.parametrize("dtype", ["bfloat16", "torch.bfloat16", torch.bfloat16])
def test_number_type(folder: Path, dtype: Any) -> None:
    runner = load_runner(folder, dtype=dtype)
    assert runner.info.dtype == "bfloat16"
    assert runner.ask(PICTURE, "what?", max_new_tokens=2).hidden(0).dtype == np.float16


@pytest.mark.parametrize("dtype", ["float33", "int8", torch.int64, 3])
def test_unknown_number_types_are_refused(folder: Path, dtype: Any) -> None:
    with pytest.raises(ParameterError, match="bfloat16"):
        load_runner(folder, dtype=dtype)


def test_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    assert resolve_device("cpu") == torch.device("cpu")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert resolve_device(None) == resolve_device("auto") == torch.device("cpu")
    for missing in ("cuda", "cuda:1", torch.device("cuda")):
        with pytest.raises(DeviceError, match='device="cpu"'):
            resolve_device(missing)
    with pytest.raises(DeviceError, match="toaster"):
        resolve_device("toaster")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    assert resolve_device(None) == resolve_device("cuda") == torch.device("cuda:0")
    with pytest.raises(DeviceError, match="devices here is 1"):
        resolve_device("cuda:1")


def test_an_unknown_checkpoint_without_network_names_the_shipped_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "hub_answers", lambda: False)
    start = time.monotonic()
    with pytest.raises(CheckpointError, match=r"hub cannot be reached.*explore\.load\(\)"):
        load_runner("nobody/has-this-model")
    assert time.monotonic() - start < 60


@pytest.mark.parametrize("name", ["/no/such/folder", "./none", "a/b/c", "~/nothing-here-at-all"])
def test_a_missing_folder_is_not_looked_for_on_the_hub(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def never() -> bool:
        raise AssertionError("the hub was asked")

    monkeypatch.setattr(sources, "hub_answers", never)
    with pytest.raises(CheckpointError, match="There is no folder"):
        load_runner(name)


def test_the_hub_is_not_asked_when_told_to_stay_offline() -> None:
    assert sources.hub_answers() is False  # tests run with HF_HUB_OFFLINE=1


def test_a_folder_without_a_checkpoint(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"no config\.json"):
        load_runner(tmp_path)


def changed(folder: Path, where: Path, name: str, **fields: Any) -> Path:
    """A copy of a checkpoint with fields of one JSON file changed; None takes the field out."""
    where.mkdir(exist_ok=True)
    for each in folder.iterdir():
        (where / each.name).write_bytes(each.read_bytes())
    data = {**json.loads((where / name).read_text()), **fields}
    (where / name).write_text(json.dumps({key: value for key, value in data.items() if value is not None}))
    return where


def test_remote_code_is_refused_unless_asked_for(folder: Path, tmp_path: Path) -> None:
    auto_map = {"AutoConfig": "code.Config", "AutoModelForImageTextToText": "code.Model"}
    where = changed(folder, tmp_path / "remote", "config.json", model_type="homemade", auto_map=auto_map)
    (where / "code.py").write_text("raise SystemExit('foreign code was run')")
    with pytest.raises(RemoteCodeError, match="trust_remote_code=True"):
        load_runner(where)


def test_remote_code_of_the_processor_is_refused_too(folder: Path, tmp_path: Path) -> None:
    where = changed(
        folder,
        tmp_path / "remote",
        "processor_config.json",
        processor_class="HomeMade",
        auto_map={"AutoProcessor": "code.HomeMade"},
    )
    (where / "code.py").write_text("raise SystemExit('foreign code was run')")
    with pytest.raises(RemoteCodeError):
        load_runner(where)


def test_a_family_nobody_knows(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"gpt2.*no pictures.*llava"):
        load_runner(changed(folder, tmp_path / "other", "config.json", model_type="gpt2", architectures=None))


def test_damaged_checkpoints(folder: Path, tmp_path: Path) -> None:
    broken = changed(folder, tmp_path / "weights", "config.json")
    (broken / "model.safetensors").write_bytes(b"nothing")
    with pytest.raises(CheckpointError, match="cannot be loaded"):
        load_runner(broken)
    (broken / "config.json").write_text("{ not json")
    with pytest.raises(CheckpointError, match="cannot be loaded"):
        load_runner(broken)


def test_a_checkpoint_without_processor(folder: Path, tmp_path: Path) -> None:
    where = changed(folder, tmp_path / "bare", "config.json")
    for name in ("processor_config.json", "tokenizer.json", "tokenizer_config.json", "preprocessor_config.json"):
        (where / name).unlink(missing_ok=True)
    with pytest.raises(CheckpointError, match="cannot be loaded"):
        load_runner(where)


def test_weights_that_do_not_fit_memory(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory.")

    monkeypatch.setattr(loading.AutoModelForImageTextToText, "from_pretrained", fail)
    with pytest.raises(OutOfMemoryError):
        load_runner(folder)


def test_the_shipped_model_loads_without_a_progress_bar(
    capfd: pytest.CaptureFixture[str],
) -> None:
    before = logging.is_progress_bar_enabled()
    logging.enable_progress_bar()
    try:
        load_runner("sketch")
        assert logging.is_progress_bar_enabled()
    finally:
        if not before:
            logging.disable_progress_bar()
    assert "Loading weights" not in capfd.readouterr().err


def with_layers(folder: Path, where: Path, layers: int) -> Path:
    text = json.loads((folder / "config.json").read_text())["text_config"]
    return changed(folder, where, "config.json", text_config={**text, "num_hidden_layers": layers})


def test_a_checkpoint_that_lacks_weights_is_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"lacks .* of the weights .* such as .*layers"):
        load_runner(with_layers(folder, tmp_path / "more", 3))


def test_layers_that_are_left_out_are_named(folder: Path, tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match=r"no place for .* weights of layers"):
        assert load_runner(with_layers(folder, tmp_path / "fewer", 1)).info.layers == 1


def test_a_head_tied_to_the_embeddings_is_not_missing(tmp_path: Path) -> None:
    model, processor = tiny_llava(seed=9)
    model.config.tie_word_embeddings = model.config.text_config.tie_word_embeddings = True
    model.tie_weights()
    model.save_pretrained(tmp_path)
    processor.save_pretrained(tmp_path)
    assert load_runner(tmp_path).ask(PICTURE, "what?", max_new_tokens=2).answer_ids.size


def test_a_tokenizer_that_breaks_its_library(folder: Path, tmp_path: Path) -> None:
    where = changed(folder, tmp_path / "odd", "tokenizer.json", model={"type": "no such"})
    with pytest.raises(CheckpointError, match="cannot be loaded"):
        load_runner(where)


@pytest.mark.parametrize("name", ["x" * 5000, "~nobody-of-this-name/x", "a\0b"])
def test_names_that_no_file_system_takes(name: str) -> None:
    with pytest.raises(CheckpointError):
        load_runner(name)
    with Session() as session, pytest.raises(CheckpointError):
        session.load(name)


@pytest.mark.parametrize("wrong", [5, b"sketch"])
def test_a_checkpoint_is_text_or_a_path(wrong: Any) -> None:
    with pytest.raises(ParameterError, match="checkpoint"):
        load_runner(wrong)
    with Session() as session, pytest.raises(ParameterError, match="checkpoint"):
        session.load(wrong)


def test_folders_and_the_shipped_model_have_no_revision(folder: Path) -> None:
    for name in (None, folder):
        with pytest.raises(ParameterError, match="revision"):
            load_runner(name, revision="main")


@pytest.mark.parametrize("device", ["meta", "xpu"])
def test_devices_nothing_runs_on_here(device: str) -> None:
    with pytest.raises(DeviceError, match="Devices are"):
        resolve_device(device)


def test_the_revision_of_a_folder_follows_every_part_of_its_weights(tmp_path: Path) -> None:
    path, rng = tmp_path / "model.safetensors", np.random.default_rng(0)
    content = bytearray(rng.bytes(3 << 20))
    path.write_bytes(content)
    first, seen = folder_revision(tmp_path), set()
    for place in (0, (3 << 20) // 2, (3 << 20) - 1):
        changed_content = content.copy()
        changed_content[place] ^= 1
        path.write_bytes(changed_content)
        seen.add(folder_revision(tmp_path))
    assert len(seen | {first}) == 4
    path.write_bytes(content)
    (tmp_path / "merges.txt").write_text("a b")
    assert folder_revision(tmp_path) != first


def test_the_bytes_to_come_are_read_from_headers(folder: Path) -> None:
    for dtype in ("float32", "bfloat16", "auto"):
        assert expected_bytes(folder, "cpu", dtype) == pytest.approx(
            load_runner(folder, dtype=dtype).info.nbytes, rel=0.05
        )
    assert expected_bytes(None, None, None) > 1e7
    assert expected_bytes("nobody/nothing", None, None) == 0
