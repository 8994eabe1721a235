"""timm without torchvision: it imports it when it is imported, for what no tower of the zoo uses.

Where torchvision is missing, timm gets empty classes in its place.
"""

from __future__ import annotations

import functools
import importlib
import sys
from enum import Enum
from importlib.util import find_spec
from types import ModuleType
from typing import Any

import pytest
from torch import nn
from transformers.models.timm_wrapper import modeling_timm_wrapper
from transformers.utils import import_utils, is_timm_available

_TORCHVISION = (
    "torchvision",
    "torchvision.datasets",
    "torchvision.models",
    "torchvision.models.feature_extraction",
    "torchvision.ops",
    "torchvision.ops.misc",
    "torchvision.transforms",
    "torchvision.transforms.functional",
)


@functools.cache
def supply_timm() -> None:
    """Let transformers find timm, without torchvision too."""
    if is_timm_available():
        return
    if find_spec("timm") is None:
        pytest.skip("timm is not installed", allow_module_level=True)
    made = {name: _Empty(name) for name in _TORCHVISION}
    for name, module in made.items():
        owner, _, child = name.rpartition(".")
        if owner:
            setattr(made[owner], child, module)
    modes = Enum("InterpolationMode", "NEAREST BILINEAR BICUBIC BOX HAMMING LANCZOS")  # type: ignore[misc]
    made["torchvision.transforms.functional"].InterpolationMode = modes  # type: ignore[attr-defined]
    sys.modules.update(made)
    try:
        modeling_timm_wrapper.timm = importlib.import_module("timm")
    finally:
        for name in made:
            del sys.modules[name]
    import_utils.BACKENDS_MAPPING["timm"] = (lambda: True, "")


class _Empty(ModuleType):
    """A module in which every name is an empty class."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (nn.Module,), {})
