"""Traces with made-up logits, so that maps can be tested without a model."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image

from explore.layout import ImageGrid, Role, TokenLayout
from explore.trace import Token, TokenColumns, Trace

QUESTION = ("Where", " is", " the", " dog", "?")
ANSWER = ("On", " the", " be", "nch", " near", " the", " bench", ".", "</s>")


def fake_trace(
    shapes: Sequence[tuple[int, int]] = ((4, 5),),
    question: Sequence[str] = QUESTION,
    answer: Sequence[str] = ANSWER,
    *,
    video: bool = False,
    seed: int = 0,
    logits: np.ndarray | None = None,
) -> Trace:
    """A run over one grid per picture (or per frame), its logits normally distributed unless given.

    Token ids count the distinct texts in order of appearance; `logits` is (positions fed, distinct texts).
    """
    texts = ["<s>"] + ["<image>"] * sum(rows * cols for rows, cols in shapes) + ["\n"]
    roles = [Role.SYSTEM] + [Role.IMAGE] * (len(texts) - 2) + [Role.TEMPLATE]
    texts += [*question, " Answer", ":", *answer]
    roles += [Role.QUESTION] * len(question) + [Role.TEMPLATE] * 2 + [Role.ANSWER] * len(answer)

    vocabulary = {text: number for number, text in enumerate(dict.fromkeys([*texts, " guess"]))}
    grids, start = [], 1
    for number, (rows, cols) in enumerate(shapes):
        image, frame = (0, number) if video else (number, 0)
        grids.append(fake_grid(rows, cols, start, image, frame))
        start += rows * cols
    words = number_words(texts, roles)
    tokens = tuple(
        Token(position, vocabulary[text], text, role, word)
        for position, (text, role, word) in enumerate(zip(texts, roles, words, strict=True))
    )
    prompt = len(texts) - len(answer)
    fed = max(len(texts) - 1, prompt)
    if logits is None:
        logits = np.random.default_rng(seed).standard_normal((fed, len(vocabulary))).astype(np.float32)
    pictures = tuple(
        Image.new("RGB", (grid.size[0], grid.size[1]), (200, 30 * number % 255, 90))
        for number, grid in enumerate(grids)
    )
    return Trace(
        tokens=tokens,
        layout=TokenLayout(tuple(roles), tuple(grids)),
        question="".join(question),
        answer="".join(text for text in answer if text != "</s>").strip(),
        images=pictures,
        fingerprint={"checkpoint": "fake"},
        prompt_length=prompt,
        columns=TokenColumns(np.arange(len(vocabulary), dtype=np.int64), logits),
    )


def fake_grid(rows: int, cols: int, start: int = 0, image: int = 0, frame: int = 0, cell: int = 10) -> ImageGrid:
    """Square cells that fill the picture."""
    left, top = np.meshgrid(np.arange(cols) * cell, np.arange(rows) * cell)
    boxes = np.stack([left, top, left + cell, top + cell], axis=-1).astype(np.float32)
    positions = start + np.arange(rows * cols).reshape(rows, cols)
    return ImageGrid(image, frame, 0, positions, boxes, (cols * cell, rows * cell))


def number_words(texts: Sequence[str], roles: Sequence[Role]) -> list[int]:
    """Word numbers within question and answer: a new word at a space, at punctuation, and where the role begins."""
    words, last = [], dict[Role, int]()
    for index, (text, role) in enumerate(zip(texts, roles, strict=True)):
        if role not in (Role.QUESTION, Role.ANSWER) or text.startswith("</"):
            words.append(-1)
            continue
        begins = text.startswith(" ") or not text.isalnum() or roles[index - 1] is not role
        last[role] = last.get(role, -1) + begins
        words.append(last[role])
    return words
