"""The few torchvision functions that transformers' processors call, made of torch alone.

Some image processors and all video processors exist only for torchvision. What they decide (sizes, crops, tiles, patch
order) is their own code; torchvision only resizes, pads and normalises for them. With these functions in its place the
real classes run where torchvision is not installed; where it is, nothing here is used.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from enum import Enum
from types import ModuleType
from typing import Any
from unittest import mock

import numpy as np
import torch
from PIL import Image
from transformers import image_processing_backends, image_utils, video_processing_utils
from transformers.utils import import_utils, is_torchvision_available


class InterpolationMode(Enum):
    """Names as in torchvision."""

    NEAREST = "nearest"
    NEAREST_EXACT = "nearest-exact"
    BILINEAR = "bilinear"
    BICUBIC = "bicubic"
    BOX = "box"
    HAMMING = "hamming"
    LANCZOS = "lanczos"


_RESAMPLING = {
    Image.Resampling.NEAREST: InterpolationMode.NEAREST_EXACT,
    Image.Resampling.BOX: InterpolationMode.BOX,
    Image.Resampling.BILINEAR: InterpolationMode.BILINEAR,
    Image.Resampling.HAMMING: InterpolationMode.HAMMING,
    Image.Resampling.BICUBIC: InterpolationMode.BICUBIC,
    Image.Resampling.LANCZOS: InterpolationMode.LANCZOS,
}


def resize(
    image: torch.Tensor,
    size: Sequence[int],
    interpolation: InterpolationMode | int = InterpolationMode.BILINEAR,
    antialias: bool | None = True,
    **_: Any,
) -> torch.Tensor:
    """(..., height, width) to `size`; whole numbers stay whole."""
    if isinstance(interpolation, int):  # Pillow's number
        interpolation = _RESAMPLING[Image.Resampling(interpolation)]
    smooth = interpolation in (InterpolationMode.BILINEAR, InterpolationMode.BICUBIC, InterpolationMode.LANCZOS)
    options: dict[str, Any] = {"align_corners": False, "antialias": bool(antialias)} if smooth else {}
    flat = image.reshape(-1, *image.shape[-3:])
    if not (smooth and antialias):  # bytes have a kernel of their own with antialiasing only
        flat = flat.float()
    made = torch.nn.functional.interpolate(flat, size=tuple(size), mode=interpolation.value, **options)
    if made.is_floating_point() and not image.is_floating_point():
        made = made.clamp(0, 255).round()
    return made.reshape(*image.shape[:-2], *made.shape[-2:]).to(image.dtype)


def pad(
    image: torch.Tensor, padding: Sequence[int], fill: Any = 0, padding_mode: str = "constant", **_: Any
) -> torch.Tensor:
    """`padding` is left, top, right, bottom; `fill` one value or one a channel."""
    if len(padding) == 2:
        padding = [*padding, *padding]
    left, top, right, bottom = padding
    if padding_mode != "constant":
        return torch.nn.functional.pad(image.float(), (left, right, top, bottom), padding_mode).to(image.dtype)
    height, width = image.shape[-2:]
    values = torch.as_tensor(0 if fill is None else fill, dtype=image.dtype).reshape(-1, 1, 1)
    shape = (*image.shape[:-2], height + top + bottom, width + left + right)
    made = values.expand(shape).clone()
    made[..., top : top + height, left : left + width] = image
    return made


def crop(image: torch.Tensor, top: int, left: int, height: int, width: int) -> torch.Tensor:
    """The part of an image that begins at (top, left) and lies inside it."""
    return image[..., top : top + height, left : left + width]


def normalize(image: torch.Tensor, mean: Any, std: Any, inplace: bool = False) -> torch.Tensor:
    """(image - mean) / std, one number or one a channel."""
    mean, std = (torch.as_tensor(each, dtype=image.dtype).reshape(-1, 1, 1) for each in (mean, std))
    return (image - mean) / std


def to_dtype(image: torch.Tensor, dtype: torch.dtype = torch.float32, scale: bool = False) -> torch.Tensor:
    """Between bytes and numbers from 0 to 1."""
    if scale and image.is_floating_point() != dtype.is_floating_point:
        image = image / 255 if dtype.is_floating_point else (image * 255.999).floor()
    return image.to(dtype)


def grayscale_to_rgb(image: torch.Tensor) -> torch.Tensor:
    """One channel becomes three."""
    return image.expand(*image.shape[:-3], 3, *image.shape[-2:]) if image.shape[-3] == 1 else image


def pil_to_tensor(picture: Image.Image) -> torch.Tensor:
    """(channels, height, width) bytes."""
    return torch.from_numpy(np.array(picture)).permute(2, 0, 1)


def to_pil_image(image: torch.Tensor) -> Image.Image:
    """Bytes, (channels, height, width), as a picture."""
    return Image.fromarray(image.permute(1, 2, 0).numpy())


@contextmanager
def present() -> Iterator[ModuleType]:
    """Inside, transformers' modules can be imported as if torchvision were there; they keep these functions."""
    is_torchvision_available()  # what it says is remembered, so the rest of the library goes on without torchvision
    import_utils.is_torchvision_v2_available()
    for name in ("image_processing_auto", "video_processing_auto", "processing_auto"):
        importlib.import_module(f"transformers.models.auto.{name}")
    own = sys.modules[__name__]
    names = ["torchvision", "torchvision.transforms", "torchvision.transforms.v2"]
    stand = {name: ModuleType(name) for name in names}
    stand["torchvision.transforms.v2.functional"] = stand["torchvision.transforms.functional"] = own
    for name, module in [*stand.items()]:
        owner, _, child = name.rpartition(".")
        if owner:
            setattr(stand[owner], child, module)
    stand["torchvision.transforms"].InterpolationMode = InterpolationMode  # type: ignore[attr-defined]
    with ExitStack() as undo:
        for name, module in stand.items():
            sys.modules[name] = module
            undo.callback(sys.modules.pop, name)
        for place in (import_utils, sys.modules["transformers.utils"]):
            for name in ("is_torchvision_available", "is_torchvision_v2_available"):
                undo.enter_context(mock.patch.object(place, name, return_value=True))
        yield own


def module_of(name: str) -> ModuleType:
    """A module of transformers that may need torchvision, "llama4.image_processing_llama4" say."""
    full = f"transformers.models.{name}"
    if is_torchvision_available():
        return importlib.import_module(full)
    own = sys.modules[__name__]
    for place in (image_processing_backends, video_processing_utils):
        vars(place).setdefault("tvF", own)
    image_processing_backends.is_torchvision_greater_or_equal = lambda version: True  # Lanczos is here
    image_processing_backends.pil_torch_interpolation_mapping = _RESAMPLING
    image_processing_backends.torch_pil_interpolation_mapping = {b: a for a, b in _RESAMPLING.items()}
    image_utils.pil_torch_interpolation_mapping.update(_RESAMPLING)
    with present():
        return importlib.import_module(full)
