"""Any picture in, one upright RGB picture out.

Everything after this file sees the picture as a person sees it: turned as its EXIF data says, on white where it is
transparent, eight bits a channel. Boxes of a layout count pixels of that picture.
"""

from __future__ import annotations

import hashlib
import io
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from explore.errors import ImageInputError

_ALLOWED = "Allowed are a path, image bytes, a PIL image, and arrays (height, width[, 3 or 4]) of uint8 or 0..1 floats."


def open_pictures(images: Any) -> tuple[Image.Image, ...]:
    """One or several pictures, upright and RGB; a list or tuple means several.

    Raises
    ------
    ImageInputError
        One of them cannot be read, or the list is empty.
    """
    if not isinstance(images, (list, tuple)):
        return (open_picture(images),)
    if not images:
        raise ImageInputError("An empty list of pictures was given", _ALLOWED)
    return tuple(open_picture(image) for image in images)


def open_picture(image: Any) -> Image.Image:
    """One upright RGB picture of its own: later changes to `image` do not reach it.

    Parameters
    ----------
    image
        Path, image bytes or open binary file, PIL image of any mode, or array (height, width), (height, width, 1),
        (height, width, 3) or (height, width, 4) of bool, uint8, uint16 or floats in 0..1.

    Raises
    ------
    ImageInputError
        It is no picture, is cut off, or its values cannot be read as one.
    """
    if isinstance(image, Image.Image):
        return _to_rgb(_load(_copied(image)))
    if isinstance(image, str | os.PathLike):
        return _to_rgb(_load(_open_path(image)))
    if isinstance(image, bytes | bytearray | memoryview):
        return _to_rgb(_load(_open_file(io.BytesIO(image), f"{len(image)} bytes")))
    if hasattr(image, "read"):
        return _to_rgb(_load(_open_file(image, "an open file")))
    if hasattr(image, "__array__"):
        return _to_rgb(_from_array(_as_array(image)))
    raise ImageInputError(f"A {type(image).__name__} was given as a picture", _ALLOWED)


def picture_hash(picture: Image.Image) -> str:
    """Hash of size and pixels, equal for equal pictures whatever file they came from."""
    digest = hashlib.sha256(f"{picture.mode} {picture.size}".encode())
    digest.update(picture.tobytes())
    return digest.hexdigest()[:32]


def _open_path(path: str | os.PathLike[str]) -> Image.Image:
    name = os.fsdecode(path)
    shown = f"'{name}'" if len(name) <= 120 else f"'{name[:100]}…'"
    if name.startswith(("http://", "https://", "data:", "file:")):
        raise ImageInputError(
            f"The address {shown} was given as a picture", _ALLOWED, "Download the picture first and give its path."
        )
    try:
        where = Path(name).expanduser()
        is_file, is_folder = where.is_file(), where.is_dir() and name != ""
    except (OSError, RuntimeError, ValueError) as error:
        raise ImageInputError(f"The picture {shown} cannot be found: {error}", _ALLOWED) from error
    if not is_file:
        what = "is a folder" if is_folder else "does not exist"
        raise ImageInputError(f"The picture {shown} {what}", _ALLOWED, f"Paths are relative to '{Path.cwd()}'.")
    return _open_file(where, shown)


def _open_file(source: Any, name: str) -> Image.Image:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # large photos are welcome here
            return Image.open(source)
    except UnidentifiedImageError as error:
        raise ImageInputError(
            f"{name} is not an image in any format that can be read here", _ALLOWED, "Try it as PNG or JPEG."
        ) from error
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise ImageInputError(f"{name} cannot be read as an image: {error}", _ALLOWED) from error


def _load(image: Image.Image) -> Image.Image:
    """Decode the pixels and turn them upright, in place."""
    with _damage_explained():
        image.load()
        ImageOps.exif_transpose(image, in_place=True)
    return image


def _copied(image: Image.Image) -> Image.Image:
    """A caller's picture as one of our own; a lazily opened file may turn out to be damaged only here."""
    with _damage_explained():
        return image.copy()


