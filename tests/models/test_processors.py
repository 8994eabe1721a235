"""Processors come back from a folder as they were saved, without torchvision too, and leave the library as it was."""

from __future__ import annotations

import functools
import json
import subprocess
import sys
import threading
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from PIL import Image
from transformers import AutoProcessor, image_processing_backends
from transformers.models.auto import image_processing_auto, video_processing_auto
from transformers.models.smolvlm import processing_smolvlm
from transformers.utils import import_utils, is_torchvision_available
from transformers.utils.import_utils import DummyObject, _LazyModule

from explore.errors import CheckpointError
from explore.models import loading, processors, torchvision_free
from explore.models.processors import load_processor
from tests.zoo import ZOO
from tests.zoo.parts import inputs, prompt

OPTIONS = {"local_files_only": True, "trust_remote_code": False}
SIZES = [(37, 29), (53, 61)]
UNSAVED = (
    "num_image_tokens",
    "images_kwargs",
    "videos_kwargs",
)  # of a class; the zoo sets smaller ones, files hold none
FILMS = [name for name, entry in ZOO.items() if entry.video]
pytestmark = [
    pytest.mark.filterwarnings("ignore"),
    pytest.mark.skipif(is_torchvision_available(), reason="with torchvision nothing is stood in for"),
]


@pytest.fixture(scope="session")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The folder of a family, with its processor and a config that names it, written once."""

    @functools.cache
    def write(name: str) -> Path:
        where = tmp_path_factory.mktemp(name)
        model, own = ZOO[name].build()
        own.save_pretrained(where)
        (where / "config.json").write_text(json.dumps({"model_type": model.config.model_type}))
        return where

    return write


@pytest.mark.parametrize("name", ZOO)
def test_pictures_and_text_become_the_same(name: str, saved: Callable[[str], Path]) -> None:
    entry = ZOO[name]
    model, own = entry.build()
    again = _again(own, saved(name))
    assert type(again) is type(own)
    for part in own.get_attributes():
        assert "tokenizer" in part or type(getattr(again, part)) is type(getattr(own, part))
    sizes = SIZES if entry.several else SIZES[:1]
    pictures = [_picture(*size) for size in sizes for _ in range(entry.frames or 1)]
    more: dict[str, Any] = {"mixed": entry.mixed, **dict.fromkeys(entry.asks, True)}
    before, after = (inputs(model, each, pictures, **more) for each in (own, again))
    _same(after, before)


@pytest.mark.parametrize("name", FILMS)
def test_films_become_the_same(name: str, saved: Callable[[str], Path]) -> None:
    own = ZOO[name].build()[1]
    again = _again(own, saved(name))
    _same(_film(name, again), _film(name, own))


@pytest.mark.parametrize(
    ("name", "image", "video"),
    [
        ("qwen2_vl", "Qwen2VLImageProcessorFast", "Qwen2VLVideoProcessor"),
        ("internvl", "GotOcr2ImageProcessorFast", "InternVLVideoProcessor"),
        ("llama4", "Llama4ImageProcessorFast", None),
        ("mistral3", "PixtralImageProcessorFast", None),
    ],
)
def test_checkpoints_of_earlier_versions(name: str, image: str, video: str | None, tmp_path: Path) -> None:
    """One file for pictures that names the processor too, and none for films: their class follows from the others."""
    model, own = ZOO[name].build()
    own.tokenizer.save_pretrained(tmp_path)
    model.config.save_pretrained(tmp_path)
    fields = own.image_processor.to_dict() | {"image_processor_type": image, "processor_class": type(own).__name__}
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(fields))
    again = load_processor(str(tmp_path), OPTIONS)
    assert type(again) is type(own)
    assert type(again.image_processor) is type(own.image_processor)
    assert video is None or type(again.video_processor).__name__ == video
    assert again.image_processor(_picture(*SIZES[0]), return_tensors="pt")["pixel_values"].isfinite().all()


@pytest.mark.parametrize("name", [name for name, entry in ZOO.items() if not entry.needs])
def test_what_the_library_loads_alone_stays_its_own(name: str, saved: Callable[[str], Path]) -> None:
    alone = AutoProcessor.from_pretrained(saved(name), **OPTIONS)
    again = load_processor(str(saved(name)), OPTIONS)
    for part in again.get_attributes():
        assert type(getattr(again, part)) is type(getattr(alone, part))
    assert getattr(again.image_processor, "backend", "pil") == "pil"


def test_nothing_stays_changed(saved: Callable[[str], Path]) -> None:
    for name in ("qwen2_vl", "llama4", "mistral3", "ernie4_5_vl_moe"):
        load_processor(str(saved(name)), OPTIONS)
    for place in (transformers, transformers.utils, import_utils, image_processing_auto, image_processing_backends):
        assert not place.is_torchvision_available()
    assert not import_utils.is_torchvision_v2_available()
    assert not import_utils.is_torchvision_greater_or_equal("0.1")
    assert not import_utils.is_timm_available()
    assert not [each for each in sys.modules if each.split(".")[0] == "torchvision"]
    assert find_spec("torchvision") is None
    assert "__getattribute__" not in vars(_LazyModule)
    assert image_processing_auto.logger.filters == []
    assert set(video_processing_auto.VIDEO_PROCESSOR_MAPPING_NAMES["qwen2_vl"].values()) == {None}
    for each in ("Qwen2VLVideoProcessor", "Llama4ImageProcessor", "PixtralProcessor", "BaseVideoProcessor"):
        assert type(getattr(transformers, each)) is DummyObject
    for name in ("qwen2_vl", "llama4", "mistral3"):
        with pytest.raises((ImportError, ValueError), match=r"(?i)torchvision"):
            AutoProcessor.from_pretrained(saved(name), **OPTIONS)


def test_other_threads_see_the_library_as_it_is() -> None:
    seen = list[type]()

    def look() -> None:
        seen.append(type(transformers.Qwen2VLVideoProcessor))

    with torchvision_free.complete(), torchvision_free.complete():
        look()
        other = threading.Thread(target=look)
        other.start()
        other.join()
    look()
    assert seen == [type, DummyObject, DummyObject]


def test_threads_load_at_the_same_time(saved: Callable[[str], Path]) -> None:
    names = ["qwen2_vl", "llama4", "llava", "internvl"] * 2
    found = dict[int, Any]()

    def load(number: int, where: str) -> None:
        found[number] = load_processor(where, OPTIONS)

    threads = [threading.Thread(target=load, args=(number, str(saved(name)))) for number, name in enumerate(names)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert [type(found[number]) for number in range(len(names))] == [type(ZOO[name].build()[1]) for name in names]


def test_loading_first_and_the_zoo_afterwards(saved: Callable[[str], Path]) -> None:
    """In this process the zoo came first."""
    folders = {name: str(saved(name)) for name in ("qwen2_vl", "internvl", "llama4", "mistral3")}
    program = f"""
