"""Opening a bank: nothing is read that is not asked for; damage, unfinished work and another model are said."""

from __future__ import annotations

import json
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from explore.lens.bank_building import build_bank
from explore.lens.bank_files import BankFileError, shard_name
from explore.lens.banks import Bank, open_bank
from explore.lens.row_search import search
from explore.lens.row_store import RowStore
from tests.lens.words import GOLDEN, WordLanguage, word_runner


@pytest.fixture
def bank(tmp_path: Path) -> Bank:
    return build_bank(word_runner(), GOLDEN, tmp_path / "bank", part_rows=50)


def test_a_bank_is_a_row_store_that_stays_on_disk(bank: Bank) -> None:
    store: RowStore = open_bank(bank.folder)
    maps = Path("/proc/self/maps")
    parts = store.parts(4)
    assert sum(map(len, parts)) == bank.rows
    if maps.exists():
        assert shard_name(4, 0) in maps.read_text()
    before = (bank.folder / shard_name(4, 0)).read_bytes()
    parts[0].rows[0] = 7  # a caller's mistake
    assert (bank.folder / shard_name(4, 0)).read_bytes() == before
    assert store.width == 8
    assert repr(store).endswith("rows in each of layers 1, 2, 4, 5>")


def test_a_bank_says_what_it_is(bank: Bank) -> None:
    info = bank.info()
    assert info["rows"] == bank.rows
    assert info["corpus"] == "list, 64 sentences"
    assert set(info["median norms"]) == {1, 2, 4, 5}
    assert bank.fingerprint["checkpoint"] == "words"
    assert bank.manifest["norms"]["4"]["max"] == bank.norms(4).max()
    for asked in (bank.parts, bank.norms, bank.mean):
        with pytest.raises(BankFileError, match="Layer 3"):
            asked(3)


def test_verify_names_what_was_changed(bank: Bank) -> None:
    bank.verify()
    path = bank.folder / shard_name(2, 1)
    data = bytearray(path.read_bytes())
    data[-3] ^= 1
    path.write_bytes(data)
    with pytest.raises(BankFileError, match=path.name):
        open_bank(bank.folder).verify()


@pytest.mark.parametrize("name", [shard_name(2, 1), "rows.parquet", "sentences.parquet", "means.safetensors"])
@pytest.mark.parametrize("damage", ["cut", "gone"])
def test_a_file_that_is_cut_short_or_missing_is_named_at_opening(bank: Bank, name: str, damage: str) -> None:
    path = bank.folder / name
    if damage == "gone":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(BankFileError, match=name):
        open_bank(bank.folder)


@pytest.mark.parametrize("begin", [b"", b"\xff" * 8, b"\x10\0\0\0\0\0\0\0not json at all!", b"\x02\0\0\0\0\0\0\0{}"])
def test_a_shard_whose_header_is_damaged_is_named_at_opening(bank: Bank, begin: bytes) -> None:
    path = bank.folder / shard_name(5, 0)
    data = path.read_bytes()
    path.write_bytes((begin + data[len(begin) :]) if begin else b"\0" * len(data))
    with pytest.raises(BankFileError, match=path.name):
        open_bank(bank.folder)


def test_a_shard_of_other_rows_is_refused(bank: Bank) -> None:
    """Of the same size as noted, by whatever accident."""
    first, second = bank.folder / shard_name(1, 0), bank.folder / shard_name(1, 1)
    data = second.read_bytes()
    first.write_bytes(data)
    manifest = json.loads((bank.folder / "manifest.json").read_text())
    manifest["files"][first.name]["bytes"] = len(data)
    (bank.folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(BankFileError, match=f"{first.name}.*does not hold"):
        open_bank(bank.folder)


def test_what_is_no_bank_is_refused(bank: Bank, tmp_path: Path) -> None:
    with pytest.raises(BankFileError, match="There is no bank"):
        open_bank(tmp_path / "nowhere")
    path = bank.folder / "manifest.json"
    manifest = json.loads(path.read_text())
    for text, words in (
        ("{", "manifest.json"),
        ("[]", "no JSON object"),
        ("{}", "no manifest of a bank"),
        (json.dumps({**manifest, "version": 99}), "version 99"),
        (json.dumps({**manifest, "parts": None}), "do not fit together"),
        (json.dumps({**manifest, "files": {"rows.parquet": 3}}), "do not fit together"),
    ):
        path.write_text(text)
        with pytest.raises(BankFileError, match=words):
            open_bank(bank.folder)


def test_another_model_than_built_it_is_warned_of(bank: Bank) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        open_bank(bank.folder, word_runner())
        open_bank(bank.folder, {**bank.fingerprint, "dtype": "bfloat16", "device": "cuda", "versions": {}})
    with pytest.warns(UserWarning, match="checkpoint 'others', not 'words'"):
        open_bank(bank.folder, word_runner(checkpoint="others"))
    with pytest.warns(UserWarning, match="revision '2', not '1'"):
        open_bank(bank.folder, {**bank.fingerprint, "revision": "2"})

    class Backwards(WordLanguage):
        def token_texts(self, ids: object) -> list[str]:
            return [each[::-1] for each in super().token_texts(ids)]

    with pytest.warns(UserWarning, match="another tokenizer"):
        open_bank(bank.folder, word_runner(Backwards()))


@pytest.mark.parametrize("dtype", ["float16", "int8"])
def test_a_stored_row_finds_itself_among_all_layers_and_parts(tmp_path: Path, dtype: Any) -> None:
    runner = word_runner(WordLanguage(width=32))
    bank = build_bank(runner, GOLDEN, tmp_path / "parts", dtype=dtype, part_rows=30, batch_tokens=40)
    for layer in bank.layers:
        queries = torch.cat([part.floats(0, len(part)) for part in bank.parts(layer)])
        found = search(bank, queries * 1000, k=3)
        assert found.rows[:, 0].tolist() == list(range(bank.rows))
        assert set(found.layers[:, 0].tolist()) == {layer}
        np.testing.assert_allclose(found.similarities[:, 0], 1, atol=1e-3)
        fewer = search(bank, queries, k=3, layers=[layer])
        assert (found.similarities[:, 2] >= fewer.similarities[:, 2] - 1e-6).all()
        np.testing.assert_array_equal(
            search(bank, queries, centred=True).rows, search(bank, queries, centred=True, means=bank.means).rows
        )


LIMITED = """
import resource, sys
import numpy as np
from pathlib import Path
from explore.lens.bank_files import _mapped

source = Path(sys.argv[1])
data = next(line for line in open("/proc/self/status") if line.startswith("VmData"))
resource.setrlimit(resource.RLIMIT_DATA, (int(data.split()[1]) * 1024 + (8 << 20),) * 2)
rows = _mapped(source, 0, {"shape": [1 << 20, 32], "dtype": "F16", "data_offsets": [0, 1 << 26]})
print(float(rows[12345].float().sum()))
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="asks Linux how much memory the process has")
def test_a_bank_larger_than_the_memory_of_its_process_opens(tmp_path: Path) -> None:
    np.ones((1 << 20, 32), np.float16).tofile(tmp_path / "rows")
    made = subprocess.run([sys.executable, "-c", LIMITED, str(tmp_path / "rows")], capture_output=True, text=True)
    assert made.stdout == "32.0\n", made.stderr
