"""The model that ships is asked about a file of every format, and its boxes lie on the picture as a person sees it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import explore
from explore import sessions
from explore.models.runner import Runner
from explore.sessions import Session
from explore.sketch import scene
from explore.trace import Trace

SIZE = (320, 200)
HOLE = (0, 0, 80, 200)
LARGE = (8000, 6000)
TURNED = 6  # in EXIF: the camera was held on its side, the upright picture is the stored one turned clockwise

FILES = [
    ("scene.jpg", "RGB", 3.0),
    ("scene.png", "RGB", 0.0),
    ("scene.webp", "RGB", 4.0),
    ("grey.png", "L", 0.0),
    ("palette.png", "P", 4.0),
    ("print.jpg", "CMYK", 4.0),
    ("hole.png", "RGBA", 0.0),
]
"""Name, mode, and how far a mean colour value may be off, of 255."""


@pytest.fixture(scope="module")
def runner() -> Iterator[Runner]:
    """What `explore.load()` gives; nothing is kept, so that a picture that was seen before is asked about anew."""
    with Session(cache_bytes=0) as session, pytest.MonkeyPatch.context() as patched:
        patched.setattr(sessions, "_default", session)
        yield explore.load()


def picture(size: tuple[int, int] = SIZE) -> Image.Image:
    """A scene, wider than high, so that a picture left on its side is noticed."""
    return scene([("dog", "red"), ("house", "blue")], seed=1).image.resize(size)


def asked(runner: Runner, path: Path) -> Trace:
    """A run about a file; its answer is text and its boxes are those of its picture."""
    trace = runner.ask(path, "What is in the picture?", max_new_tokens=12)
    assert isinstance(trace.answer, str)
    assert trace.answer.strip()
    assert_fits(trace, trace.images[0].size)
    return trace


def assert_fits(trace: Trace, size: tuple[int, int]) -> None:
    """The shipped processor neither crops nor pads: the boxes cover the whole picture, in reading order."""
    (grid,) = trace.layout.grids
    x0, y0, x1, y1 = np.moveaxis(grid.boxes, -1, 0)
    assert grid.size == size
    assert (grid.rows, grid.cols) == (12, 12)
    np.testing.assert_array_equal(grid.positions.ravel(), trace.layout.visual)
    np.testing.assert_allclose(y0, np.repeat(np.arange(12)[:, None] * size[1] / 12, 12, axis=1), rtol=1e-5)
    np.testing.assert_allclose(x0, np.repeat(np.arange(12)[None] * size[0] / 12, 12, axis=0), rtol=1e-5)
    np.testing.assert_allclose(y1 - y0, size[1] / 12, rtol=1e-4)
    np.testing.assert_allclose(x1 - x0, size[0] / 12, rtol=1e-4)


@pytest.mark.parametrize(("name", "mode", "tolerance"), FILES)
def test_a_file_of_every_format(name: str, mode: str, tolerance: float, runner: Runner, tmp_path: Path) -> None:
    image = picture().convert(mode, palette=Image.Palette.ADAPTIVE)
    expected = image.convert("RGB") if mode == "L" else picture()
    if mode == "RGBA":
        image.paste((0, 0, 0, 0), HOLE)
        expected.paste("white", HOLE)
    image.save(tmp_path / name, quality=95)
    seen = asked(runner, tmp_path / name).images[0]
    assert (seen.mode, seen.size) == ("RGB", SIZE)
    assert np.abs(np.asarray(seen, np.float32) - np.asarray(expected, np.float32)).mean() <= tolerance


def test_a_photo_taken_sideways_is_run_as_its_upright_twin(runner: Runner, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = TURNED
    picture().transpose(Image.Transpose.ROTATE_90).save(tmp_path / "turned.jpg", quality=95, exif=exif)
    with Image.open(tmp_path / "turned.jpg") as stored:  # as decoded: a JPEG of the upright one has other errors
        assert stored.size == SIZE[::-1]
        stored.transpose(Image.Transpose.ROTATE_270).save(tmp_path / "upright.png", exif=Image.Exif())
    turned, upright = asked(runner, tmp_path / "turned.jpg"), asked(runner, tmp_path / "upright.png")
    assert turned is not upright
    assert turned.images[0].size == upright.images[0].size == SIZE
    np.testing.assert_array_equal(turned.layout.grid().boxes, upright.layout.grid().boxes)
    assert turned.layout.to_json() == upright.layout.to_json()
    assert turned.answer == upright.answer
    np.testing.assert_array_equal(turned.logits, upright.logits)


def test_a_large_photo(runner: Runner, tmp_path: Path) -> None:
    picture(LARGE).save(tmp_path / "large.jpg")
    trace = asked(runner, tmp_path / "large.jpg")
    assert trace.layout.grid().boxes[-1, -1].tolist() == pytest.approx([8000 * 11 / 12, 5500, *LARGE])
