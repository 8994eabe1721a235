"""The trace and its file: exact round trips, and clear refusals."""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from safetensors import safe_open
from safetensors.numpy import save_file

from explore.errors import NotRecordedError, ParameterError, TraceFileError
from explore.layout import ImageGrid, Role, TokenLayout
from explore.trace import Token, TokenColumns, Trace, open_trace
from explore.trace_files import CHECKSUM, FORMAT, _checksum


def small_trace(**changes: Any) -> Trace:
    """Two by two image, three question tokens, four answer tokens (two words and an end), two layers."""
    rng = np.random.default_rng(0)
    texts = ["<image>"] * 4 + [" what", " is", " it", " a", " po", "ny", "</s>"]
    roles = [Role.IMAGE] * 4 + [Role.QUESTION] * 3 + [Role.ANSWER] * 4
    words = [-1] * 4 + [0, 1, 2, 0, 1, 1, -1]
    ids = [3] * 4 + [7, 9, 8, 5, 12, 13, 2]
    boxes = np.array([[[0, 0, 5, 4], [5, 0, 10, 4]], [[0, 4, 5, 8], [5, 4, 10, 8]]], np.float32) / 3
    fields: dict[str, Any] = {
        "tokens": tuple(
            Token(index, id_, text, role, word)
            for index, (id_, text, role, word) in enumerate(zip(ids, texts, roles, words, strict=True))
        ),
        "layout": TokenLayout(tuple(roles), (ImageGrid(0, 0, 0, np.arange(4).reshape(2, 2), boxes, (10, 8)),)),
        "question": "what is it",
        "answer": "a pony ✓",
        "images": (Image.fromarray(rng.integers(0, 256, (8, 10, 3), np.uint8)),),
        "fingerprint": {"checkpoint": "tiny", "images": ["ab"], "plan": {"hidden": "all"}},
        "prompt_length": 7,
        "columns": TokenColumns(np.array([2, 5, 7, 9]), rng.normal(size=(10, 4)).astype(np.float32)),
        "logits": rng.normal(size=(4, 20)).astype(np.float16),
        "hidden_states": {layer: rng.normal(size=(10, 6)).astype(np.float32) for layer in (0, 1, 2)},
        "attention_rows": {1: rng.random((2, 4, 10)).astype(np.float16)},
        "row_positions": np.arange(6, 10),
        "vision": {"features": rng.normal(size=(4, 3)).astype(np.float32)},
        "layers": 2,
        "heads": 2,
        "width": 6,
    }
    return Trace(**{**fields, **changes})


def test_positions_and_words() -> None:
    trace = small_trace()
    assert trace.answer_positions.tolist() == [7, 8, 9, 10]
    assert trace.positions_fed == 10
    assert trace.answer_ids.tolist() == [5, 12, 13, 2]
    assert [(text, places.tolist()) for text, places in trace.words()] == [("a", [7]), ("pony", [8, 9])]
    assert [text for text, _ in trace.words("question")] == ["what", "is", "it"]
    assert trace.words(Role.TEMPLATE) == []


def test_rows_are_found_by_position() -> None:
    trace = small_trace()
    np.testing.assert_array_equal(trace.attention(1, rows=[9, 6]), trace.attention(1)[:, [3, 0]])
    np.testing.assert_array_equal(trace.attention(1, rows=np.array([7])), trace.attention(1)[:, [1]])


def test_what_was_not_recorded_names_the_plan_field() -> None:
    trace = small_trace(hidden_states={}, logits=None)
    for call, field in (
        (lambda: trace.hidden(1), "hidden="),
        (lambda: trace.attention(0), "attention="),
        (lambda: trace.attention(1, rows=[2]), "attention="),
        (lambda: trace.logits_of(0), "logits="),
    ):
        with pytest.raises(NotRecordedError, match=field):
            call()


@pytest.mark.parametrize("layer", [-1, 3])
def test_layers_out_of_range(layer: int) -> None:
    with pytest.raises(ParameterError, match="0 to 2"):
        small_trace().hidden(layer)
    with pytest.raises(ParameterError, match="0 to 1"):
        small_trace().attention(layer)


