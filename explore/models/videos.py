"""A film as a model is shown one: some of its frames, and when they were taken."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageSequence, UnidentifiedImageError

from explore.errors import ImageInputError, ParameterError
from explore.frame_times import FrameTimes
from explore.models.pictures import open_picture

# Decoders that transformers knows how to drive, by the package that must be there.
_DECODERS = {"torchcodec": "torchcodec", "pyav": "av", "decord": "decord", "opencv": "cv2"}


class Video:
    """Frames of one film, in order; every one of them is shown to the model.

    Parameters
    ----------
    frames
        Pictures of one size: paths, PIL images, or an array (frames, height, width, 3).
    fps
        Frames per second: of the frames given, or of the film that they were picked from by `indices`.
    indices
        Number of every frame in its film; None means that they are all of it.
    total
        Frames of the whole film; None means that it ends with the last of `indices`.

    Raises
    ------
    ImageInputError
        A frame is no picture, there is none, or they differ in size.
    ParameterError
        `fps`, `indices` or `total` do not fit.
    """

    def __init__(
        self, frames: Any, fps: float, *, indices: Sequence[int] | None = None, total: int | None = None
    ) -> None:
        opened = tuple(open_picture(frame) for frame in _listed(frames))
        sizes = {frame.size for frame in opened}
        if len(sizes) != 1:
            raise ImageInputError(
                f"A film of {len(opened)} frames of the sizes {sorted(sizes)} was given",
                "It has at least one frame, and all are of one size.",
                "Resize them first; pictures that are no film are given as a list.",
            )
        places = tuple(range(len(opened)) if indices is None else indices)
        if len(places) != len(opened):
            raise ParameterError(f"{len(opened)} frames and {len(places)} indices were given", "Each frame has one.")
        self.frames: tuple[Image.Image, ...] = opened
        self.times = FrameTimes(fps, places, max(places) + 1 if total is None else total)

    @classmethod
    def of(cls, frames: Sequence[Image.Image], times: FrameTimes) -> Video:
        """The film of these frames, taken at these times."""
        return cls(list(frames), times.fps, indices=times.indices, total=times.total)

    @classmethod
    def open(cls, path: str | os.PathLike[str], frames: int = 8) -> Video:
        """A film from a file, as so many frames evenly spread over it, or all where it has fewer.

        Animated GIF, WebP and PNG are read as they are; other films need a decoder, of which `av` comes with the
        toolkit's own environment.

        Raises
        ------
        ImageInputError
            The file is missing or no film, or there is no decoder for it.
        ParameterError
            `frames` is no whole number of at least 1.
        """
        where = Path(path).expanduser()
        if not isinstance(frames, int) or frames < 1:
            raise ParameterError(f"frames={frames!r} was given", "It is a whole number, at least 1.")
        if not where.is_file():
            raise ImageInputError(f"The film '{path}' does not exist", "", f"Paths are relative to '{Path.cwd()}'.")
        try:
            with Image.open(where) as opened:
                return cls._animated(opened, frames)
        except UnidentifiedImageError:
            return cls._decoded(where, frames)

    @classmethod
    def _animated(cls, opened: Image.Image, most: int) -> Video:
        total = int(getattr(opened, "n_frames", 1))
        chosen = _spread(total, most)
        kept, shown = [], 0.0
        for number, frame in enumerate(ImageSequence.Iterator(opened)):
            frame.load()  # some formats tell how long a frame lasts only then
            if number in chosen:
                kept.append(frame.copy())
            shown += float(frame.info.get("duration", 0) or 100.0)  # milliseconds; browsers show 100 for 0
        return cls(kept, 1000.0 * total / shown, indices=sorted(chosen), total=total)

    @classmethod
    def _decoded(cls, where: Path, most: int) -> Video:
        backend = next((name for name, package in _DECODERS.items() if find_spec(package)), None)
        if backend is None:
            raise ImageInputError(
                f"The film '{where}' needs a decoder, and none is installed",
                "",
                "pip install av, or give frames: explore.Video([frame, ...], fps=2).",
            )
        from transformers.video_utils import load_video  # transformers only where a film is decoded

        try:
            pixels, about = load_video(
                str(where), backend=backend, sample_indices_fn=lambda metadata, **_: _picked(metadata, most)
            )
        except Exception as error:  # every decoder has errors of its own
            raise ImageInputError(f"The film '{where}' cannot be read: {error}", "", "Try it as MP4.") from error
        places = [int(each) for each in about.frames_indices][: len(pixels)]
        return cls(np.asarray(pixels), float(about.fps or 1.0), indices=places, total=int(about.total_num_frames))

    def __len__(self) -> int:
        return len(self.frames)

    def __repr__(self) -> str:
        width, height = self.frames[0].size
        last = self.times.seconds[-1]
        return f"<Video: {len(self)} frames of {width} x {height}, {self.times.seconds[0]:.2f} to {last:.2f} s>"


def _listed(frames: Any) -> list[Any]:
    if isinstance(frames, list | tuple) or getattr(frames, "ndim", 0) == 4:
        return list(frames)
    raise ImageInputError(
        f"A {type(frames).__name__} was given as the frames of a film",
        "Frames are a list of pictures, or an array (frames, height, width, 3).",
        "A film in a file is opened with explore.Video.open(path, frames=8).",
    )


def _spread(total: int, most: int) -> set[int]:
    """At most so many frame numbers, each in the middle of an equal part of the film."""
    count = min(most, total)
    return {math.floor((part + 0.5) * total / count) for part in range(count)}


def _picked(metadata: Any, most: int) -> np.ndarray:
    return np.array(sorted(_spread(int(metadata.total_num_frames), most)))
