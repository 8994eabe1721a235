"""In which parts and batches a selection is encoded, fixed before the first forward pass.

What stands in a batch together changes how its numbers are rounded, so a build that is to end in the same bytes after
every interruption must not decide this on its way.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from explore.lens.selection import Selection


@dataclass(frozen=True)
class Part:
    """Consecutive sentences, and the rows they own, that make one file for each layer."""

    number: int
    sentences: range
    rows: range


@dataclass(frozen=True, eq=False)
class BankPlan:
    """A selection laid out for encoding.

    Parameters
    ----------
    selection
        What is kept; its order is that of the bank.
    part_rows
        A part ends with the sentence in which it reaches this many rows.
    batch_tokens
        Most tokens of one forward pass, padding included; a longer sentence goes alone.
    """

    selection: Selection
    part_rows: int
    batch_tokens: int

    @cached_property
    def texts(self) -> np.ndarray:
        """Keys of the sentences in the bank's order, (sentences,) uint64."""
        found: np.ndarray = self.selection.rows["text"][self.begins[:-1]]
        return found

    @cached_property
    def begins(self) -> np.ndarray:
        """First row of every sentence, and the number of rows, (sentences + 1,) int64."""
        texts = self.selection.rows["text"]
        return np.concatenate([[0], np.flatnonzero(texts[1:] != texts[:-1]) + 1, [len(texts)]])

    @property
    def owners(self) -> np.ndarray:
        """Which sentence every row comes from, (rows,) int32."""
        return np.repeat(np.arange(len(self.texts), dtype=np.int32), np.diff(self.begins))

    @cached_property
    def parts(self) -> tuple[Part, ...]:
        """The parts in order."""
        firsts = np.unique(self.begins[:-1] // self.part_rows, return_index=True)[1]
        return tuple(
            Part(number, range(first, last), range(int(self.begins[first]), int(self.begins[last])))
            for number, (first, last) in enumerate(pairwise([*firsts.tolist(), len(self.texts)]))
        )

    def batches(self, part: Part) -> Iterator[list[int]]:
        """Sentences of a part that run together: those of about the same length."""
        batch: list[int] = []
        for sentence in sorted(part.sentences, key=self.length):
            if batch and (len(batch) + 1) * self.length(sentence) > self.batch_tokens:
                yield batch
                batch = []
            batch.append(sentence)
        if batch:
            yield batch

    def length(self, sentence: int) -> int:
        """Tokens of a sentence up to its last kept one; nothing behind that can change a kept state."""
        return int(self.selection.rows["position"][self.begins[sentence + 1] - 1]) + 1

    def ids(self, sentence: int) -> np.ndarray:
        """Those tokens, (length,) int32."""
        return self.selection.sentences[int(self.texts[sentence])].ids[: self.length(sentence)]

    def rows(self, sentence: int) -> slice:
        """The rows a sentence owns."""
        return slice(int(self.begins[sentence]), int(self.begins[sentence + 1]))
