"""Where torchvision is not installed: transformers' own image and video processors, with our functions in its place.

Some image processors and all video processors of transformers exist only for torchvision: without it the library hands
out placeholders. What these processors decide (sizes, crops, tiles, the order of patches) is their own code;
torchvision only resizes, pads and normalises for them. So their files are imported while `image_operations` plays
torchvision, and they keep it; the rest of the library goes on without torchvision. Where it is installed, nothing here
does anything.
"""

from __future__ import annotations

import functools
import importlib
import logging
import sys
import threading
from collections.abc import Iterator, MutableMapping
from contextlib import ExitStack, contextmanager
from importlib.util import module_from_spec, spec_from_file_location
from types import ModuleType
from typing import Any

from PIL import Image
from transformers import image_processing_backends, utils, video_processing_utils
from transformers.models.auto import image_processing_auto, processing_auto, video_processing_auto
from transformers.utils import import_utils, is_torchvision_available
from transformers.utils.import_utils import DummyObject, _LazyModule

from explore.models import image_operations
from explore.models.image_operations import InterpolationMode

# What decides for good, when it is imported, whether torchvision is there: imported above, so that it decides rightly.
_ROOTS = (image_processing_auto, video_processing_auto, processing_auto)
_BASES = ("BaseVideoProcessor", "TorchvisionBackend", "VideoProcessorMixin")
_MODES = {
    Image.Resampling.NEAREST: InterpolationMode.NEAREST_EXACT,
    Image.Resampling.BILINEAR: InterpolationMode.BILINEAR,
    Image.Resampling.BICUBIC: InterpolationMode.BICUBIC,
    Image.Resampling.LANCZOS: InterpolationMode.LANCZOS,
    Image.Resampling.BOX: InterpolationMode.BOX,
    Image.Resampling.HAMMING: InterpolationMode.HAMMING,
}
_LOCK = threading.RLock()


def module_of(name: str) -> ModuleType:
    """A module of a family that may need torchvision, "llama4.image_processing_llama4" say."""
    with present():
        return importlib.import_module(f"transformers.models.{name}")


@contextmanager
def present() -> Iterator[None]:
    """Inside, modules can be imported as if torchvision were there; what they take from it are our operations."""
    if is_torchvision_available():
        yield
        return
    with _LOCK, ExitStack() as undo:
        _supply()
        for name, module in _torchvision().items():
            _put(undo, sys.modules, name, module)
        for place in (utils, import_utils):
            for name in ("is_torchvision_available", "is_torchvision_v2_available"):
                _put(undo, vars(place), name, lambda: True)
        yield


@contextmanager
def complete() -> Iterator[None]:
    """Inside, for this thread, the library finds all processors that lack nothing but torchvision."""
    if is_torchvision_available():
        yield
        return
    with _LOCK, ExitStack() as undo:
        for name, table in _video_tables().items():
            _put(undo, vars(video_processing_auto), name, table)
        image_processing_auto.logger.addFilter(_is_true)
        undo.callback(image_processing_auto.logger.removeFilter, _is_true)
        _find_all(undo)
        yield


def _is_true(record: logging.LogRecord) -> bool:
    """Not the library's word that it takes torchvision instead of Pillow."""
    return "Falling back to torchvision" not in record.getMessage()


def _find_all(undo: ExitStack) -> None:
    """Let this thread find the classes behind the library's placeholders until `undo`."""
    if "__getattribute__" in vars(_LazyModule):
        return  # it does already
    ours = threading.get_ident()

    def attribute(module: ModuleType, name: str) -> Any:
        look = _attribute if threading.get_ident() == ours else ModuleType.__getattribute__
        return look(module, name)

    _LazyModule.__getattribute__ = attribute
    undo.callback(delattr, _LazyModule, "__getattribute__")


def _attribute(module: ModuleType, name: str) -> Any:
    """What a module of the library holds; the class itself instead of a placeholder that lacks only torchvision."""
    if name in _BASES:
        return vars(video_processing_utils)[name]
    try:
        found = ModuleType.__getattribute__(module, name)
    except AttributeError:
        found = _LazyModule.__getattr__(module, name)
    if type(found) is not DummyObject or found._backends != ["torchvision"]:
        return found
    where = vars(sys.modules["transformers"])["_class_to_module"][found.__name__]
    return vars(module_of(where.removeprefix("models.")))[found.__name__]


@functools.cache
def _supply() -> None:
    """What the library's common code, imported before, would have taken from torchvision; only its classes use it."""
    import_utils.is_timm_available()  # this answer depends on torchvision's and is remembered, so it is asked now
    for place in (image_processing_backends, video_processing_utils):
        place.tvF = image_operations
    image_processing_backends.is_torchvision_greater_or_equal = lambda version: True  # the operations know Lanczos
    image_processing_backends.pil_torch_interpolation_mapping = _MODES
    image_processing_backends.torch_pil_interpolation_mapping = {mode: pillow for pillow, mode in _MODES.items()}


@functools.cache
def _torchvision() -> dict[str, ModuleType]:
    """The modules that are imported from, by name."""
    names = ("torchvision", "torchvision.transforms", "torchvision.transforms.v2")
    package, transforms, second = made = [ModuleType(name) for name in names]
    package.transforms, transforms.v2 = transforms, second  # type: ignore[attr-defined]
    transforms.InterpolationMode = InterpolationMode  # type: ignore[attr-defined]
    transforms.functional = second.functional = image_operations  # type: ignore[attr-defined]
    functionals = {f"{each.__name__}.functional": image_operations for each in (transforms, second)}
    return {**dict(zip(names, made, strict=True)), **functionals}


@functools.cache
def _video_tables() -> dict[str, Any]:
    """Which video processor each family has: the library empties its own tables where torchvision is missing."""
    with present(), ExitStack() as undo:
        names = _copy_of("auto_mappings")
        _put(undo, sys.modules, names.__name__, names)
        copy = _copy_of("video_processing_auto")
    # Classes that a user registers count too.
    copy.VIDEO_PROCESSOR_MAPPING._extra_content = video_processing_auto.VIDEO_PROCESSOR_MAPPING._extra_content
    return {name: vars(copy)[name] for name in ("VIDEO_PROCESSOR_MAPPING", "VIDEO_PROCESSOR_MAPPING_NAMES")}


def _copy_of(name: str) -> ModuleType:
    """One of the library's automatic modules, run again."""
    original = importlib.import_module(f"transformers.models.auto.{name}")
    spec = spec_from_file_location(original.__name__, original.__file__)
    assert spec is not None
    assert spec.loader is not None
    copy = module_from_spec(spec)
    spec.loader.exec_module(copy)
    return copy


def _put(undo: ExitStack, values: MutableMapping[str, Any], name: str, value: Any) -> None:
    """Put a value in its place until `undo`."""
    if name in values:
        undo.callback(values.__setitem__, name, values[name])
    else:
        undo.callback(values.pop, name, None)
    values[name] = value
