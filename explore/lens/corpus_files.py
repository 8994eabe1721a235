"""Corpora in files and tables: a name, what identifies them, and their sentences one after the other."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from explore.errors import ParameterError

_ROWS = 8192  # of a table read at once


class Corpus(Protocol):
    """Sentences with a name; where they come from is noted in a bank as `fingerprint`, where there is one."""

    @property
    def name(self) -> str: ...

    def __iter__(self) -> Iterator[str]: ...


class TextFile:
    """A text file in UTF-8, one sentence a line.

    Parameters
    ----------
    path
        The file.

    Raises
    ------
    ParameterError
        It is not there; while reading, it is not UTF-8.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = _existing(path)
        self.name = self.path.name

    @property
    def fingerprint(self) -> dict[str, Any]:
        """What identifies it."""
        return {"kind": "text file", "sha256": _hash(self.path)}

    def __iter__(self) -> Iterator[str]:
        number = 0
        try:
            with self.path.open(encoding="utf-8-sig", newline=None) as file:
                for number, line in enumerate(file, start=1):  # noqa: B007 (named in the message below)
                    yield line.rstrip("\n")
        except UnicodeDecodeError as error:
            raise ParameterError(
                f"'{self.path}' is not UTF-8 text: {error.reason} soon after line {number}",
                "A corpus file is UTF-8, one sentence a line.",
                "Convert it, for instance with iconv -t UTF-8.",
            ) from error


class ParquetColumn:
    """A column of texts of a Parquet file, read piece by piece; empty cells are empty sentences.

    Parameters
    ----------
    path
        The file.
    column
        Name of the column; may be left out where only one holds texts.

    Raises
    ------
    ParameterError
        There is no such file or column, or it holds no texts.
    """

    def __init__(self, path: str | os.PathLike[str], column: str | None = None) -> None:
        self.path = _existing(path)
        try:
            schema = pq.read_schema(self.path)
        except (OSError, pa.ArrowException) as error:
            raise ParameterError(f"'{self.path}' is no Parquet file: {error}") from error
        texts = [field.name for field in schema if _is_text(field.type)]
        if column not in texts and (column is not None or len(texts) != 1):
            raise ParameterError(
                f"'{self.path}' has no column of texts {column!r}" if column else f"No column of '{path}' was named",
                f"Its columns of texts are {', '.join(texts) or 'none'}.",
                "Name one of them as column.",
            )
        self.column = column or texts[0]
        self.name = f"{self.path.name}:{self.column}"

    @property
    def fingerprint(self) -> dict[str, Any]:
        """What identifies it."""
        return {"kind": "Parquet column", "column": self.column, "sha256": _hash(self.path)}

    def __iter__(self) -> Iterator[str]:
        with pq.ParquetFile(self.path) as file:
            for batch in file.iter_batches(_ROWS, columns=[self.column]):
                yield from (text or "" for text in batch.column(0).to_pylist())


class DatasetColumn:
    """A column of texts of a Hugging Face `datasets` object, streamed or not, or of any iterable of records.

    Parameters
    ----------
    dataset
        `datasets.Dataset`, `datasets.IterableDataset`, or an iterable of mappings.
    column
        Name of the column.
    name
        What the bank calls it.

    Raises
    ------
    ParameterError
        There is no such column.
    """

    def __init__(self, dataset: Iterable[Any], column: str, name: str | None = None) -> None:
        known = getattr(dataset, "column_names", None)  # a stream does not always know
        if isinstance(known, dict):
            raise ParameterError(
                "A dataset of several splits was given", f"Its splits are {', '.join(known)}.", "Give one of them."
            )
        if known is not None and column not in known:
            raise ParameterError(f"The dataset has no column {column!r}", f"Its columns are {', '.join(known)}.")
        self.dataset, self.column = dataset, column
        info = getattr(dataset, "info", None)
        self.name = name or f"{getattr(info, 'dataset_name', None) or type(dataset).__name__}:{column}"

    @property
    def fingerprint(self) -> dict[str, Any]:
        """What identifies it, as far as `datasets` says."""
        return {"kind": "dataset", "column": self.column, "fingerprint": getattr(self.dataset, "_fingerprint", None)}

    def __iter__(self) -> Iterator[str]:
        in_batches = getattr(self.dataset, "iter", None)
        if in_batches is not None:  # a hundred times faster than row by row
            for batch in in_batches(batch_size=_ROWS):
                yield from (text or "" for text in batch[self.column])
            return
        for record in self.dataset:
            if self.column not in record:
                raise ParameterError(f"A record has no {self.column!r}", f"It has {', '.join(map(str, record))}.")
            yield record[self.column] or ""


def open_corpus(path: str | os.PathLike[str], column: str | None = None) -> TextFile | ParquetColumn:
    """The corpus in a file: a Parquet table by its ending, else a text file.

    Raises
    ------
    ParameterError
        The file is not there, or a column was named of a text file.
    """
    if Path(path).suffix.lower() in (".parquet", ".pq"):
        return ParquetColumn(path, column)
    if column is not None:
        raise ParameterError(f"Column {column!r} of '{path}' was asked for", "Only .parquet files have columns.")
    return TextFile(path)


def _existing(path: str | os.PathLike[str]) -> Path:
    found = Path(path).expanduser()
    if not found.is_file():
        raise ParameterError(
            f"There is no corpus file '{path}'", "A text file, one sentence a line, or a Parquet file is expected."
        )
    return found


def _is_text(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
