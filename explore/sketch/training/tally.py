"""How many answers of a stretch of training were right to the last token, by question type."""

from __future__ import annotations

from collections import Counter

import torch

from explore.sketch.training.batches import TURN_TYPES, Batch


class Tally:
    """Counts answers whose every token was the likeliest one.

    The batches of a training are hardly ever seen twice, so this is close to what an exam would say, at no cost.
    """

    def __init__(self) -> None:
        self.right: Counter[str] = Counter()
        self.asked: Counter[str] = Counter()

    def add(self, batch: Batch, hit: torch.Tensor) -> None:
        """Take in a batch; ``hit`` is true where the right token was the likeliest, bool (scenes, positions)."""
        answered = batch.types >= 0
        scene, position = answered.nonzero(as_tuple=True)
        turn = scene * (int(batch.segment.max()) + 1) + batch.segment[scene, position]
        turns, where = turn.unique(return_inverse=True)
        wrong = torch.zeros(len(turns)).index_add(0, where, (~hit[answered]).float())
        kinds = torch.zeros(len(turns), dtype=torch.long).scatter(0, where, batch.types[answered].long())
        for number, name in enumerate(TURN_TYPES):
            here = kinds == number
            self.asked[name] += int(here.sum())
            self.right[name] += int((wrong[here] == 0).sum())

    def shares(self) -> dict[str, float]:
        """Share of right answers overall and by type since the last call."""
        shares = {"exact": self.right.total() / self.asked.total()} if self.asked.total() else {}
        shares |= {name: self.right[name] / count for name, count in self.asked.items() if count}
        self.right.clear()
        self.asked.clear()
        return {name: round(share, 3) for name, share in shares.items()}
