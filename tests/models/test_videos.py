"""Films: from frames, animated pictures and files, with the time of every frame."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from explore.errors import CheckpointError, ImageInputError, ParameterError
from explore.frame_times import FrameTimes
from explore.layout import ImageGrid
from explore.models.runner import Runner
from explore.models.videos import Video
from tests.tiny import tiny_llava

GREYS = [Image.new("RGB", (24, 16), (20 * number,) * 3) for number in range(10)]


def test_frames_come_with_their_times() -> None:
    film = Video(GREYS[:4], fps=2)
    assert film.times.seconds == (0.0, 0.5, 1.0, 1.5)
    assert len(film) == 4
    assert "4 frames of 24 x 16, 0.00 to 1.50 s" in repr(film)
    picked = Video(GREYS[:2], fps=24, indices=[0, 48], total=100)
    assert picked.times.seconds == (0.0, 2.0)
    assert Video(np.zeros((3, 8, 8, 3), np.uint8), fps=1).frames[0].size == (8, 8)
    assert Video.of(picked.frames, picked.times).times == picked.times


@pytest.mark.parametrize("suffix", ["gif", "webp", "png"])
def test_animated_pictures_are_films(suffix: str, tmp_path: Path) -> None:
    GREYS[0].save(tmp_path / f"a.{suffix}", save_all=True, append_images=GREYS[1:], duration=250, lossless=True)
    film = Video.open(tmp_path / f"a.{suffix}", frames=5)
    assert film.times == FrameTimes(4.0, (1, 3, 5, 7, 9), 10)
    greys = [int(np.asarray(frame).mean()) for frame in film.frames]
    np.testing.assert_allclose(greys, [20, 60, 100, 140, 180], atol=2)
    assert len(Video.open(tmp_path / f"a.{suffix}", frames=99)) == 10


def test_a_film_file_is_decoded(tmp_path: Path) -> None:
    av = pytest.importorskip("av")
    with av.open(str(tmp_path / "a.mp4"), "w") as file:
        stream = file.add_stream("mpeg4", rate=5)
        stream.width, stream.height, stream.pix_fmt = 32, 16, "yuv420p"
        for number in range(10):
            frame = av.VideoFrame.from_ndarray(np.full((16, 32, 3), 20 * number, np.uint8), format="rgb24")
            file.mux(stream.encode(frame))
        file.mux(stream.encode())
    film = Video.open(tmp_path / "a.mp4", frames=5)
    assert film.times == FrameTimes(5.0, (1, 3, 5, 7, 9), 10)
    np.testing.assert_allclose([np.asarray(frame).mean() for frame in film.frames], [20, 60, 100, 140, 180], atol=6)


@pytest.mark.parametrize(
    ("make", "error", "said"),
    [
        (lambda: Video([], fps=1), ImageInputError, "0 frames"),
        (lambda: Video([GREYS[0], Image.new("RGB", (9, 9))], fps=1), ImageInputError, "one size"),
        (lambda: Video(GREYS[0], fps=1), ImageInputError, "list of pictures"),
        (lambda: Video(GREYS, fps=0), ParameterError, "fps=0"),
        (lambda: Video(GREYS, fps=float("nan")), ParameterError, "fps=nan"),
        (lambda: Video(GREYS[:2], fps=1, indices=[1]), ParameterError, "2 frames and 1 indices"),
        (lambda: Video(GREYS[:2], fps=1, indices=[3, 1]), ParameterError, "each larger"),
        (lambda: Video(GREYS[:2], fps=1, indices=[0, 9], total=5), ParameterError, "0 to 4"),
        (lambda: Video.open("nowhere.mp4"), ImageInputError, "does not exist"),
        (lambda: Video.open(__file__, frames=0), ParameterError, "frames=0"),
        (lambda: Video.open(__file__), ImageInputError, "cannot be read"),
    ],
)
def test_bad_films_are_refused_in_words(make: object, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        make()  # type: ignore[operator]


def test_a_single_picture_in_a_file_is_a_film_of_one_frame(tmp_path: Path) -> None:
    GREYS[3].save(tmp_path / "one.png")
    assert len(Video.open(tmp_path / "one.png")) == 1


def test_without_a_decoder_the_way_out_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("explore.models.videos.find_spec", lambda name: None)
    (tmp_path / "a.mp4").write_bytes(b"no picture")
    with pytest.raises(ImageInputError, match="pip install av"):
        Video.open(tmp_path / "a.mp4")


def test_a_grid_names_the_pictures_it_looks_at() -> None:
    boxes = np.zeros((1, 1, 4))
    assert list(ImageGrid(2, 0, 0, np.array([[0]]), boxes, (4, 4)).pictures(3)) == [2]
    assert list(ImageGrid(0, 2, 0, np.array([[0]]), boxes, (4, 4), frames=2).pictures(5)) == [2, 3]
    assert list(ImageGrid(0, 4, 0, np.array([[0]]), boxes, (4, 4), frames=2).pictures(5)) == [4]
    with pytest.raises(ParameterError, match="not here"):
        ImageGrid(1, 0, 0, np.array([[0]]), boxes, (4, 4)).pictures(1)


def test_a_model_without_films_reads_pictures_only() -> None:
    runner = Runner(*tiny_llava(seed=11))
    with pytest.raises(CheckpointError, match="reads pictures only"):
        runner.ask(Video(GREYS[:2], fps=1), "what is this?")
    with pytest.raises(ImageInputError, match="one film"):
        runner.ask([Video(GREYS[:2], fps=1), GREYS[0]], "what is this?")
