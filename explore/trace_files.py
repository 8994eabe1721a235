"""The file a trace is kept in: one safetensors file, its header carrying the rest as JSON.

Arrays are stored as they are; pictures as lossless PNG bytes, each a uint8 array; everything else as JSON under one
metadata key, with a checksum over all of it under another. No pickle anywhere, so a trace from a stranger cannot run
code. Writing goes to a temporary file beside the target, which then takes its place in one step.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import tempfile
import warnings
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from explore.errors import TraceFileError
from explore.frame_times import FrameTimes
from explore.layout import Role, TokenLayout
from explore.trace import Token, TokenColumns, Trace

FORMAT = "vlmscope.trace"
CHECKSUM = f"{FORMAT}.sha256"
VERSION = 3  # 2: earlier turns, and visual tokens outside every grid; 3: films

_PNG_EFFORT = 1  # a photo of 48 megapixels must not take half a minute


def write_trace(trace: Trace, path: str | os.PathLike[str]) -> None:
    """Write a trace to `path`, or leave what is there untouched."""
    target = _path(path)
    tensors = {name: np.ascontiguousarray(array) for name, array in trace.arrays().items()}
    tensors |= {f"image.{number}": _png(image) for number, image in enumerate(trace.images)}
    document = {"version": VERSION, **_describe(trace)}
    text = json.dumps(document, ensure_ascii=False, allow_nan=False)
    data = save(tensors, metadata={FORMAT: text, CHECKSUM: _checksum(text, tensors)})
    try:
        _replace(target, data)
    except OSError as error:
        raise TraceFileError(
            f"The trace cannot be written to '{target}': {error.strerror or error}",
            "",
            "Choose a file in a folder that exists, that you may write to, and that has space left.",
        ) from error


def read_trace(path: str | os.PathLike[str]) -> Trace:
    """Read what `write_trace` wrote.

    Raises
    ------
    TraceFileError
        The file is missing, damaged, no trace, or written by a newer version.
    """
    source = _path(path)
    if source.is_dir():
        raise _refusal(path, "it is a folder")
    try:
        with safe_open(source, framework="numpy") as file:
            noted = file.metadata() or {}
            if FORMAT not in noted:
                raise _refusal(path, "it is a safetensors file, but not a trace")
            document = json.loads(noted[FORMAT])
            _require_version(path, document["version"])
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no mapping)
        if noted.get(CHECKSUM) != _checksum(noted[FORMAT], arrays):
            raise _refusal(path, "it was changed or damaged since it was written")
        return _rebuild(document, arrays)
    except TraceFileError:
        raise
    except FileNotFoundError as error:
        raise TraceFileError(f"There is no file '{path}'", "", "Give the path that trace.save() wrote to.") from error
    except (SafetensorError, OSError) as error:
        raise _refusal(path, f"it is damaged or no trace at all ({error})") from error
    except Exception as error:  # a file from elsewhere may break any assumption
        raise _refusal(path, f"its contents do not fit together ({error})") from error


def _require_version(path: str | os.PathLike[str], version: Any) -> None:
    if not isinstance(version, int) or version < 1:
        raise _refusal(path, f"it names a version {version!r} of the format, which never was")
    if version > VERSION:
        raise TraceFileError(
            f"'{path}' was written in version {version} of the trace format",
            f"This installation reads versions up to {VERSION}.",
            "Update vlmscope to open it.",
        )


def _path(path: str | os.PathLike[str]) -> Path:
    try:
        return Path(path).expanduser()
    except RuntimeError as error:  # the home of somebody unknown
        raise TraceFileError(f"'{path}' names no file: {error}", "", "Give a whole path.") from error


def _checksum(text: str, arrays: dict[str, np.ndarray]) -> str:
    """SHA-256 over the description and every array's name, type, shape and bytes."""
    hashed = hashlib.sha256(text.encode())
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        hashed.update(f"{name} {array.dtype} {array.shape}".encode())
        hashed.update(array.tobytes() if array.size == 0 else array.data)
    return hashed.hexdigest()


def _describe(trace: Trace) -> dict[str, Any]:
    return {
        "tokens": [[token.position, token.id, token.text, token.role.value, token.word] for token in trace.tokens],
        "layout": trace.layout.to_json(),
        "question": trace.question,
        "answer": trace.answer,
        "fingerprint": trace.fingerprint,
        "prompt_length": trace.prompt_length,
        "images": len(trace.images),
        "layers": trace.layers,
        "heads": trace.heads,
        "width": trace.width,
        "system": trace.system,
        "history": [list(turn) for turn in trace.history],
        "times": None if trace.times is None else asdict(trace.times),
    }


def _rebuild(document: dict[str, Any], arrays: dict[str, np.ndarray]) -> Trace:
    columns = None
    if "columns.ids" in arrays:
        columns = TokenColumns(arrays["columns.ids"], arrays["columns.logits"])
    return Trace(
        tokens=tuple(Token(place, id_, text, Role(role), word) for place, id_, text, role, word in document["tokens"]),
        layout=TokenLayout.from_json(document["layout"]),
        question=document["question"],
        answer=document["answer"],
        images=tuple(_picture(arrays[f"image.{number}"]) for number in range(document["images"])),
        fingerprint=document["fingerprint"],
        prompt_length=document["prompt_length"],
        columns=columns,
        logits=arrays.get("logits"),
        hidden_states=_by_layer(arrays, "hidden."),
        attention_rows=_by_layer(arrays, "attention."),
        row_positions=arrays["row_positions"],
        vision={name.removeprefix("vision."): array for name, array in arrays.items() if name.startswith("vision.")},
        layers=document["layers"],
        heads=document["heads"],
        width=document["width"],
        system=document.get("system"),
        history=tuple((asked, answered) for asked, answered in document.get("history", ())),
        times=FrameTimes(**document["times"]) if document.get("times") else None,
    )


def _by_layer(arrays: dict[str, np.ndarray], prefix: str) -> dict[int, np.ndarray]:
    found = {int(name.removeprefix(prefix)): array for name, array in arrays.items() if name.startswith(prefix)}
    return dict(sorted(found.items()))


def _png(image: Image.Image) -> np.ndarray:
    buffer = io.BytesIO()
    image.save(buffer, format="PNG", compress_level=_PNG_EFFORT)
    return np.frombuffer(buffer.getvalue(), np.uint8)


def _picture(data: np.ndarray) -> Image.Image:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # large photos are welcome here
        image = Image.open(io.BytesIO(data.tobytes()), formats=["PNG"])
    image.load()
    return image


def _replace(target: Path, data: bytes) -> None:
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, 0o666 & ~_umask())
        os.replace(name, target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _umask() -> int:
    # mkstemp makes files private; a saved trace gets the permissions any other new file would have.
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _refusal(path: str | os.PathLike[str], why: str) -> TraceFileError:
    return TraceFileError(
        f"'{path}' cannot be opened as a trace: {why}",
        "A trace is a file that trace.save(path) wrote.",
        "Record it again with runner.ask(...) and save it.",
    )