def test_logits_and_columns_by_token() -> None:
    trace = small_trace()
    np.testing.assert_array_equal(trace.logits_of(3), trace.logits[3])
    with pytest.raises(ParameterError, match="4 tokens"):
        trace.logits_of(4)
    assert trace.columns is not None
    np.testing.assert_array_equal(trace.columns.of(7), trace.columns.logits[:, 2])
    for unknown in (0, 8, 100):
        with pytest.raises(NotRecordedError):
            trace.columns.of(unknown)


def test_tokens_must_fit_the_layout() -> None:
    with pytest.raises(ParameterError, match="11"):
        small_trace(tokens=())


def test_a_trace_is_frozen() -> None:
    trace = small_trace()
    with pytest.raises(AttributeError):
        trace.answer = "other"  # type: ignore[misc]


def test_bytes_are_those_of_arrays_and_pictures() -> None:
    trace = small_trace()
    assert trace.nbytes == sum(array.nbytes for array in trace.arrays().values()) + 8 * 10 * 3
    assert small_trace(hidden_states={}).nbytes == trace.nbytes - 3 * 10 * 6 * 4


def assert_same(one: Trace, other: Trace) -> None:
    assert one.tokens == other.tokens
    assert one.layout.to_json() == other.layout.to_json()
    for name in ("question", "answer", "fingerprint", "prompt_length", "layers", "heads", "width"):
        assert getattr(one, name) == getattr(other, name)
    assert [image.tobytes() for image in one.images] == [image.tobytes() for image in other.images]
    mine, theirs = one.arrays(), other.arrays()
    assert list(mine) == list(theirs)
    for name, array in mine.items():
        assert array.dtype == theirs[name].dtype
        np.testing.assert_array_equal(array, theirs[name])


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"columns": None, "logits": None, "hidden_states": {}, "attention_rows": {}, "vision": {}, "images": ()},
        {"logits": np.full((4, 20), np.inf, np.float32), "row_positions": np.empty(0, np.int64)},
        {"hidden_states": {1: np.ones((6, 10), np.float32).T}},
    ],
    ids=["full", "nothing recorded", "infinities and empty", "not contiguous"],
)
def test_round_trip_is_exact(tmp_path: Path, changes: dict[str, Any]) -> None:
    before = small_trace(**changes)
    before.save(tmp_path / "run.trace")
    assert_same(before, open_trace(tmp_path / "run.trace"))


def test_many_layers_keep_their_order(tmp_path: Path) -> None:
    states = {layer: np.full((10, 6), layer, np.float32) for layer in range(12)}
    small_trace(layers=11, hidden_states=states).save(tmp_path / "run")
    after = open_trace(str(tmp_path / "run"))
    assert list(after.hidden_states) == list(range(12))
    assert after.hidden(11)[0, 0] == 11


def test_opening_needs_no_torch(tmp_path: Path) -> None:
    small_trace().save(tmp_path / "run.trace")
    code = (
        "import sys, explore; trace = explore.open_trace(sys.argv[1]); trace.hidden(1);"
        "sys.exit(any(name in sys.modules for name in ('torch', 'transformers')))"
    )
    subprocess.run([sys.executable, "-c", code, tmp_path / "run.trace"], check=True)


def test_saving_replaces_in_one_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "run.trace"
    small_trace().save(path)
    before = path.read_bytes()

    def fail(*paths: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", fail)
        with pytest.raises(TraceFileError, match="No space left"):
            replace(small_trace(), answer="new").save(path)
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["run.trace"]


def test_saving_into_a_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(TraceFileError, match="No such file"):
        small_trace().save(tmp_path / "none" / "run.trace")


def header(path: Path) -> tuple[dict[str, Any], bytes]:
    data = path.read_bytes()
    length = struct.unpack("<Q", data[:8])[0]
    return json.loads(data[8 : 8 + length]), data[8 + length :]


def rewritten(path: Path, head: dict[str, Any], body: bytes, *, signed: bool = True) -> None:
    """The file with another header or body, its checksum made to fit as a careful forger would."""
    if signed:
        noted = head["__metadata__"]
        data = json.dumps(head).encode()
        path.write_bytes(struct.pack("<Q", len(data)) + data + body)
        with safe_open(path, framework="numpy") as file:
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no mapping)
        noted[CHECKSUM] = _checksum(noted[FORMAT], arrays)
    text = json.dumps(head).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + body)


