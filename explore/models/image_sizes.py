"""Images of other sizes: resized, padded, cropped; the first half of `image_operations`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import Enum

import numpy as np
import torch
from PIL import Image
from torch.nn import functional


class InterpolationMode(Enum):
    """How `resize` finds the values between pixels. A processor may ask for the last two, no tensor knows them."""

    NEAREST = "nearest"
    NEAREST_EXACT = "nearest-exact"
    BILINEAR = "bilinear"
    BICUBIC = "bicubic"
    LANCZOS = "lanczos"
    BOX = "box"
    HAMMING = "hamming"


_BY_PILLOW = {
    Image.Resampling.NEAREST: InterpolationMode.NEAREST,
    Image.Resampling.BILINEAR: InterpolationMode.BILINEAR,
    Image.Resampling.BICUBIC: InterpolationMode.BICUBIC,
    Image.Resampling.LANCZOS: InterpolationMode.LANCZOS,
}
_OVERSHOOTS = (InterpolationMode.BICUBIC, InterpolationMode.LANCZOS)
_SMOOTH = (InterpolationMode.BILINEAR, *_OVERSHOOTS)


def resize(
    image: torch.Tensor,
    size: Sequence[int],
    interpolation: InterpolationMode | int = InterpolationMode.BILINEAR,
    antialias: bool | None = True,
) -> torch.Tensor:
    """An image of another size; the same size gives the image itself.

    Parameters
    ----------
    image
        (..., channels, height, width), of any number type, which the result has too.
    size
        The new height and width.
    interpolation
        A mode, or Pillow's number of one.
    antialias
        Whether pixels that fall away are averaged. Lanczos always does so, nearest never.
    """
    height, width = size
    if (height, width) == tuple(image.shape[-2:]):
        return image
    mode = interpolation
    if not isinstance(mode, InterpolationMode):
        mode = _BY_PILLOW[Image.Resampling(mode)]
    smooth = mode in _SMOOTH
    bare = _as_it_is(image, mode)
    made = functional.interpolate(
        (image if bare else image.float()).reshape(-1, *image.shape[-3:]),
        size=(int(height), int(width)),
        mode=mode.value,
        align_corners=False if smooth else None,
        antialias=smooth and (bool(antialias) or mode is InterpolationMode.LANCZOS),
    )
    if not bare and image.dtype == torch.uint8 and mode in _OVERSHOOTS:
        made = made.clamp(0, 255)
    if not bare and not image.is_floating_point():
        made = made.round()
    return made.reshape(*image.shape[:-2], *made.shape[-2:]).to(image.dtype)


def _as_it_is(image: torch.Tensor, mode: InterpolationMode) -> bool:
    """Whether torch resizes this number type without a detour; for bytes its rounding differs from that of floats."""
    if image.dtype in (torch.float32, torch.float64):
        return True
    if image.dtype != torch.uint8:
        return False
    if mode not in _SMOOTH:
        return True
    quick = mode is not InterpolationMode.BILINEAR or torch.backends.cpu.get_cpu_capability() in ("AVX2", "AVX512")
    return quick and image.device.type == "cpu"


def pad(
    image: torch.Tensor,
    padding: int | Sequence[int],
    fill: float | Iterable[float] | None = None,
    padding_mode: str = "constant",
) -> torch.Tensor:
    """An image with a border.

    Parameters
    ----------
    image
        (..., channels, height, width).
    padding
        Pixels on the left, top, right and bottom; two numbers are left and right, top and bottom; one is all four.
        Negative ones cut, with the mode "constant" only.
    fill
        The border's value, or one for each channel; None is 0.
    padding_mode
        "constant", or how the border repeats the picture: "edge", "reflect" or "symmetric".

    Raises
    ------
    ValueError
        The padding or its mode is none of these.
    """
    left, top, right, bottom = _four_sides(padding)
    if padding_mode in ("edge", "reflect", "symmetric"):
        rows = _repeated(image.shape[-2], top, bottom, padding_mode)
        columns = _repeated(image.shape[-1], left, right, padding_mode)
        return image[..., rows[:, None], columns]
    if padding_mode != "constant":
        raise ValueError(f"padding_mode={padding_mode!r} is none of constant, edge, reflect and symmetric")
    sides, border = (left, right, top, bottom), fill if isinstance(fill, Iterable) else [fill or 0]
    values = [float(each) for each in border]
    if len(values) == 1:
        return functional.pad(image, sides, value=values[0])
    channels = zip(image.split(1, -3), values, strict=True)
    return torch.cat([functional.pad(channel, sides, value=value) for channel, value in channels], -3)


def _four_sides(padding: int | Sequence[int]) -> tuple[int, int, int, int]:
    """Left, top, right, bottom."""
    sides = [padding] if isinstance(padding, int) else [*padding]
    if len(sides) not in (1, 2, 4):
        raise ValueError(f"padding={padding!r} is neither one number nor two nor four")
    left, top, right, bottom = sides * (4 // len(sides))
    return left, top, right, bottom


def _repeated(length: int, before: int, after: int, mode: str) -> torch.Tensor:
    """Which of `length` pixels stands at each place of a longer row."""
    return torch.from_numpy(np.pad(np.arange(length), (before, after), mode=mode))  # type: ignore[call-overload]


def crop(image: torch.Tensor, top: int, left: int, height: int, width: int) -> torch.Tensor:
    """(..., channels, height, width) from (top, left) on; outside of the image everything is 0."""
    inside = image[..., max(top, 0) : max(top + height, 0), max(left, 0) : max(left + width, 0)]
    if tuple(inside.shape[-2:]) == (height, width):
        return inside
    above, before = min(max(-top, 0), height), min(max(-left, 0), width)
    return pad(inside, (before, above, width - before - inside.shape[-1], height - above - inside.shape[-2]))
