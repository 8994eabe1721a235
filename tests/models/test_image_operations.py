"""Our image functions against Pillow, numpy and scipy; the library's processors on them against those for Pillow."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
import transformers
from PIL import Image
from scipy import ndimage
from transformers.utils import is_torchvision_available

from explore.models import image_operations as ours
from explore.models.image_operations import InterpolationMode
from explore.models.torchvision_free import module_of

MODES = [
    (InterpolationMode.BILINEAR, Image.Resampling.BILINEAR),
    (InterpolationMode.BICUBIC, Image.Resampling.BICUBIC),
    (InterpolationMode.LANCZOS, Image.Resampling.LANCZOS),
    (InterpolationMode.NEAREST_EXACT, Image.Resampling.NEAREST),
]
modes = pytest.mark.parametrize(("mode", "pillow"), MODES)


def noise(height: int = 37, width: int = 53, channels: int = 3) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(7).integers(0, 256, (channels, height, width), dtype=np.uint8))


def picture(image: torch.Tensor) -> Image.Image:
    return Image.fromarray(image.permute(1, 2, 0).numpy())


def distance(found: torch.Tensor, wanted: Any) -> float:
    """The largest difference of (channels, height, width) from a picture or an array (height, width, channels)."""
    return float((found.double() - torch.from_numpy(np.array(wanted)).permute(2, 0, 1).double()).abs().max())


@modes
@pytest.mark.parametrize("size", [(20, 31), (64, 90), (37, 20), (5, 53)])
def test_bytes_are_resized_as_by_pillow(mode: InterpolationMode, pillow: int, size: tuple[int, int]) -> None:
    wanted = picture(noise()).resize(size[::-1], pillow)
    made = ours.resize(noise(), size, mode)
    assert made.dtype == torch.uint8
    assert distance(made, wanted) <= 1


@modes
def test_bytes_shrunk_one_way_and_enlarged_the_other(mode: InterpolationMode, pillow: int) -> None:
    """Torch goes along the rows first, Pillow here down the columns, and both cut what overshoots in between."""
    smooth = torch.from_numpy(ndimage.gaussian_filter(noise().numpy(), (0, 3, 3)))
    assert distance(ours.resize(smooth, (20, 90), mode), picture(smooth).resize((90, 20), pillow)) <= 2


@modes
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_other_numbers_are_resized_without_rounding(mode: InterpolationMode, pillow: int, dtype: torch.dtype) -> None:
    smooth = torch.from_numpy(ndimage.gaussian_filter(noise().numpy(), (0, 3, 3))).to(dtype)
    channels = [np.array(Image.fromarray(each).resize((31, 20), pillow)) for each in smooth.float().numpy()]
    made = ours.resize(smooth, (20, 31), mode)
    assert made.dtype == dtype
    assert distance(made, np.stack(channels, -1)) <= (1 if dtype == torch.bfloat16 else 1e-3)


def test_integers_stay_integers_and_keep_their_range() -> None:
    labels = torch.tensor([[[0, 3000], [-3000, 500]]], dtype=torch.int64)
    made = ours.resize(labels, (4, 4))
    assert made.dtype == torch.int64
    assert (made.min(), made.max()) == (-3000, 3000)
    assert set(ours.resize(labels, (5, 3), InterpolationMode.NEAREST).unique().tolist()) == set(
        labels.flatten().tolist()
    )


@modes
def test_pillows_numbers_name_modes(mode: InterpolationMode, pillow: int) -> None:
    named = InterpolationMode.NEAREST if mode is InterpolationMode.NEAREST_EXACT else mode
    assert torch.equal(ours.resize(noise(), (20, 31), pillow), ours.resize(noise(), (20, 31), named))


def test_films_and_batches_are_resized_picture_by_picture() -> None:
    film = torch.stack([noise(), noise().flip(-1)])[None]
    made = ours.resize(film, (20, 31), InterpolationMode.BICUBIC)
    assert made.shape == (1, 2, 3, 20, 31)
    assert torch.equal(made[0, 1], ours.resize(noise().flip(-1), (20, 31), InterpolationMode.BICUBIC))


def test_the_same_size_is_the_same_image() -> None:
    image = noise()
    assert ours.resize(image, [37, 53]) is image


def test_without_antialias_pixels_are_left_out() -> None:
    stripes = torch.zeros(1, 4, 16)
    stripes[..., ::2] = 1
    assert ours.resize(stripes, (4, 4), antialias=True).std() < 0.1
    assert ours.resize(stripes, (4, 4), antialias=False).unique().tolist() == [0.5]
    assert ours.resize(stripes, (4, 4), InterpolationMode.NEAREST, antialias=True).unique().tolist() == [1]


@pytest.mark.parametrize("mode", [InterpolationMode.BOX, InterpolationMode.HAMMING])
def test_modes_of_pillow_alone_are_refused(mode: InterpolationMode) -> None:
    with pytest.raises((NotImplementedError, ValueError)):
        ours.resize(noise(), (4, 4), mode)


@pytest.mark.parametrize(
    ("padding", "sides"),
    [
        (2, (2, 2, 2, 2)),
        ([3], (3, 3, 3, 3)),
        ((1, 4), (1, 4, 1, 4)),
        ([1, 2, 3, 4], (1, 2, 3, 4)),
        ((0, 0, 5, 0), (0, 0, 5, 0)),
    ],
)
@pytest.mark.parametrize("mode", ["constant", "edge", "reflect", "symmetric"])
def test_padding_is_numpys(padding: Any, sides: tuple[int, ...], mode: str) -> None:
    left, top, right, bottom = sides
    wanted = np.pad(noise().numpy(), ((0, 0), (top, bottom), (left, right)), mode=mode)  # type: ignore[call-overload]
    np.testing.assert_array_equal(ours.pad(noise(), padding, padding_mode=mode), wanted)
    assert torch.equal(
        ours.pad(noise()[None].float(), padding, padding_mode=mode), torch.from_numpy(wanted)[None].float()
    )


@pytest.mark.parametrize("fill", [0, 7, 7.9, (7,), [1, 2, 3], (1.5, 2.5, 250.5), np.array([1, 2, 3])])
@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32])
def test_the_border_has_its_colour(fill: Any, dtype: torch.dtype) -> None:
    made = ours.pad(noise().to(dtype), (1, 0, 2, 3), fill=fill)
    assert made.dtype == dtype
    assert torch.equal(made[:, :37, 1:54], noise().to(dtype))
    colour = torch.tensor(np.broadcast_to(fill, 3)).to(dtype)
    for border in (made[:, :, 0], made[:, -1], made[:, :, -2:].flatten(1).T[0], made[:, -3, :].T[5]):
        assert torch.equal(border.reshape(3, -1)[:, 0], colour)


@pytest.mark.parametrize(("padding", "more"), [([1, 2, 3], {}), (1, {"padding_mode": "mirror"}), (1, {"fill": (1, 2)})])
def test_other_paddings_are_refused(padding: Any, more: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"padding|argument"):
        ours.pad(noise(), padding, **more)


@pytest.mark.parametrize(
    "box", [(0, 0, 37, 53), (3, 5, 10, 20), (-2, 4, 10, 10), (30, 50, 20, 9), (-5, -5, 60, 80), (40, 0, 5, 5)]
)
def test_crops_are_pillows(box: tuple[int, int, int, int]) -> None:
    top, left, height, width = box
    wanted = picture(noise()).crop((left, top, left + width, top + height))
    assert distance(ours.crop(noise(), *box), wanted) == 0


@pytest.mark.parametrize("image", [noise() / 255, torch.stack([noise(), noise()]).double()])
@pytest.mark.parametrize(("mean", "std"), [((0.4, 0.5, 0.6), (0.2, 0.3, 0.4)), (0.5, 0.25)])
def test_normalising_is_numpys(image: torch.Tensor, mean: Any, std: Any) -> None:
    before = image.clone()
    middle, spread = (np.broadcast_to(each, 3)[:, None, None] for each in (mean, std))
    made = ours.normalize(image, mean, std)
    np.testing.assert_allclose(made, (before.numpy() - middle) / spread, rtol=1e-5, atol=1e-5)
    assert (
        torch.equal(ours.normalize(image, torch.tensor(mean), torch.tensor(std)), made) or image.dtype != torch.float32
    )
    assert torch.equal(image, before)
    assert ours.normalize(image, mean, std, inplace=True) is image
    image.copy_(before)


def test_what_cannot_be_normalised() -> None:
    with pytest.raises(TypeError, match="uint8"):
        ours.normalize(noise(), 0.5, 0.5)
    with pytest.raises(ValueError, match="is 0"):
        ours.normalize(noise().float(), [0.5] * 3, [1, 0, 1])


def test_bytes_and_numbers_to_one() -> None:
    every = torch.arange(256, dtype=torch.uint8)
    for function in (ours.to_dtype, ours.to_dtype_image):
        numbers = function(every, torch.float32, scale=True)
        np.testing.assert_allclose(numbers, np.arange(256) / 255, rtol=1e-6)
        assert torch.equal(function(numbers, torch.uint8, scale=True), every)
    counts = ours.to_dtype(torch.linspace(0, 1, 25601), torch.uint8, scale=True).bincount()
    assert len(counts) == 256
    assert 99 <= counts.min() <= counts.max() <= 101
    assert ours.to_dtype(every).tolist() == list(range(256))
    assert ours.to_dtype(numbers, torch.float64, scale=True).max() == 1
    with pytest.raises(ValueError, match="not scaled"):
        ours.to_dtype(every, torch.int32, scale=True)


def test_grey_and_colour() -> None:
    grey = np.array(picture(noise()).convert("L"), dtype=int)
    made = ours.rgb_to_grayscale(noise())
    assert made.shape == (1, 37, 53)
    assert np.abs(made[0].numpy() - grey).max() <= 1
    three = ours.rgb_to_grayscale(noise(), 3)
    assert torch.equal(ours.grayscale_to_rgb(made), three)
    assert torch.equal(ours.grayscale_to_rgb(made.expand(2, 4, 1, 37, 53)), three.expand(2, 4, 3, 37, 53))
    assert ours.grayscale_to_rgb(noise(channels=4)).shape == (4, 37, 53)


@pytest.mark.parametrize(("size", "sigma"), [((5, 5), (1.0, 1.0)), ((3, 7), (0.8, 2.0))])
def test_blurring_is_scipys(size: tuple[int, int], sigma: tuple[float, float]) -> None:
    across, down = (
        np.exp(-(np.arange(-(each // 2), each // 2 + 1) ** 2) / (2 * spread**2))
        for each, spread in zip(size, sigma, strict=True)
    )
    kernel = down[:, None] * across / (down.sum() * across.sum())
    wanted = np.stack([ndimage.correlate(each, kernel, mode="mirror") for each in noise().numpy().astype(float)])
    np.testing.assert_allclose(ours.gaussian_blur(noise().float(), size, sigma), wanted, atol=1e-3)
    assert np.abs(ours.gaussian_blur(noise(), size, sigma).numpy() - wanted).max() <= 0.501


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
def test_pictures_and_tensors(mode: str) -> None:
    own = picture(noise()).convert(mode)
    tensor = ours.pil_to_tensor(own)
    assert tensor.shape == (len(mode), 37, 53)
    assert torch.equal(ours.to_image(own), tensor)
    assert torch.equal(ours.to_image(np.array(own)), tensor)
    assert ours.to_image(tensor) is tensor
    back = ours.to_pil_image(tensor)
    assert back.mode == mode
    assert back.tobytes() == own.tobytes()
    assert ours.to_pil_image(tensor / 255).tobytes() == own.tobytes()
    assert ours.to_pil_image(tensor[0]).mode == "L"


@pytest.mark.skipif(is_torchvision_available(), reason="these processors would run on torchvision itself")
@pytest.mark.parametrize(
    ("place", "name"),
    [
        ("clip", "CLIPImageProcessor"),
        ("siglip", "SiglipImageProcessor"),
        ("qwen2_vl", "Qwen2VLImageProcessor"),
        ("llava_next", "LlavaNextImageProcessor"),
        ("llava_onevision", "LlavaOnevisionImageProcessor"),
        ("idefics3", "Idefics3ImageProcessor"),
        ("pixtral", "PixtralImageProcessor"),
        ("gemma4", "Gemma4ImageProcessor"),
        ("got_ocr2", "GotOcr2ImageProcessor"),
        ("mllama", "MllamaImageProcessor"),
    ],
)
def test_processors_for_torchvision_agree_with_those_for_pillow(place: str, name: str) -> None:
    """Written apart by the library, down to their resizing."""
    smooth = torch.from_numpy(ndimage.gaussian_filter(noise(137, 211).numpy(), (0, 4, 4)))
    kinds = (getattr(module_of(f"{place}.image_processing_{place}"), name), getattr(transformers, f"{name}Pil"))
    mine, theirs = (kind()(images=[picture(smooth)], return_tensors="pt") for kind in kinds)
    assert mine.keys() == theirs.keys()
    for key in mine:
        found, wanted = (torch.as_tensor(each[key]).double() for each in (mine, theirs))
        assert found.shape == wanted.shape, key
        assert (found - wanted).abs().max() < 0.031, key  # two grey levels, where the deviation is a quarter
