"""Runs whose visual tokens are learned queries, made up: where each looks and what each word used is known."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image

from explore.layout import ImageQueries, Role, TokenLayout
from explore.trace import Token, TokenColumns, Trace
from tests.maps.fakes import fake_grid, number_words

QUESTION = (" What", " do", " you", " see", "?")
ANSWER = (" a", " red", " drag", "on", "fly", " and", " a", " house", ".", "</s>")
SHAPES = ((4, 5), (3, 6))


def query_trace(
    shapes: Sequence[tuple[int, int]] = SHAPES,
    each: int = 4,
    *,
    layers: int = 2,
    heads: int = 3,
    pictures: Sequence[Image.Image] | None = None,
    seed: int = 0,
) -> Trace:
    """Pictures of so many patches, `each` queries a picture; a query looks at one spot, a fifth of it elsewhere.

    Every word uses one query most, the words of one sentence one query after the other.
    """
    rng = np.random.default_rng(seed)
    texts = ["<s>", *["<query>"] * (each * len(shapes)), "\n", *QUESTION, "\n", *ANSWER]
    roles = [Role.SYSTEM, *[Role.IMAGE] * (each * len(shapes)), Role.TEMPLATE]
    roles += [*[Role.QUESTION] * len(QUESTION), Role.TEMPLATE, *[Role.ANSWER] * len(ANSWER)]
    words, ids = number_words(texts, roles), {text: number for number, text in enumerate(dict.fromkeys(texts))}
    tokens = tuple(
        Token(place, ids[text], text, role, word)
        for place, (text, role, word) in enumerate(zip(texts, roles, words, strict=True))
    )
    queries, start = [], 1
    for number, (rows, cols) in enumerate(shapes):
        grid = fake_grid(rows, cols)
        size = grid.size if pictures is None else pictures[number].size
        boxes = grid.boxes * np.tile(np.array(size) / np.array(grid.size), 2)
        queries.append(ImageQueries(number, 0, np.arange(start, start + each), size, boxes))
        start += each
    prompt, fed = len(texts) - len(ANSWER), len(texts) - 1
    rows_of = np.arange(prompt - 1, fed)
    attention = {layer: _rows(rng, len(rows_of), fed, range(1, start)) for layer in range(2)}
    logits = rng.standard_normal((fed, len(ids))).astype(np.float32)
    shown = tuple(pictures or [Image.new("RGB", each.size, (190, 200, 210)) for each in queries])
    return Trace(
        tokens=tokens,
        layout=TokenLayout(tuple(roles), (), tuple(queries)),
        question="".join(QUESTION).strip(),
        answer="".join(ANSWER[:-1]).strip(),
        images=shown,
        fingerprint={"checkpoint": "made up", "dtype": "float32", "seed": seed},
        prompt_length=prompt,
        columns=TokenColumns(np.arange(len(ids), dtype=np.int64), logits),
        attention_rows=attention,
        row_positions=rows_of,
        vision={"query_attention": _looks(rng, shapes, each, layers, heads)},
        layers=2,
        heads=4,
        width=8,
    )


def _rows(rng: np.random.Generator, rows: int, fed: int, queries: range) -> np.ndarray:
    """Attention of the answer's rows, (heads, rows, positions_fed): one query after the other gets most."""
    weights = rng.uniform(0.01, 0.05, (4, rows, fed))
    for row in range(rows):
        weights[:, row, queries[row % len(queries)]] += 1
    return (weights / weights.sum(axis=-1, keepdims=True)).astype(np.float32)


def _looks(
    rng: np.random.Generator, shapes: Sequence[tuple[int, int]], each: int, layers: int, heads: int
) -> np.ndarray:
    """Attention of the queries, (layers, heads, queries, patches): spots that go from the top left to the bottom right.

    Four fifths of a query's attention are on patches.
    """
    patches = [rows * cols for rows, cols in shapes]
    found = np.zeros((layers, heads, each * len(shapes), sum(patches)), np.float32)
    for view, (rows, cols) in enumerate(shapes):
        for query in range(each):
            at = (query + 0.5) / each
            down, across = np.mgrid[:rows, :cols]
            distance = ((down + 0.5) / rows - at) ** 2 + ((across + 0.5) / cols - at) ** 2
            spot = np.exp(-distance / 0.03) + 0.02 * rng.random((layers, heads, rows, cols))
            spot *= 0.8 / spot.sum(axis=(-2, -1), keepdims=True)
            column = sum(patches[:view])
            found[:, :, view * each + query, column : column + rows * cols] = spot.reshape(layers, heads, -1)
    return found
