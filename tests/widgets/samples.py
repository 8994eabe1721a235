"""Runs with a known answer: scenes whose logits are high exactly where a thing of the answer lies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
from PIL import Image

from explore.layout import ImageGrid, Role, TokenLayout
from explore.maps import METHODS, TokenMaps
from explore.sketch import Scene, Thing, scene
from explore.trace import Token, TokenColumns, Trace

QUESTION = (" what", " can", " you", " see", "?")
ANSWER = (" A", " red", " drag", "on", "fly", " left", " of", " a", " blue", " house", ".", "</s>")
HOSTILE = (
    ' <img src=x onerror="window.hacked=1">',
    "</script><script>window.hacked=1</script>",
    " <!--",
    " &amp;",
    "\u202eevil",
    " " + "w" * 300,
    "\n",
    " ",
    " ünï\u2028cødé 🐉",
)


def sample_scene() -> Scene:
    """A red cat on the left, a blue house on the right."""
    things = [Thing("cat", "red", "large", (0.27, 0.62)), Thing("house", "blue", "large", (0.74, 0.36))]
    return scene(things, seed=4, background="grass")


def sample_trace(
    answer: Sequence[str] = ANSWER,
    question: Sequence[str] = QUESTION,
    *,
    rows: int = 12,
    cols: int = 12,
    pictures: int = 1,
    seed: int = 0,
) -> Trace:
    """A run over one or several copies of the sample scene.

    Pieces of "dragonfly" light up the left thing and "house" the right one; the rest is low noise. Words are numbered
    as a tokenizer would: a new word at every space, punctuation apart, special tokens in no word.
    """
    drawn = sample_scene()
    texts = ["<s>"] + ["<image>"] * (rows * cols * pictures) + [*question, "\n", *answer]
    roles = [Role.SYSTEM] + [Role.IMAGE] * (rows * cols * pictures)
    roles += [Role.QUESTION] * len(question) + [Role.TEMPLATE] + [Role.ANSWER] * len(answer)
    ids = {text: number for number, text in enumerate(dict.fromkeys(texts))}
    words = _words(texts, roles)
    tokens = tuple(
        Token(position, ids[text], text, role, word)
        for position, (text, role, word) in enumerate(zip(texts, roles, words, strict=True))
    )
    starts = range(1, 1 + rows * cols * pictures, rows * cols)
    grids = tuple(sample_grid(rows, cols, start, number, drawn.image.size) for number, start in enumerate(starts))
    logits = np.random.default_rng(seed).uniform(-1, 1, (len(texts) - 1, len(ids))).astype(np.float32)
    for text, thing in {" drag": 0, "on": 0, "fly": 0, " red": 0, " house": 1, " blue": 1}.items():
        if text in ids:
            mask = Image.fromarray(drawn.mask(thing)).convert("L").resize((cols, rows), Image.Resampling.BOX)
            lit = np.tile(np.asarray(mask, np.float32).ravel() / 255, pictures)
            logits[1 : 1 + len(lit), ids[text]] += 9 * lit * (0.7 if text in (" red", " blue") else 1)
    return Trace(
        tokens=tokens,
        layout=TokenLayout(tuple(roles), grids),
        question="".join(question).strip(),
        answer="".join(text for text in answer if text != "</s>").strip(),
        images=(drawn.image,) * pictures,
        fingerprint={"checkpoint": "made up", "dtype": "float32", "seed": seed, "grid": [rows, cols]},
        prompt_length=len(texts) - len(answer),
        columns=TokenColumns(np.arange(len(ids), dtype=np.int64), logits),
    )


def position_of(trace: Trace, text: str) -> int:
    """Sequence position of the first answer token with this text."""
    return next(token.position for token in trace.tokens if token.text == text and token.role is Role.ANSWER)


def sample_grid(rows: int, cols: int, start: int, image: int, size: tuple[int, int]) -> ImageGrid:
    """A grid that covers its whole picture."""
    width, height = size[0] / cols, size[1] / rows
    left, top = np.meshgrid(np.arange(cols) * width, np.arange(rows) * height)
    boxes = np.stack([left, top, left + width, top + height], axis=-1)
    return ImageGrid(image, 0, 0, start + np.arange(rows * cols).reshape(rows, cols), boxes, size)


def _words(texts: Sequence[str], roles: Sequence[Role]) -> list[int]:
    words: list[int] = []
    counts: dict[Role, int] = {}
    for text, role in zip(texts, roles, strict=True):
        if role not in (Role.QUESTION, Role.ANSWER) or text.startswith("</s"):
            words.append(-1)
            continue
        if text.startswith(" ") or not text.strip().isalnum() or role not in counts:
            counts[role] = counts.get(role, -1) + 1
        words.append(counts[role])
    return words


def answer_maps(trace: Trace, method: str = "knockout", *, seed: int = 0) -> TokenMaps:
    """Maps as a method makes them that explains the answer only: logit maps with noise, signed and divided."""
    whole = METHODS["logit"]().maps(trace)
    rows = [row for row, token in enumerate(whole.tokens) if token.role is Role.ANSWER]
    noise = np.random.default_rng(seed).normal(0, 0.1, (len(rows), whole.array.shape[1]))
    values = (3 * whole.array[rows] - 0.4 + noise).astype(np.float32)
    scale = float(values.max())
    return replace(
        whole,
        tokens=tuple(whole.tokens[row] for row in rows),
        array=np.clip(values / scale, 0, 1),
        parts=SimpleNamespace(values=values, unit="logit lost", scale=scale, note="Negative values are shown as 0."),
        fingerprint={**trace.fingerprint, "maps": {"method": method}},
    )
