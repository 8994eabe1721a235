"""One case of the bench: a picture, a question, an answer, and where in the picture the answer's words are."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from explore.bench.metrics.function_words import function_word_spans

Span = tuple[int, int]
"""Start and end character of a text, end not included."""


@dataclass(frozen=True, eq=False)
class Target:
    """A word or phrase of an answer and what it names.

    Parameters
    ----------
    span
        Characters of the answer.
    label
        Name of the thing, whatever form it has in the answer.
    mask
        Its pixels in the upright picture, bool (height, width): of all things that are meant. Empty where the answer
        names what is not there.
    """

    span: Span
    label: str
    mask: NDArray[np.bool_]

    @property
    def present(self) -> bool:
        """Whether what is named can be seen at all."""
        return bool(self.mask.any())


Find = Callable[[str], tuple[Target, ...]]
"""An answer about a known picture to the things that its words name, in order of the text."""


@dataclass(frozen=True, eq=False)
class Example:
    """A picture whose truth is known.

    Parameters
    ----------
    id
        The same for the same picture and question, different for all others of a data set.
    image
        The picture as a person sees it; masks count its pixels.
    question
        What the model is asked.
    answer
        The answer whose words are to be explained; None leaves it to the model: see `answered`.
    targets
        Words of the answer that name something, in order; empty without an answer.
    find
        Finds the targets of any other answer.
    function_words
        Words of the answer that should light up nothing.
    """

    id: str
    image: Image.Image
    question: str
    answer: str | None
    targets: tuple[Target, ...]
    find: Find
    function_words: tuple[Span, ...] = ()

    def answered(self, answer: str) -> Example:
        """The same case with another answer, as a rule the model's own, and the targets of its words."""
        return replace(self, answer=answer, targets=self.find(answer), function_words=function_word_spans(answer))


class Examples(Sequence[Example]):
    """A data set: examples by number, made when they are asked for."""

    @property
    @abstractmethod
    def fingerprint(self) -> dict[str, Any]:
        """What decides the examples."""

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def example(self, number: int) -> Example:
        """Example number 0 to `len` - 1."""

    @overload
    def __getitem__(self, index: int) -> Example: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Example]: ...
    def __getitem__(self, index: int | slice) -> Example | Sequence[Example]:
        if isinstance(index, slice):
            return [self.example(each) for each in range(*index.indices(len(self)))]
        return self.example(range(len(self))[index])
