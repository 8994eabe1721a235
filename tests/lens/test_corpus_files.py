"""Corpora in text files, Parquet tables and Hugging Face data sets."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from explore.errors import ParameterError
from explore.lens.corpus_files import DatasetColumn, ParquetColumn, TextFile, open_corpus

SENTENCES = ["a red dog", "", "naïve café 🙂", "the last"]


def test_a_text_file_has_one_sentence_a_line(tmp_path: Path) -> None:
    path = tmp_path / "corpus.txt"
    path.write_bytes(b"\xef\xbb\xbf" + "\r\n".join(SENTENCES).encode())
    corpus = open_corpus(path)
    assert isinstance(corpus, TextFile)
    assert list(corpus) == list(corpus) == SENTENCES
    assert corpus.name == "corpus.txt"
    before = corpus.fingerprint
    path.write_text("other")
    assert corpus.fingerprint != before
    path.write_bytes(b"good\nalso good\nb\xe4d\n")
    with pytest.raises(ParameterError, match="not UTF-8"):
        list(TextFile(path))


def test_a_column_of_a_parquet_file(tmp_path: Path) -> None:
    path = tmp_path / "corpus.parquet"
    texts = [text or None for text in SENTENCES]
    pq.write_table(pa.table({"text": texts, "other": pa.array(texts).dictionary_encode(), "size": range(4)}), path)
    assert list(ParquetColumn(path, "text")) == SENTENCES
    assert list(open_corpus(path, "other")) == SENTENCES
    assert ParquetColumn(path, "text").name == "corpus.parquet:text"
    assert ParquetColumn(path, "text").fingerprint["column"] == "text"
    for column in (None, "size", "nope"):
        with pytest.raises(ParameterError, match="text, other"):
            ParquetColumn(path, column)
    pq.write_table(pa.table({"only": SENTENCES, "size": range(4)}), path)
    assert list(ParquetColumn(path)) == SENTENCES
    path.write_text("no table")
    with pytest.raises(ParameterError, match="no Parquet file"):
        ParquetColumn(path)


class Streamed:
    """What a bank uses of `datasets.Dataset` and `datasets.IterableDataset`."""

    def __init__(self, column_names: Any) -> None:
        self.column_names, self.info, self._fingerprint = column_names, SimpleNamespace(dataset_name="captions"), "f00"

    def iter(self, batch_size: int) -> Iterator[dict[str, list[str]]]:
        yield {"text": SENTENCES[:3], "size": [1, 2, 3]}  # type: ignore[dict-item]
        yield {"text": SENTENCES[3:], "size": [4]}  # type: ignore[dict-item]


def test_a_column_of_a_data_set() -> None:
    corpus = DatasetColumn(Streamed(["text", "size"]), "text")  # type: ignore[arg-type]
    assert list(corpus) == SENTENCES
    assert corpus.name == "captions:text"
    assert corpus.fingerprint == {"kind": "dataset", "column": "text", "fingerprint": "f00"}
    assert list(DatasetColumn(Streamed(None), "text")) == SENTENCES  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="text, size"):
        DatasetColumn(Streamed(["text", "size"]), "words")  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="train"):
        DatasetColumn(Streamed({"train": ["text"]}), "text")  # type: ignore[arg-type]
    records = [{"text": text} for text in SENTENCES]
    assert list(DatasetColumn(records, "text", name="mine")) == SENTENCES
    with pytest.raises(ParameterError, match="text"):
        list(DatasetColumn(records, "words"))


def test_what_is_no_corpus_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="no corpus file"):
        open_corpus(tmp_path / "nothing.txt")
    (tmp_path / "corpus.txt").write_text("a")
    with pytest.raises(ParameterError, match="Column 'text'"):
        open_corpus(tmp_path / "corpus.txt", "text")
