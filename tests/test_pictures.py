"""Every kind of picture a person may bring."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from explore.errors import ImageInputError
from explore.models.pictures import open_picture, open_pictures, picture_hash

RED, BLUE = (200, 30, 20), (20, 40, 180)


def halves(width: int = 40, height: int = 24) -> Image.Image:
    """Left half red, right half blue."""
    image = Image.new("RGB", (width, height), RED)
    image.paste(BLUE, (width // 2, 0, width, height))
    return image


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def assert_halves(image: Image.Image, tolerance: int = 0) -> None:
    assert image.mode == "RGB"
    pixels = np.asarray(image).astype(int)
    height, width = pixels.shape[:2]
    assert np.abs(pixels[height // 2, width // 8] - RED).max() <= tolerance
    assert np.abs(pixels[height // 2, -width // 8] - BLUE).max() <= tolerance


@pytest.mark.parametrize(
    ("kind", "options", "tolerance"),
    [("PNG", {}, 0), ("JPEG", {"quality": 95}, 12), ("WEBP", {"lossless": True}, 0), ("BMP", {}, 0), ("TIFF", {}, 0)],
)
def test_formats_from_path_bytes_and_file(
    tmp_path: Path, kind: str, options: dict[str, object], tolerance: int
) -> None:
    data = encoded(halves(), kind, **options)
    path = tmp_path / "picture"
    path.write_bytes(data)
    for source in (path, str(path), data, bytearray(data), io.BytesIO(data)):
        assert_halves(open_picture(source), tolerance)


def test_palette() -> None:
    assert_halves(open_picture(encoded(halves().quantize(4), "PNG")), 4)


def test_palette_with_transparency_lies_on_white() -> None:
    image = halves().quantize(4)
    data = encoded(image, "PNG", transparency=image.getpixel((2, 2)))
    found = open_picture(data)
    assert found.getpixel((2, 2)) == (255, 255, 255)
    assert np.abs(np.subtract(found.getpixel((38, 2)), BLUE)).max() <= 4


@pytest.mark.parametrize("mode", ["RGBA", "LA", "PA", "La", "RGBa"])
def test_transparent_modes_lie_on_white(mode: str) -> None:
    image = Image.new("RGBA", (4, 4), (0, 0, 0, 0))
    image.putpixel((1, 1), (0, 0, 0, 255))
    steps = {"La": ["LA", "La"], "RGBa": ["RGBa"], "PA": ["PA"]}.get(mode, [mode])
    for step in steps:
        image = image.convert(step)
    found = open_picture(image)
    assert found.mode == "RGB"
    assert found.getpixel((0, 0)) == (255, 255, 255)
    assert found.getpixel((1, 1)) == (0, 0, 0)


def test_half_transparent_is_mixed_with_white() -> None:
    assert open_picture(Image.new("RGBA", (2, 2), (0, 0, 0, 128))).getpixel((0, 0)) == (127, 127, 127)


def test_cmyk_jpeg() -> None:
    assert_halves(open_picture(encoded(halves().convert("CMYK"), "JPEG", quality=95)), 14)


@pytest.mark.parametrize("mode", ["L", "1", "YCbCr", "HSV", "LAB"])
def test_other_modes_become_rgb(mode: str) -> None:
    image = halves().convert(mode) if mode != "LAB" else Image.new("LAB", (4, 4), (128, 128, 128))
    found = open_picture(image)
    assert found.mode == "RGB"
    assert found.size == image.size


def test_sixteen_bit_grey_keeps_its_range() -> None:
    values = np.array([[0, 257 * 100], [65535, 257 * 200]], np.uint16)
    data = encoded(Image.fromarray(values), "PNG")
    assert np.asarray(open_picture(data))[..., 0].tolist() == [[0, 100], [255, 200]]
    assert np.asarray(open_picture(values))[..., 0].tolist() == [[0, 100], [255, 200]]


def test_dark_sixteen_bit_grey_stays_dark() -> None:
    data = encoded(Image.fromarray(np.full((2, 2), 200, np.uint16)), "PNG")
    assert open_picture(data).getpixel((0, 0)) == (1, 1, 1)


def test_float_and_long_greys() -> None:
    assert open_picture(Image.fromarray(np.full((2, 2), 0.5, np.float32))).getpixel((0, 0)) == (128, 128, 128)
    assert open_picture(Image.fromarray(np.full((2, 2), 90, np.int32))).getpixel((0, 0)) == (90, 90, 90)


@pytest.mark.parametrize("turn", range(1, 9))
def test_exif_rotation_is_undone(turn: int) -> None:
    back = {
        1: None,
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }[turn]
    stored = halves() if back is None else halves().transpose(back)
    exif = Image.Exif()
    exif[0x0112] = turn
    found = open_picture(encoded(stored, "PNG", exif=exif))
    assert found.size == (40, 24)
    assert_halves(found)
    assert found.getexif().get(0x0112) is None


def test_large_photo() -> None:
    found = open_picture(encoded(Image.new("RGB", (8000, 6000), RED), "JPEG"))
    assert found.size == (8000, 6000)


def test_first_frame_of_an_animation() -> None:
    buffer = io.BytesIO()
    halves().save(buffer, "GIF", save_all=True, append_images=[Image.new("RGB", (40, 24))])
    assert_halves(open_picture(buffer.getvalue()), 4)


@pytest.mark.parametrize(
    "array",
    [
        np.asarray(halves()),
        np.asarray(halves()) / 255.0,
        (np.asarray(halves()) / 255.0).astype(np.float32),
        np.asarray(halves()).astype(np.uint16) * 257,
        np.dstack([np.asarray(halves()), np.full((24, 40), 255, np.uint8)]),
    ],
    ids=["uint8", "float64", "float32", "uint16", "rgba"],
)
def test_arrays(array: np.ndarray) -> None:
    assert_halves(open_picture(array))


def test_grey_and_bool_arrays() -> None:
    assert open_picture(np.full((2, 3), 7, np.uint8)).getpixel((2, 1)) == (7, 7, 7)
    assert open_picture(np.full((2, 3, 1), 7, np.uint8)).size == (3, 2)
    assert open_picture(np.array([[True, False]])).getpixel((0, 0)) == (255, 255, 255)


def test_result_does_not_follow_later_changes() -> None:
    image, array = halves(), np.zeros((4, 4, 3), np.uint8)
    from_image, from_array = open_picture(image), open_picture(array)
    image.putpixel((0, 0), (1, 2, 3))
    array[0, 0] = 9
    assert from_image.getpixel((0, 0)) == RED
    assert from_array.getpixel((0, 0)) == (0, 0, 0)


def test_several_pictures() -> None:
    assert len(open_pictures([halves(), np.zeros((2, 2), np.uint8)])) == 2
    assert len(open_pictures(halves())) == 1
    with pytest.raises(ImageInputError, match="empty list"):
        open_pictures([])


def test_hash_is_of_the_pixels(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    halves().save(path)
    assert picture_hash(open_picture(path)) == picture_hash(open_picture(np.asarray(halves())))
    assert picture_hash(open_picture(path)) != picture_hash(halves(24, 40))


def refused(source: object) -> str:
    with pytest.raises(ImageInputError) as caught:
        open_picture(source)
    return str(caught.value)


def test_not_an_image(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("no picture")
    assert "notes.txt' is not an image" in refused(path)
    assert "not an image" in refused(b"")
    assert "int" in refused(3)
    assert "NoneType" in refused(None)


def test_missing_file_folder_and_address(tmp_path: Path) -> None:
    assert "does not exist" in refused(tmp_path / "none.png")
    assert "is a folder" in refused(str(tmp_path))
    assert "Download" in refused("https://example.org/a.png")


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "TIFF"])
def test_truncated_image(kind: str) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    data = encoded(Image.fromarray(noise), kind)
    assert any(word in refused(data[: len(data) // 2]) for word in ("cut off", "cannot be read", "not an image"))


@pytest.mark.parametrize(
    ("array", "hint"),
    [
        (np.full((3, 4), 2.0), "from 2 to 2"),
        (np.full((3, 4), -0.5), "from -0.5"),
        (np.full((3, 4), np.nan), "no finite"),
        (np.full((3, 4), 300), "int64"),
        (np.zeros((3, 8, 8), np.uint8), "channels last"),
        (np.zeros((2, 8, 8, 3), np.uint8), "list"),
        (np.zeros((0, 8, 3), np.uint8), "(0, 8, 3)"),
        (np.zeros(5, np.uint8), "(5,)"),
        (np.array([["a"]]), "no finite"),
    ],
)
def test_arrays_that_are_no_pictures(array: np.ndarray, hint: str) -> None:
    assert hint in refused(array)


@pytest.mark.parametrize(
    "name", ["data:image/png;base64," + "A" * 5000, "file:///tmp/a.png", "~nobody-of-this-name/a", ""]
)
def test_addresses_and_impossible_paths(name: str) -> None:
    with pytest.raises(ImageInputError) as caught:
        open_picture(name)
    assert len(str(caught.value)) < 700


def test_tensors_numpy_cannot_read() -> None:
    for tensor in (torch.zeros(4, 4, 3, requires_grad=True), torch.zeros(4, 4, 3, dtype=torch.bfloat16)):
        with pytest.raises(ImageInputError, match="numpy"):
            open_picture(tensor)


def test_sixteen_bits_of_either_byte_order() -> None:
    values = np.array([[0, 65535], [257 * 10, 257 * 200]])
    for kind in ("<u2", ">u2"):
        assert np.asarray(open_picture(values.astype(kind)))[..., 0].tolist() == [[0, 255], [10, 200]]


def test_the_transparent_grey_of_a_deep_png_lies_on_white() -> None:
    grey = Image.fromarray(np.array([[0, 1000], [1000, 65535]], np.uint16))
    found = open_picture(encoded(grey, "PNG", transparency=0))
    assert np.asarray(found)[..., 0].tolist() == [[255, 4], [4, 255]]
