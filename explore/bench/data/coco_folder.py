"""A user's folder in the COCO format as a data set."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from explore.bench.data.coco_files import Text, read_instances, read_texts
from explore.bench.data.coco_pictures import AnnotatedPicture
from explore.bench.data.example import Example, Examples
from explore.bench.metrics.names import NameMatcher
from explore.errors import ParameterError

QUESTION = "Write a one-sentence caption for this image:"
"""Asked where no file has a question; numbers published on COCO were made with it."""


class CocoFolder(Examples):
    """Pictures with annotated things, and captions or answers about them.

    Pictures are opened when an example is asked for. A word of an answer names a category when it is the category's
    name, singular or plural; its mask is that of all annotations of the category together.

    Parameters
    ----------
    folder
        Holds everything else; the other paths are relative to it.
    images
        Folder of the pictures. By default "images" if there is one, else the folder itself.
    instances
        JSON with "images", "annotations" and "categories". By default the only ``instances*.json`` in the folder or in
        its "annotations".
    answers
        COCO captions, or a list of {"image", "answer", "question"}: see `read_texts`. By default the only
        ``answers*.json`` or ``captions*.json``; without any, answers are left to the model.
    own_words
        Leave all answers to the model; questions of the file are asked all the same.
    question
        Asked where the answers have no question of their own.
    every_caption
        An example for each caption; off, for the first one of each picture and question.
    crowds
        Whether regions marked "iscrowd" count as the thing.
    synonyms
        Other words for categories, for example {"man": "person"}.
    limit
        At most this many examples, in the order of the files.

    Raises
    ------
    ParameterError
        A file is missing, there are several to choose from, or one lacks what it needs.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        *,
        images: str | None = None,
        instances: str | None = None,
        answers: str | None = None,
        own_words: bool = False,
        question: str = QUESTION,
        every_caption: bool = False,
        crowds: bool = True,
        synonyms: Mapping[str, str] | None = None,
        limit: int | None = None,
    ) -> None:
        self.folder = Path(folder).expanduser()
        if not self.folder.is_dir():
            raise ParameterError(f"'{self.folder}' is no folder", f"Paths are relative to '{Path.cwd()}'.")
        usual = self.folder / "images"
        self.images = self.folder / images if images else usual if usual.is_dir() else self.folder
        self.question, self.crowds, self.synonyms = question, crowds, dict(synonyms or {})

        known = _find_file(self.folder, instances, "instances*.json")
        if known is None:
            raise ParameterError(
                f"'{self.folder}' has no instances*.json, nor has its folder annotations",
                "It says where the things of each picture are.",
                "Name the file with instances=.",
            )
        self._known = read_instances(known)
        said = _find_file(self.folder, answers, "answers*.json", "captions*.json")
        self.files = (known,) if said is None else (known, said)
        pictures = self._known.pictures
        texts = [Text(each, None) for each in pictures] if said is None else read_texts(said, pictures)
        if own_words:
            texts = [replace(text, answer=None) for text in texts]
        if own_words or not every_caption:
            texts = list({(text.picture, text.question): text for text in reversed(texts)}.values())[::-1]
        self._texts = _numbered(texts)[:limit]

    @cached_property
    def fingerprint(self) -> dict[str, Any]:
        """What decides the examples: what the files hold, not where they lie."""
        hashes = {file.name: hashlib.sha256(file.read_bytes()).hexdigest()[:16] for file in self.files}
        asked = hashlib.sha256(repr(self._texts).encode()).hexdigest()[:16]
        settings = {"question": self.question, "crowds": self.crowds, "synonyms": self.synonyms}
        return {"data": "coco", "files": hashes, "examples": asked, **settings}

    @cached_property
    def matcher(self) -> NameMatcher:
        """Finds the names of categories in texts."""
        return NameMatcher(self._known.categories.values(), self.synonyms)

    def __len__(self) -> int:
        return len(self._texts)

    def example(self, number: int) -> Example:
        """See `Examples.example`."""
        nth, text = self._texts[number]
        about = self._known.pictures[text.picture]
        annotations = self._known.annotations.get(about.id, [])
        counted = [each for each in annotations if self.crowds or not each.get("iscrowd")]
        picture = AnnotatedPicture(self.images / about.file_name, about.size, counted, self._known.categories)
        find = partial(picture.find, matcher=self.matcher)
        example = Example(f"{about.id}-{nth}", picture.image, text.question or self.question, None, (), find)
        return example if text.answer is None else example.answered(text.answer)


def _find_file(folder: Path, name: str | None, *patterns: str) -> Path | None:
    """The file with this name, or else the only one of the first pattern that fits any."""
    if name is not None:
        return folder / name
    for pattern in patterns:
        found = sorted({*folder.glob(pattern), *(folder / "annotations").glob(pattern)})
        if len(found) > 1:
            raise ParameterError(
                f"'{folder}' has several files {pattern}: {', '.join(str(file.relative_to(folder)) for file in found)}",
                "Only one can be used.",
                f"Name it with {pattern.partition('*')[0].replace('captions', 'answers')}=.",
            )
        if found:
            return found[0]
    return None


def _numbered(texts: Sequence[Text]) -> list[tuple[int, Text]]:
    """Every text with its number among those of its picture, from 0."""
    seen: Counter[int | str] = Counter()
    numbered = []
    for text in texts:
        numbered.append((seen[text.picture], text))
        seen[text.picture] += 1
    return numbered
