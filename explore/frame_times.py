"""When the frames of a film were taken."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from dataclasses import dataclass

from explore.errors import ParameterError


@dataclass(frozen=True)
class FrameTimes:
    """Places of chosen frames in the film they come from.

    Parameters
    ----------
    fps
        Frames per second of the film.
    indices
        Number of each chosen frame in the film, from 0 and ascending.
    total
        Frames of the whole film.

    Raises
    ------
    ParameterError
        The numbers do not ascend or lie outside the film, or the rate is no number above 0.
    """

    fps: float
    indices: tuple[int, ...]
    total: int

    def __post_init__(self) -> None:
        if isinstance(self.fps, bool) or not isinstance(self.fps, int | float) or not 0 < self.fps < math.inf:
            raise ParameterError(f"fps={self.fps!r} was given", "It is a number of frames per second, above 0.")
        object.__setattr__(self, "fps", float(self.fps))
        object.__setattr__(self, "indices", _numbers(self.indices))
        ascending = all(first < second for first, second in zip(self.indices, self.indices[1:], strict=False))
        if not self.indices or not ascending or self.indices[0] < 0 or self.indices[-1] >= self.total:
            raise ParameterError(
                f"Frames {list(self.indices)} of a film of {self.total} were given",
                f"They are whole numbers from 0 to {self.total - 1}, each larger than the one before.",
            )

    @property
    def seconds(self) -> tuple[float, ...]:
        """Time of every chosen frame from the start of the film, in seconds."""
        return tuple(index / self.fps for index in self.indices)


def _numbers(given: Sequence[int]) -> tuple[int, ...]:
    try:
        return tuple(operator.index(each) for each in given)
    except TypeError:
        raise ParameterError(f"Frames {given!r:.80} were given", "They are whole numbers.") from None