from explore.models.processors import load_processor
loaded = {{name: load_processor(where, {OPTIONS!r}) for name, where in {folders!r}.items()}}
from tests.zoo import ZOO
for name, again in loaded.items():
    own = ZOO[name].build()[1]
    assert type(again) is type(own), name
    for part in own.get_attributes():
        assert type(getattr(again, part)) is type(getattr(own, part)), (name, part)
"""
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_with_torchvision_nothing_is_touched(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    before = vars(import_utils)["is_torchvision_available"], {**vars(video_processing_auto)}
    monkeypatch.setattr(torchvision_free, "is_torchvision_available", lambda: True)
    monkeypatch.setattr(processors, "is_torchvision_available", lambda: True)
    monkeypatch.setattr(torchvision_free, "_LOCK", None)
    with torchvision_free.present(), torchvision_free.complete():
        assert (vars(import_utils)["is_torchvision_available"], {**vars(video_processing_auto)}) == before
        assert "__getattribute__" not in vars(_LazyModule)
    with pytest.raises(ValueError, match="Unrecognized"):
        load_processor(str(tmp_path), OPTIONS)


@pytest.mark.parametrize("name", ["llava", "qwen2_vl"])
@pytest.mark.parametrize("damaged", ["processor_config.json", "tokenizer.json"])
def test_damage_is_reported_as_damage(name: str, damaged: str, saved: Callable[[str], Path], tmp_path: Path) -> None:
    for each in saved(name).iterdir():
        (tmp_path / each.name).write_bytes(each.read_bytes())
    (tmp_path / damaged).write_text("{")
    with pytest.raises(Exception, match=r"(?i)json|EOF|Expecting") as caught:
        load_processor(str(tmp_path), OPTIONS)
    assert "orchvision" not in str(caught.value)


def test_a_package_that_a_processor_needs_is_named(
    saved: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    where = str(saved("smolvlm"))
    monkeypatch.setattr(processing_smolvlm, "num2words", None)
    with pytest.raises(ImportError, match="pip install num2words"):
        load_processor(where, OPTIONS)


@pytest.mark.parametrize(
    ("words", "command"),
    [
        ("Package `num2words` is required. Install it with `pip install num2words`.", "pip install num2words."),
        (
            "X requires the PyAv library but it was not found. Run\n```\npip install av\n```\nand go on",
            "pip install av.",
        ),
        ("X requires the SentencePiece library but it was not found", "pip install sentencepiece."),
        ("No module named 'einops'", "pip install einops."),
        ("Needs the packages einops, timm. Run `pip install einops timm`", "pip install einops timm."),
    ],
)
def test_the_command_that_installs_it_is_given(words: str, command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise ImportError(words)

    monkeypatch.setattr(loading, "load_processor", fail)
    with pytest.raises(CheckpointError, match="not installed") as caught:
        loading.load_runner()
    assert " ".join(words.split()) in str(caught.value)
    assert str(caught.value).endswith(command)


def _again(own: Any, where: Path) -> Any:
    """What was saved, with what no file holds."""
    again = load_processor(str(where), OPTIONS)
    for name in UNSAVED:
        if name in vars(own):
            setattr(again, name, vars(own)[name])
    return again


def _film(name: str, own: Any) -> dict[str, Any]:
    entry = ZOO[name]
    height, width = (24, 32) if name == "minimax_m3_vl" else (29, 37)  # MiniMax cuts films as they are
    frames = np.random.default_rng(3).integers(0, 256, (8, height, width, 3), dtype=np.uint8)
    film = {"images": list(frames[: entry.frames])} if entry.frames else {"videos": [frames]}
    made = own(
        text=[prompt(own, 0, films=1)],
        **film,
        return_tensors="pt",
        do_sample_frames=False,
        **dict.fromkeys(entry.asks, True),
    )
    return dict(made)


def _picture(width: int, height: int) -> Image.Image:
    return Image.fromarray(np.random.default_rng(width).integers(0, 256, (height, width, 3), dtype=np.uint8))


def _same(found: Any, wanted: Any) -> None:
    """Equal to the last bit, within lists and dictionaries too."""
    if isinstance(wanted, torch.Tensor):
        assert found.dtype == wanted.dtype
        assert torch.equal(found, wanted)
    elif hasattr(wanted, "items"):
        assert [*found] == [*wanted]
        for key in wanted:
            _same(found[key], wanted[key])
    elif isinstance(wanted, (list, tuple)):
        assert len(found) == len(wanted)
        for each, other in zip(found, wanted, strict=True):
            _same(each, other)
    else:
        assert found == wanted
