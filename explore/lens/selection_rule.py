"""What decides which tokens of a corpus are kept: a rule, and its application to any collection of candidates."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from explore.errors import ParameterError

VERSION = 1
Mode = Literal["default", "reference"]
_CAPS = {"default": 20, "reference": 50}
_FIRST = {"default": 0, "reference": 2}

ROW = np.dtype(
    [
        ("group", "<u8"),  # what the cap counts by
        ("prefix", "<u8", (2,)),
        ("text", "<u8"),
        ("number", "<i8"),
        ("position", "<i4"),
        ("token", "<i4"),
        ("first", "<i4"),
        ("last", "<i4"),
    ]
)


@dataclass(frozen=True)
class SelectionRule:
    """What decides a selection.

    Parameters
    ----------
    mode
        "default": control tokens and what follows one inside a sentence are left out, the cap holds for each token id,
        and the smallest hashes win. "reference", as published: positions 0 and 1 are left out, the cap holds for each
        token text, and the first in the corpus win.
    cap
        Most rows of one token; None means 20, in reference mode 50.
    seed
        Another seed draws other rows; without effect in reference mode.
    tokenizer
        What identifies the tokenizer; part of the hash's key.
    first_position
        Earliest position kept; None means 0, in reference mode 2.
    longest
        Tokens of a sentence behind this many are not seen.
    """

    mode: Mode = "default"
    cap: int | None = None
    seed: int = 0
    tokenizer: str = ""
    first_position: int | None = None
    longest: int = 512

    def __post_init__(self) -> None:
        if self.mode not in _CAPS:
            raise ParameterError(f"mode={self.mode!r} was given", "It is 'default' or 'reference'.")
        object.__setattr__(self, "cap", _CAPS[self.mode] if self.cap is None else self.cap)
        first = _FIRST[self.mode] if self.first_position is None else self.first_position
        object.__setattr__(self, "first_position", first)
        for name, least in (("cap", 1), ("first_position", 0), ("longest", 1)):
            if getattr(self, name) < least:
                raise ParameterError(f"{name}={getattr(self, name)} was given", f"It is at least {least}.")

    def to_json(self) -> dict[str, Any]:
        """What a manifest notes."""
        return {"version": VERSION, **asdict(self)}


def reduced(rows: np.ndarray, rule: SelectionRule) -> np.ndarray:
    """Every beginning once, and at most `cap` rows of each group."""
    high, low = rows["prefix"].T
    # Of equal beginnings the owner is the first sentence, or the one of smallest hash: which no order can change.
    owner = (rows["number"],) if rule.mode == "reference" else (rows["number"], rows["text"])
    rows = rows[np.lexsort((*owner, low, high))]
    rows = rows[_changes(rows["prefix"][:, 0]) | _changes(rows["prefix"][:, 1])]
    rank = (rows["position"], rows["number"]) if rule.mode == "reference" else rows["prefix"].T[::-1]
    rows = rows[np.lexsort((*rank, rows["group"]))]
    begins = np.flatnonzero(_changes(rows["group"]))
    within = np.arange(len(rows)) - np.repeat(begins, np.diff(np.append(begins, len(rows))))
    assert rule.cap is not None  # the mode's own where none was given
    kept: np.ndarray = rows[within < rule.cap]
    return kept


def _changes(values: np.ndarray) -> np.ndarray:
    """Where a value differs from the one before it; the first does."""
    found = np.ones(len(values), bool)
    found[1:] = values[1:] != values[:-1]
    return found
