"""One picture of a COCO-style folder and the masks of its categories, both upright."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageOps

from explore.bench.data.coco_masks import annotation_mask
from explore.bench.data.example import Target
from explore.bench.metrics.names import NameMatcher
from explore.errors import ImageInputError, ParameterError


class AnnotatedPicture:
    """A picture and what is annotated in it; masks are decoded when asked for.

    Annotations count pixels either of the picture as a person sees it or of the file as it is stored, before it is
    turned as its EXIF data says. Which it is shows in the size they were made for; where both have the same size, the
    upright picture is meant.

    Parameters
    ----------
    path
        The picture's file.
    size
        (width, height) that the annotations were made for, None if unknown.
    annotations
        Those of this picture that count.
    categories
        Names by category id.

    Raises
    ------
    ImageInputError
        The file is missing or no picture.
    ParameterError
        The annotations were made for a picture of another size.
    """

    def __init__(
        self,
        path: Path,
        size: tuple[int, int] | None,
        annotations: Sequence[Mapping[str, Any]],
        categories: Mapping[int | str, str],
    ) -> None:
        self.path, self._annotations, self._categories = path, annotations, categories
        self.image, stored, turn = _open(path)
        self._size = size or self.image.size
        # How masks must be turned; 1 is not at all.
        self._turn = 1 if self._size == self.image.size else turn
        if self._size not in (self.image.size, stored):
            raise ParameterError(
                f"The annotations of '{path}' are for {self._size[0]} x {self._size[1]} pixels",
                f"The picture has {self.image.width} x {self.image.height}.",
                "Use the pictures that the annotations were made for.",
            )

    def mask(self, category: str) -> NDArray[np.bool_]:
        """Pixels of everything of a category, bool (height, width) of the upright picture; empty where there is none.

        Raises
        ------
        ParameterError
            An annotation is damaged.
        """
        mask = np.zeros((self._size[1], self._size[0]), bool)
        for annotation in self._annotations:
            if self._categories[annotation["category_id"]] == category:
                mask |= annotation_mask(annotation, self._size, f"'{self.path.name}'")
        return mask if self._turn == 1 else _turned(mask, self._turn)

    def find(self, text: str, matcher: NameMatcher) -> tuple[Target, ...]:
        """Every place where a text names a category, with the category's pixels."""
        names = matcher.find(text)
        masks = {name: self.mask(name) for name in {found.name for found in names}}
        return tuple(Target((found.start, found.end), found.name, masks[found.name]) for found in names)


def _open(path: Path) -> tuple[Image.Image, tuple[int, int], int]:
    """The picture as a person sees it, the (width, height) it is stored with, and how it was turned from there."""
    try:
        with Image.open(path) as stored:
            turn = int(stored.getexif().get(ExifTags.Base.Orientation, 1))
            return ImageOps.exif_transpose(stored), stored.size, turn
    except FileNotFoundError as error:
        raise ImageInputError(f"The picture '{path}' does not exist", "", "Say where pictures are, images=…") from error
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise ImageInputError(f"The picture '{path}' cannot be read: {error}") from error


def _turned(mask: NDArray[np.bool_], orientation: int) -> NDArray[np.bool_]:
    picture = Image.fromarray(mask.astype(np.uint8))
    picture.getexif()[ExifTags.Base.Orientation] = orientation
    return np.asarray(ImageOps.exif_transpose(picture)).astype(bool)
