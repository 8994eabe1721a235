"""The torchvision functions that transformers' image and video processors call, made of torch alone.

Names, parameters and results are those of ``torchvision.transforms.v2.functional``, as far as the processors use them;
`torchvision_free` puts this module in its place. Images are tensors (..., channels, height, width), sizes are
(height, width).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from PIL import Image
from torch.nn import functional

from explore.models.image_sizes import InterpolationMode, crop, pad, resize

__all__ = [
    "InterpolationMode",
    "crop",
    "gaussian_blur",
    "grayscale_to_rgb",
    "normalize",
    "pad",
    "pil_to_tensor",
    "resize",
    "rgb_to_grayscale",
    "to_dtype",
    "to_dtype_image",
    "to_image",
    "to_pil_image",
]


def normalize(
    image: torch.Tensor,
    mean: float | Sequence[float] | torch.Tensor,
    std: float | Sequence[float] | torch.Tensor,
    inplace: bool = False,
) -> torch.Tensor:
    """(image - mean) / std, each of them one number or one a channel; the image itself is changed where wanted.

    Raises
    ------
    TypeError
        The image is of whole numbers.
    ValueError
        A standard deviation is 0.
    """
    if not image.is_floating_point():
        raise TypeError(f"An image of {image.dtype} cannot be normalised")
    middle, spread = (
        torch.as_tensor(each, dtype=image.dtype, device=image.device).reshape(-1, 1, 1) for each in (mean, std)
    )
    if not isinstance(std, torch.Tensor) and not spread.all():
        raise ValueError("A standard deviation is 0")
    return (image.sub_(middle) if inplace else image.sub(middle)).div_(spread)


def to_dtype(image: torch.Tensor, dtype: torch.dtype = torch.float32, scale: bool = False) -> torch.Tensor:
    """An image of another number type; with `scale` the whole range of integers and 0 to 1 become each other.

    Raises
    ------
    ValueError
        Integers would have to be scaled to other integers.
    """
    if not scale or image.dtype == dtype or (image.is_floating_point() and dtype.is_floating_point):
        return image.to(dtype)
    if dtype.is_floating_point:
        return image.to(dtype).mul_(1 / torch.iinfo(image.dtype).max)
    if not image.is_floating_point():
        raise ValueError(f"Numbers of {image.dtype} are not scaled to {dtype}")
    # A little less than one more than the largest: each integer has an equal share of 0 to 1.
    return image.mul(torch.iinfo(dtype).max + 0.999).to(dtype)


to_dtype_image = to_dtype


def rgb_to_grayscale(image: torch.Tensor, num_output_channels: int = 1) -> torch.Tensor:
    """(..., 3 or 1 channels, height, width) to one channel of brightness, or to three equal ones."""
    if image.shape[-3] == 1:
        return image.expand(*image.shape[:-3], num_output_channels, *image.shape[-2:]).clone()
    red, green, blue = image.unbind(-3)
    light = red.mul(0.2989).add_(green, alpha=0.587).add_(blue, alpha=0.114).to(image.dtype).unsqueeze(-3)
    return light.expand(*image.shape[:-3], num_output_channels, *image.shape[-2:])


def grayscale_to_rgb(image: torch.Tensor) -> torch.Tensor:
    """(..., 1 channel, height, width) to three equal channels; three or more stay."""
    return image if image.shape[-3] >= 3 else rgb_to_grayscale(image, 3)


def gaussian_blur(image: torch.Tensor, kernel_size: Sequence[int], sigma: Sequence[float]) -> torch.Tensor:
    """An image (..., channels, height, width) blurred by a bell; `kernel_size` and `sigma` are (across, down)."""
    across, down = (_bell(*each).to(image.device) for each in zip(kernel_size, sigma, strict=True))
    kernel = (down[:, None] * across).to(image.dtype if image.is_floating_point() else torch.float32)
    flat = image.reshape(-1, 1, *image.shape[-2:]).to(kernel.dtype)
    right, bottom = (size // 2 for size in kernel_size)
    made = functional.conv2d(functional.pad(flat, (right, right, bottom, bottom), mode="reflect"), kernel[None, None])
    return (made if image.is_floating_point() else made.round()).reshape(image.shape).to(image.dtype)


def _bell(size: int, sigma: float) -> torch.Tensor:
    """(size,) weights that sum to 1."""
    end = (size - 1) / (2 * math.sqrt(2))
    return torch.softmax(-((torch.linspace(-end, end, size) / sigma) ** 2), 0)


def pil_to_tensor(picture: Image.Image) -> torch.Tensor:
    """(channels, height, width), the numbers as they are."""
    numbers = torch.from_numpy(np.array(picture))
    return numbers.reshape(picture.height, picture.width, -1).permute(2, 0, 1)


def to_image(picture: Image.Image | np.ndarray | torch.Tensor) -> torch.Tensor:
    """(channels, height, width) of a picture or of an array (height, width, channels); a tensor stays."""
    if isinstance(picture, torch.Tensor):
        return picture
    if isinstance(picture, Image.Image):
        return pil_to_tensor(picture)
    return torch.from_numpy(np.atleast_3d(picture)).permute(2, 0, 1).contiguous()


def to_pil_image(image: torch.Tensor) -> Image.Image:
    """A picture of (channels, height, width) or (height, width): bytes, or numbers from 0 to 1."""
    flat = image if image.ndim == 3 else image[None]
    numbers = (flat.mul(255).byte() if flat.is_floating_point() else flat).permute(1, 2, 0).cpu().numpy()
    return Image.fromarray(numbers[..., 0] if numbers.shape[-1] == 1 else numbers)