@contextmanager
def _damage_explained() -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError, SyntaxError, EOFError, IndexError) as error:
        raise ImageInputError(
            f"The picture is damaged or cut off: {error}", "", "Copy or download it again, or open another one."
        ) from error


def _as_array(image: Any) -> np.ndarray:
    try:
        return np.asarray(image)
    except (TypeError, ValueError, RuntimeError) as error:
        raise ImageInputError(
            f"A {type(image).__name__} that numpy cannot read was given as a picture: {error}",
            _ALLOWED,
            "For a tensor, give image.detach().float().cpu().numpy().",
        ) from error


def _from_array(array: np.ndarray) -> Image.Image:
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[..., 0]
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (3, 4)) or 0 in array.shape:
        raise ImageInputError(
            f"An array of shape {array.shape} was given as a picture",
            "Arrays are (height, width) or (height, width, 3 or 4), channels last.",
            "Move the channel axis to the end; give several pictures as a list.",
        )
    return Image.fromarray(_to_bytes(array))


def _to_bytes(array: np.ndarray) -> np.ndarray:
    if array.dtype == np.uint8:
        return np.ascontiguousarray(array)
    if array.dtype == np.bool_:
        return array.astype(np.uint8) * np.uint8(255)
    if array.dtype.kind == "u" and array.dtype.itemsize == 2:
        return np.round(array / 257.0).astype(np.uint8)
    if np.issubdtype(array.dtype, np.floating) and np.isfinite(array).all() and array.min() >= 0 and array.max() <= 1:
        return np.round(array.astype(np.float64) * 255.0).astype(np.uint8)
    finite = array[np.isfinite(array)] if np.issubdtype(array.dtype, np.number) else np.empty(0)
    span = f"values from {finite.min():g} to {finite.max():g}" if finite.size else "no finite values"
    raise ImageInputError(
        f"An array of {array.dtype} with {span} was given as a picture",
        "Values are uint8, uint16, bool, or floats from 0 to 1.",
        "Scale it first; which scale is meant cannot be guessed.",
    )


def _to_rgb(image: Image.Image) -> Image.Image:
    if 0 in image.size:
        raise ImageInputError(f"A picture of size {image.size} was given", "Width and height are at least one pixel.")
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        image = _eight_bits(image)
    if image.mode == "La":
        image = image.convert("LA")  # Pillow knows no shorter way from premultiplied grey
    if image.mode in ("RGBA", "LA", "PA", "RGBa") or "transparency" in image.info:
        layer = image.convert("RGBA")
        image = Image.new("RGBA", image.size, "white")
        image.alpha_composite(layer)
    rgb = image.convert("RGB")  # a copy where it is RGB already, free of the file and of the caller
    rgb.info = {}  # orientation, profiles and palettes have done their work
    return rgb


def _eight_bits(image: Image.Image) -> Image.Image:
    """A deep grey picture in eight bits; the one grey that a PNG may declare transparent stays so."""
    grey = Image.fromarray(_deep_grey(image))
    clear = image.info.get("transparency")
    if not isinstance(clear, int):
        return grey
    grey.putalpha(Image.fromarray(np.where(np.asarray(image) == clear, 0, 255).astype(np.uint8)))
    return grey


def _deep_grey(image: Image.Image) -> np.ndarray:
    """Grey of more than eight bits to eight, (height, width) uint8.

    The full range is 65535 for 16-bit modes, and for the others the smallest of 1 (floats only), 255 and 65535 that
    holds the brightest pixel: such files do not say what they mean by white.
    """
    values = np.nan_to_num(np.asarray(image).astype(np.float64), posinf=0.0, neginf=0.0)
    ranges = {"F": (1.0, 255.0, 65535.0), "I": (255.0, 65535.0)}.get(image.mode, (65535.0,))
    white = next((each for each in ranges if values.max() <= each), ranges[-1])
    return np.clip(np.round(values * (255.0 / white)), 0, 255).astype(np.uint8)
