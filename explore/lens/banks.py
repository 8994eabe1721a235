"""A bank: contextual states of text on disk, opened without reading them.

>>> bank = explore.lens.open_bank("my-bank", runner)
>>> bank.sentence(7), bank.span(7)           # where row 7 comes from
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from explore.lens.bank_files import (
    FORMAT,
    MANIFEST,
    MEANS,
    PLAN,
    ROWS,
    SENTENCES,
    VERSION,
    BankFileError,
    damaged,
    file_hash,
    map_tensors,
    read_json,
    read_table,
    shard_name,
)
from explore.lens.bank_models import warn_of_another_model
from explore.lens.row_store import StoredPart
from explore.memory import readable
from explore.runs import RunnerLike


class Bank:
    """Unit vectors of text states, memory-mapped, and what each of them stands for; a `RowStore`.

    Row r is the same token in every layer. Made by `open_bank` and `build_bank`.

    Parameters
    ----------
    folder
        Where it lies.
    manifest
        What made it, as its file holds it.

    Raises
    ------
    BankFileError
        A file is missing, or is not what the manifest says; only sizes and headers are read.
    """

    def __init__(self, folder: Path, manifest: dict[str, Any]) -> None:
        self.folder, self.manifest = folder, manifest
        self._parts: dict[int, tuple[StoredPart, ...]] = {}
        self._require_sizes()
        for layer in self.layers:
            for part in range(len(manifest["parts"])):
                self._shard(layer, part)

    @property
    def layers(self) -> tuple[int, ...]:
        """The stored layers, ascending: layer l is the residual stream after l blocks."""
        return tuple(self.manifest["layers"])

    @property
    def width(self) -> int:
        """Numbers of a row."""
        return int(self.manifest["width"])

    @property
    def rows(self) -> int:
        """Rows of each layer."""
        return int(self.manifest["rows"])

    def __len__(self) -> int:
        return self.rows

    @property
    def fingerprint(self) -> dict[str, Any]:
        """The model that made it."""
        found: dict[str, Any] = self.manifest["model"]
        return found

    def parts(self, layer: int) -> tuple[StoredPart, ...]:
        """The rows of one layer, in order, left on disk until they are computed with."""
        if layer not in self._parts:
            starts = np.cumsum([0, *self.manifest["parts"]]).tolist()
            shards = [self._shard(layer, part) for part in range(len(self.manifest["parts"]))]
            self._parts[layer] = tuple(
                StoredPart(start, each["rows"], each.get("scales"))
                for start, each in zip(starts[:-1], shards, strict=True)
            )
        return self._parts[layer]

    def norms(self, layer: int) -> np.ndarray:
        """Norm of the state every row of a layer was made of, (rows,) float32."""
        shards = [self._shard(layer, part) for part in range(len(self.manifest["parts"]))]
        return np.concatenate([each["norms"].numpy() for each in shards])

    def mean(self, layer: int) -> np.ndarray:
        """Mean of a layer's unit rows, (width,) float32: what centring takes away."""
        self._require_layer(layer)
        return np.array(self._means[str(layer)].numpy())

    @property
    def means(self) -> np.ndarray:
        """`mean` of every stored layer, (layers, width) float32."""
        return np.stack([self.mean(layer) for layer in self.layers])

    @property
    def token_ids(self) -> np.ndarray:
        """Token of every row, (rows,) int32."""
        return self._column("token_id")

    @cached_property
    def token_texts(self) -> np.ndarray:
        """What the token of every row spells on its own, (rows,) of str."""
        column = self._rows.column("token_text").combine_chunks()
        spelled = np.array(column.dictionary.to_pylist(), object)
        found: np.ndarray = spelled[column.indices.to_numpy()]
        return found

    @property
    def positions(self) -> np.ndarray:
        """Place of every row's token in its sentence, counted in tokens, control tokens included, (rows,) int32."""
        return self._column("position")

    @property
    def sentence_numbers(self) -> np.ndarray:
        """Which sentence of the corpus every row comes from, counted from 0, (rows,) int64."""
        found: np.ndarray = self._sentences.column("number").to_numpy()[self._column("sentence")]
        return found

    def sentence(self, row: int) -> str:
        """The sentence a row comes from."""
        text: str = self._sentences.column("text")[int(self._column("sentence")[row])].as_py()
        return text

    def span(self, row: int) -> tuple[int, int] | None:
        """First and last character (exclusive) of a row's token in its sentence; None where the tokenizer told none."""
        first, last = int(self._column("first")[row]), int(self._column("last")[row])
        return None if first < 0 else (first, last)

    def info(self) -> dict[str, Any]:
        """What a person wants to know of it."""
        model, corpus, rule = (self.manifest[name] for name in ("model", "corpus", "selection"))
        return {
            "model": " ".join(filter(None, (model.get("checkpoint"), model.get("revision"), model.get("dtype")))),
            "corpus": f"{corpus['name']}, {corpus['sentences']} sentences",
            "selection": f"{rule['mode']}, at most {rule['cap']} rows of a token, seed {rule['seed']}",
            "rows": self.rows,
            "sentences": self.manifest["sentences"],
            "layers": list(self.layers),
            "width": self.width,
            "stored as": self.manifest["store_dtype"],
            "size": readable(sum(each["bytes"] for each in self.manifest["files"].values())),
            "median norms": {int(layer): each["median"] for layer, each in self.manifest["norms"].items()},
        }

    def verify(self) -> None:
        """Read every file and compare its SHA-256 with the manifest's.

        Raises
        ------
        BankFileError
            Files were changed or damaged; the message names them.
        """
        noted = self.manifest["files"]
        wrong = [name for name in noted if file_hash(self.folder / name) != noted[name]["sha256"]]
        if wrong:
            raise damaged(self.folder / wrong[0], f"its bytes have changed (all such files: {', '.join(wrong)})")

    def __repr__(self) -> str:
        return f"<Bank '{self.folder}': {self.rows} rows in each of layers {', '.join(map(str, self.layers))}>"

    def _column(self, name: str) -> np.ndarray:
        found: np.ndarray = self._columns[name]
        return found

    @cached_property
    def _columns(self) -> dict[str, np.ndarray]:
        return {name: self._rows.column(name).to_numpy() for name in self._rows.column_names if name != "token_text"}

    @cached_property
    def _rows(self) -> Any:
        return read_table(self.folder / ROWS)

    @cached_property
    def _sentences(self) -> Any:
        return read_table(self.folder / SENTENCES)

    @cached_property
    def _means(self) -> dict[str, Tensor]:
        return map_tensors(self.folder / MEANS)

    def _shard(self, layer: int, part: int) -> dict[str, Tensor]:
        self._require_layer(layer)
        path = self.folder / shard_name(layer, part)
        found, count = map_tensors(path), self.manifest["parts"][part]
        if found.get("rows") is None or tuple(found["rows"].shape) != (count, self.width):
            raise damaged(path, f"it does not hold {count} rows of {self.width} numbers")
        return found

    def _require_sizes(self) -> None:
        for name, noted in self.manifest["files"].items():
            path = self.folder / name
            if not path.is_file():
                raise damaged(path, "it is missing")
            if path.stat().st_size != noted["bytes"]:
                raise damaged(path, f"it has {path.stat().st_size} bytes, not {noted['bytes']}")

    def _require_layer(self, layer: int) -> None:
        if layer not in self.layers:
            raise BankFileError(
                f"Layer {layer} was asked for",
                f"This bank has {', '.join(map(str, self.layers))}.",
                "Name one of them.",
            )


