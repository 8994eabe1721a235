"""The JSON files beside a folder of pictures, read and checked."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from explore.errors import ParameterError


@dataclass(frozen=True)
class Picture:
    """One picture of an instances file; the size is None where the file does not give it."""

    id: int | str
    file_name: str
    size: tuple[int, int] | None


@dataclass(frozen=True)
class Instances:
    """What an instances file says.

    Parameters
    ----------
    pictures
        In the order of the file, by id.
    categories
        Names by id.
    annotations
        Annotations by picture id, in the order of the file.
    """

    pictures: dict[int | str, Picture]
    categories: dict[int | str, str]
    annotations: dict[int | str, list[Mapping[str, Any]]]


@dataclass(frozen=True)
class Text:
    """An answer about a picture, None to leave it to the model, and its question where the file has one."""

    picture: int | str
    answer: str | None
    question: str | None = None


def read_instances(path: Path) -> Instances:
    """Pictures, categories and annotations of a COCO instances file.

    Raises
    ------
    ParameterError
        The file is missing or no JSON, lacks a field, or an annotation points to a picture or category that is not
        there.
    """
    content = _read(path)
    if not isinstance(content, dict):
        raise ParameterError(f"'{path}' holds a {type(content).__name__}", "An instances file is a JSON object.")
    pictures = {}
    for entry in _entries(content, "images", path):
        size = (entry["width"], entry["height"]) if {"width", "height"} <= entry.keys() else None
        picture = Picture(_field(entry, "id", "images", path), _field(entry, "file_name", "images", path), size)
        pictures[picture.id] = picture
    categories = {
        _field(entry, "id", "categories", path): str(_field(entry, "name", "categories", path))
        for entry in _entries(content, "categories", path)
    }
    annotations = defaultdict(list)
    for entry in _entries(content, "annotations", path):
        for field, known in (("image_id", pictures), ("category_id", categories)):
            if _field(entry, field, "annotations", path) not in known:
                raise ParameterError(
                    f"Annotation {entry.get('id')} in '{path}' has {field} {entry[field]!r}",
                    f"There is no such entry in the file's {'images' if known is pictures else 'categories'}.",
                )
        annotations[entry["image_id"]].append(entry)
    return Instances(pictures, categories, dict(annotations))


def read_texts(path: Path, pictures: Mapping[int | str, Picture]) -> list[Text]:
    """Answers or captions, in the order of the file.

    Parameters
    ----------
    path
        A COCO captions file, {"annotations": [{"image_id", "caption"}, ...]}, or a list of answers,
        [{"image": id or file name, "answer": text, "question": text}, ...], where answer or question may be left out.
    pictures
        Those there are; a file name may stand for an id.

    Raises
    ------
    ParameterError
        The file is missing or has another form, or names a picture that is not there.
    """
    content = _read(path)
    names = {picture.file_name: picture.id for picture in pictures.values()}
    if isinstance(content, dict):
        entries, about, said = _entries(content, "annotations", path), "image_id", "caption"
    else:
        entries, about, said = _entries({"answers": content}, "answers", path), "image", "answer"
    texts = []
    for entry in entries:
        key = _field(entry, about, "entries", path)
        key = names.get(key, key)
        if key not in pictures:
            raise ParameterError(
                f"'{path}' has a text about the image {key!r}", "The instances file has no such image."
            )
        answer = _field(entry, said, "entries", path) if said == "caption" else entry.get(said)
        texts.append(Text(key, None if answer is None else str(answer).strip(), entry.get("question")))
    return texts


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ParameterError(f"'{path}' cannot be read: {error.strerror or error}") from error
    except ValueError as error:
        raise ParameterError(f"'{path}' is no JSON: {error}") from error


def _entries(content: Mapping[str, Any], field: str, path: Path) -> Sequence[Mapping[str, Any]]:
    entries = content.get(field)
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise ParameterError(f"'{path}' has no list of {field}", "It must hold one, of JSON objects.")
    return entries


def _field(entry: Mapping[str, Any], name: str, kind: str, path: Path) -> Any:
    if entry.get(name) is None:
        shown = json.dumps(entry)[:80]
        raise ParameterError(f"One of the {kind} in '{path}' has no {name!r}: {shown}", "Every one needs it.")
    return entry[name]
