"""The files of a bank: safetensors for vectors, Parquet for what the rows are, JSON for what made them.

    manifest.json                       written last: a folder that has one is a whole bank
    rows.parquet, sentences.parquet     what every row is, and the sentences rows come from
    layer-04.part-0002.safetensors      unit rows, their norms, and scales where rows are int8
    means.safetensors                   the mean row of every layer
    plan.json, part-0002.json           only while it is being built: what is built, and the files that are done

Every file is written beside its place and moved there in one step, so that what is there is whole. No file holds a time
or a path, so that the same build gives the same bytes. No pickle anywhere.
"""

from __future__ import annotations

import errno
import hashlib
import io
import json
import math
import os
import tempfile
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from safetensors.torch import save
from torch import Tensor

from explore.errors import ExploreError

FORMAT = "vlmscope.bank"
VERSION = 1
MANIFEST, ROWS, SENTENCES, MEANS = "manifest.json", "rows.parquet", "sentences.parquet", "means.safetensors"
PLAN = "plan.json"
_UNFINISHED = ".part"
_DTYPES = {"F64": np.float64, "F32": np.float32, "F16": np.float16, "I8": np.int8}
_LONGEST_HEADER = 1 << 20


class BankFileError(ExploreError):
    """The folder is no bank, or one of its files is missing, damaged, or written by a newer version."""


def shard_name(layer: int, part: int) -> str:
    """File of some consecutive rows of one layer."""
    return f"layer-{layer:02d}.part-{part:04d}.safetensors"


def part_note_name(part: int) -> str:
    """File that lists a part's files while the bank is not finished: written when all of them are there."""
    return f"part-{part:04d}.json"


def write_file(target: Path, data: bytes) -> dict[str, Any]:
    """Put a file in its place in one step, or leave what is there untouched.

    Returns
    -------
    dict
        What the manifest notes of it: `bytes` and `sha256`.

    Raises
    ------
    BankFileError
        The file cannot be written.
    """
    try:
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=_UNFINISHED)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            mask = os.umask(0)  # mkstemp makes files private; a bank may be shared
            os.umask(mask)
            os.chmod(name, 0o666 & ~mask)
            os.replace(name, target)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise BankFileError(
            f"'{target}' cannot be written: {error.strerror or error}",
            "What was written before it is whole and stays.",
            "Make room or choose another folder; building again into this one goes on where it stopped.",
        ) from error
    return {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def sweep_unfinished(folder: Path) -> None:
    """Remove what a killed process left half written."""
    for path in folder.glob(f".*{_UNFINISHED}"):
        path.unlink(missing_ok=True)


def write_tensors(target: Path, tensors: Mapping[str, Tensor]) -> dict[str, Any]:
    """A safetensors file; returns what the manifest notes of it."""
    return write_file(target, save({name: each.contiguous() for name, each in tensors.items()}))


def write_table(target: Path, columns: Mapping[str, Any]) -> dict[str, Any]:
    """A Parquet file; returns what the manifest notes of it."""
    buffer = io.BytesIO()
    pq.write_table(pa.table(dict(columns)), buffer, compression="zstd")
    return write_file(target, buffer.getvalue())


def read_table(source: Path) -> pa.Table:
    """A Parquet file.

    Raises
    ------
    BankFileError
        It cannot be read.
    """
    try:
        return pq.read_table(source)
    except (OSError, pa.ArrowException) as error:
        raise damaged(source, str(error)) from error


def write_json(target: Path, document: Mapping[str, Any]) -> dict[str, Any]:
    """A JSON file for people, too; returns what a manifest would note of it."""
    return write_file(target, (json.dumps(document, indent=1, ensure_ascii=False) + "\n").encode())


def read_json(source: Path) -> dict[str, Any]:
    """A JSON object.

    Raises
    ------
    BankFileError
        It is missing or none.
    """
    try:
        found = json.loads(source.read_bytes())
    except FileNotFoundError as error:
        raise damaged(source, "it is missing") from error
    except (OSError, ValueError) as error:
        raise damaged(source, str(error)) from error
    if not isinstance(found, dict):
        raise damaged(source, "it holds no JSON object")
    return found


def map_tensors(source: Path) -> dict[str, Tensor]:
    """Tensors of a safetensors file, their numbers left on disk until somebody reads them.

    Raises
    ------
    BankFileError
        The file is missing, cut short, or none.
    """
    try:
        with source.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            length = int.from_bytes(file.read(8), "little")
            if not 2 <= length <= min(size - 8, _LONGEST_HEADER):
                raise ValueError("it does not begin like a safetensors file")
            header = json.loads(file.read(length))
        header.pop("__metadata__", None)
        if size != 8 + length + max(each["data_offsets"][1] for each in header.values()):
            raise ValueError(f"it has {size} bytes, which is not what its header says")
        return {name: _mapped(source, 8 + length, each) for name, each in header.items()}
    except FileNotFoundError as error:
        raise damaged(source, "it is missing") from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise damaged(source, str(error)) from error


def file_hash(source: Path) -> str:
    """SHA-256 of a file's bytes."""
    try:
        with source.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise damaged(source, error.strerror or str(error)) from error


def damaged(source: Path, why: str) -> BankFileError:
    """The error for a file of a bank that cannot be used."""
    return BankFileError(
        f"The bank's file '{source}' cannot be used: {why}",
        "All files of a bank are kept as build_bank wrote them.",
        "Copy it again from where it came from, or remove the folder and build the bank again.",
    )


def _mapped(source: Path, begin: int, entry: dict[str, Any]) -> Tensor:
    shape, (first, last) = tuple(entry["shape"]), entry["data_offsets"]
    dtype = np.dtype(_DTYPES[entry["dtype"]])
    if last - first != math.prod(shape) * dtype.itemsize:
        raise ValueError("its header contradicts itself")
    if first == last:
        return torch.from_numpy(np.zeros(shape, dtype))
    place = {"offset": begin + first, "shape": shape}
    try:
        # Copy on write: torch has no read-only tensors, and nobody may change the file through one.
        return torch.from_numpy(np.memmap(source, dtype, mode="c", **place))
    except OSError as error:
        if error.errno != errno.ENOMEM:
            raise
    # Such pages count as the process's own. Where a limit forbids that, they stay the system's; torch warns of it.
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The given NumPy array is not writable")
        return torch.from_numpy(np.memmap(source, dtype, mode="r", **place))