def open_bank(path: str | os.PathLike[str], runner: RunnerLike | Mapping[str, Any] | None = None) -> Bank:
    """Open a bank that `build_bank` wrote, without reading its vectors.

    Parameters
    ----------
    path
        Its folder.
    runner
        The model it is to be searched with, or its fingerprint; a warning says where another one built the bank.

    Raises
    ------
    BankFileError
        There is no whole bank, a file of it is missing or cut short, or it was written by a newer version.
    """
    folder = Path(path).expanduser()
    if not (folder / MANIFEST).is_file():
        begun = (folder / PLAN).is_file()
        raise BankFileError(
            f"'{path}' holds a bank that is not finished" if begun else f"There is no bank in '{path}'",
            "A bank is a folder that build_bank wrote to its end.",
            "Call build_bank with the same arguments; it goes on where it stopped." if begun else "Build one there.",
        )
    manifest = read_json(folder / MANIFEST)
    _require_version(folder, manifest)
    try:
        bank = Bank(folder, manifest)
        if runner is not None:
            warn_of_another_model(manifest, runner)
        return bank
    except (KeyError, TypeError, AttributeError) as error:
        raise damaged(folder / MANIFEST, f"its entries do not fit together ({error!r})") from error


def _require_version(folder: Path, manifest: dict[str, Any]) -> None:
    if manifest.get("format") != FORMAT or not isinstance(manifest.get("version"), int):
        raise damaged(folder / MANIFEST, "it is no manifest of a bank")
    if manifest["version"] > VERSION:
        raise BankFileError(
            f"'{folder}' was written in version {manifest['version']} of the bank format",
            f"This installation reads versions up to {VERSION}.",
            "Update vlmscope to open it.",
        )
