"""Processors by AutoProcessor, and without torchvision too."""

from __future__ import annotations

from typing import Any

from transformers import AutoProcessor
from transformers.utils import is_torchvision_available

from explore.models import torchvision_free

# For Pillow, and cuts tensors by numpy's rules, so that it fails at every picture; where the one for torchvision is.
_FAILING = {"FuyuImageProcessorPil": ("fuyu.image_processing_fuyu", "FuyuImageProcessor")}


def load_processor(source: str, options: dict[str, Any]) -> Any:
    """The processor of a checkpoint: what makes a model's inputs of text, pictures and films.

    Parameters
    ----------
    source
        A folder, or a name on the hub.
    options
        What AutoProcessor is to know, such as ``revision`` and ``local_files_only``.

    Returns
    -------
    Any
        The library's processor, with image and video processors of the library. Where torchvision is missing they are
        those for Pillow, and where there are none or they fail, those for torchvision on our `image_operations`.

    Raises
    ------
    Exception
        Whatever AutoProcessor raises where torchvision is installed.
    """
    found = _by_library(source, options)
    own: Any = getattr(found, "image_processor", None)
    if type(own).__name__ in _FAILING:
        module, name = _FAILING[type(own).__name__]
        found.image_processor = getattr(torchvision_free.module_of(module), name).from_dict(own.to_dict())
    return found


def _by_library(source: str, options: dict[str, Any]) -> Any:
    try:
        return AutoProcessor.from_pretrained(source, **options)
    except Exception:  # without torchvision anything may come of it: placeholders, empty tables, failed checks
        if is_torchvision_available():
            raise
    with torchvision_free.complete():
        return AutoProcessor.from_pretrained(source, **options)
