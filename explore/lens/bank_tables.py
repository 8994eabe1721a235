"""The tables beside the vectors of a bank: what every row is, and the sentences rows come from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from explore.lens.bank_files import ROWS, SENTENCES, write_table
from explore.lens.bank_plan import BankPlan
from explore.runs import LanguageLike


def write_rows(folder: Path, plan: BankPlan, language: LanguageLike) -> dict[str, Any]:
    """Write what every row is; returns what the manifest notes of the file."""
    rows = plan.selection.rows
    each, codes = np.unique(rows["token"], return_inverse=True)
    spelled = pa.array(language.token_texts(each), pa.string())
    return write_table(
        folder / ROWS,
        {
            "token_id": rows["token"],
            "token_text": pa.DictionaryArray.from_arrays(pa.array(codes, pa.int32()), spelled),
            "sentence": plan.owners,
            "position": rows["position"],
            "first": rows["first"],
            "last": rows["last"],
        },
    )


def write_sentences(folder: Path, plan: BankPlan) -> dict[str, Any]:
    """Write the sentences rows come from; returns what the manifest notes of the file."""
    texts = [plan.selection.sentences[key].text for key in plan.texts.tolist()]
    numbers = plan.selection.rows["number"][plan.begins[:-1]]
    return write_table(folder / SENTENCES, {"number": numbers, "text": pa.array(texts, pa.large_string())})