def test_newer_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "run.trace"
    small_trace().save(path)
    head, body = header(path)
    document = json.loads(head["__metadata__"]["vlmscope.trace"])
    head["__metadata__"]["vlmscope.trace"] = json.dumps({**document, "version": 99})
    rewritten(path, head, body)
    with pytest.raises(TraceFileError, match="version 99"):
        open_trace(path)


def test_files_of_the_first_version_open(tmp_path: Path) -> None:
    """They know neither earlier turns nor visual tokens outside every grid."""
    path = tmp_path / "run.trace"
    small_trace().save(path)
    head, body = header(path)
    document = json.loads(head["__metadata__"][FORMAT])
    del document["history"], document["layout"]["queries"]
    head["__metadata__"][FORMAT] = json.dumps({**document, "version": 1})
    rewritten(path, head, body)
    opened = open_trace(path)
    assert (opened.history, opened.layout.queries) == ((), ())
    assert opened.tokens == small_trace().tokens


@pytest.mark.parametrize("name", ["tokens", "layout", "version", "images", "prompt_length", "fingerprint"])
def test_missing_parts_are_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / "run.trace"
    small_trace().save(path)
    head, body = header(path)
    document = json.loads(head["__metadata__"]["vlmscope.trace"])
    del document[name]
    head["__metadata__"]["vlmscope.trace"] = json.dumps(document)
    rewritten(path, head, body)
    with pytest.raises(TraceFileError, match="do not fit together"):
        open_trace(path)


def test_damaged_and_foreign_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "run.trace"
    small_trace().save(path)
    whole = path.read_bytes()
    bad = {
        "cut": whole[: len(whole) // 2],
        "cut header": whole[:40],
        "empty": b"",
        "text": b"this is no trace at all, only text that goes on for a while",
        "pickle": b"\x80\x04K\x01.",
        "json": b"{}",
    }
    for name, data in bad.items():
        (tmp_path / name).write_bytes(data)
        with pytest.raises(TraceFileError, match="cannot be opened as a trace"):
            open_trace(tmp_path / name)
    save_file({"a": np.zeros(3)}, tmp_path / "weights.safetensors")
    with pytest.raises(TraceFileError, match="but not a trace"):
        open_trace(tmp_path / "weights.safetensors")
    with pytest.raises(TraceFileError, match="There is no file"):
        open_trace(tmp_path / "missing.trace")
    with pytest.raises(TraceFileError):
        open_trace(tmp_path)


def test_damaged_picture_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "run.trace"
    small_trace().save(path)
    head, body = header(path)
    start, end = head["image.0"]["data_offsets"]
    rewritten(path, head, body[:start] + bytes(end - start) + body[end:])
    with pytest.raises(TraceFileError):
        open_trace(path)


def test_no_flipped_bit_goes_unnoticed(tmp_path: Path) -> None:
    path = tmp_path / "run.trace"
    small_trace().save(path)
    whole, rng = path.read_bytes(), np.random.default_rng(0)
    for place in rng.integers(8, len(whole), 200):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << int(rng.integers(8))
        path.write_bytes(damaged)
        with pytest.raises(TraceFileError):
            open_trace(path)


@pytest.mark.parametrize("version", [0, -5, 1.5, "1", None])
def test_versions_that_never_were_are_refused(tmp_path: Path, version: object) -> None:
    path = tmp_path / "run.trace"
    small_trace().save(path)
    head, body = header(path)
    document = json.loads(head["__metadata__"][FORMAT])
    head["__metadata__"][FORMAT] = json.dumps({**document, "version": version})
    rewritten(path, head, body)
    with pytest.raises(TraceFileError, match="never was"):
        open_trace(path)


@pytest.mark.parametrize("text", ["[" * 100_000, '{"version": 1e999}', "null", "3"])
def test_strange_json_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "run.trace"
    small_trace().save(path)
    head, body = header(path)
    head["__metadata__"][FORMAT] = text
    rewritten(path, head, body)
    with pytest.raises(TraceFileError):
        open_trace(path)


def test_recorded_arrays_cannot_be_changed() -> None:
    trace = small_trace()
    for name, array in trace.arrays().items():
        assert not array.flags.writeable, name
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0


def test_a_home_folder_is_understood(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    small_trace().save("~/run.trace")
    assert (tmp_path / "run.trace").is_file()
    assert open_trace("~/run.trace").answer == small_trace().answer
    with pytest.raises(TraceFileError):
        open_trace("~nobody-of-this-name/run.trace")
