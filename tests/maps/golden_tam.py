"""The synthetic case whose maps were measured on the published code: made-up ids and logits from one seed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from explore.layout import Role, TokenLayout
from explore.trace import Token, TokenColumns, Trace
from tests.maps.fakes import fake_grid

VOCABULARY = 512
BEFORE = [503, 1, 505, 2, 504, 505, 503, 3, 505, 501]
PAD, AFTER = 507, [502]
HEADER = [504, 505, 503, 506, 505]


@dataclass(frozen=True)
class GoldenCase:
    """One made-up run: ids of the sequence, where its parts lie, and logits (positions fed, 512)."""

    ids: list[int]
    logits: np.ndarray
    shape: tuple[int, int]
    prompt: list[int]
    answer: list[int]

    @property
    def visual(self) -> np.ndarray:
        return len(BEFORE) + np.arange(self.shape[0] * self.shape[1])

    @property
    def question(self) -> np.ndarray:
        return self.visual[-1] + 1 + len(AFTER) + np.arange(len(self.prompt))

    @property
    def prompt_length(self) -> int:
        return len(self.ids) - len(self.answer)

    def trace(self) -> Trace:
        roles = [Role.TEMPLATE] * len(self.ids)
        for position in self.visual:
            roles[position] = Role.IMAGE
        for position in self.question:
            roles[position] = Role.QUESTION
        roles[self.prompt_length :] = [Role.ANSWER] * len(self.answer)
        tokens = tuple(
            Token(position, number, f"t{number}", role)
            for position, (number, role) in enumerate(zip(self.ids, roles, strict=True))
        )
        grid = fake_grid(*self.shape, start=len(BEFORE))
        return Trace(
            tokens=tokens,
            layout=TokenLayout(tuple(roles), (grid,)),
            question="",
            answer="",
            images=(),
            fingerprint={},
            prompt_length=self.prompt_length,
            columns=TokenColumns(np.arange(VOCABULARY, dtype=np.int64), self.logits),
        )


def golden_case(
    seed: int = 7, shape: tuple[int, int] = (3, 4), prompt: int = 4, answer: int = 4, words: int = 18
) -> GoldenCase:
    """The recipe of the specification; the order of the draws matters."""
    rng = np.random.default_rng(seed)
    asked = rng.integers(10, words, prompt).tolist()
    said = rng.integers(10, words, answer).tolist()
    given = [*BEFORE, *[PAD] * (shape[0] * shape[1]), *AFTER, *asked, *HEADER]
    steps = [rng.standard_normal((1, len(given), VOCABULARY)).astype(np.float32)]
    steps += [rng.standard_normal((1, 1, VOCABULARY)).astype(np.float32) for _ in range(answer - 1)]
    return GoldenCase([*given, *said], np.concatenate(steps, axis=1)[0], shape, asked, said)
