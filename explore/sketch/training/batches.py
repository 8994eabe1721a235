"""Training batches: a scene as picture, as words per patch or as prose, then ten turns about it in one sequence.

The turns of a scene share its prefix and do not see each other: every turn starts at the same position and may attend
to the prefix and to itself only, so each is trained exactly as a first question is asked.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from transformers import PreTrainedTokenizerFast

from explore.sketch.answers import mentions
from explore.sketch.cells import GRID, cell_words
from explore.sketch.language import Question, caption_request, name_of, questions
from explore.sketch.pens import COLOURS
from explore.sketch.prompts import IMAGE_TOKEN, PREFIX
from explore.sketch.scenes import BACKGROUNDS, Thing
from explore.sketch.things import KINDS
from explore.sketch.things.signs import TEXTS
from explore.sketch.training.prose import describe
from explore.sketch.training.scene_store import SceneStore

TURNS = 10
CELLS = GRID * GRID
Listed = tuple[Sequence[Thing], str]
"""Things and background of a scene."""
_KIND_IDS = {name: i + len(BACKGROUNDS) for i, name in enumerate(KINDS)} | {n: i for i, n in enumerate(BACKGROUNDS)}
DENSE_CLASSES = {"kind": len(_KIND_IDS), "colour": len(COLOURS), "text": len(TEXTS), "size": 3}
"""Per-patch label sets of the tower's first lessons; everything but "kind" is labelled on things only."""
NOUN_CLASSES = {"count": 5, "colour": len(COLOURS), "row": 3, "column": 3, "text": len(TEXTS)}
"""What the decoder's states over a named thing are taught to know of it."""


@dataclass
class Batch:
    """Tensors of one step; ``tokens`` is prefix plus turns, right-padded, (scenes, positions).

    ``segment`` is 0 on the prefix, 1.. on the turns and -1 on padding; ``weight`` is the loss weight of predicting
    the token at that position; ``bags`` holds the word pieces of every patch, (scenes, cells, pieces), -1 padded;
    ``dense`` holds one label per patch and label set, (scenes, cells), -100 where there is none.
    """

    tokens: torch.Tensor
    positions: torch.Tensor
    segment: torch.Tensor
    weight: torch.Tensor
    bags: torch.Tensor
    dense: dict[str, torch.Tensor]
    pixels: torch.Tensor
    nouns: dict[str, torch.Tensor]
    """What is true of the thing that a token just named, (scenes, positions), -100 elsewhere."""

    def attention_mask(self) -> torch.Tensor:
        """Which position may attend to which, bool (scenes, 1, queries, keys)."""
        query, key = self.segment[:, :, None], self.segment[:, None, :]
        causal = torch.ones(self.tokens.shape[1], self.tokens.shape[1], dtype=torch.bool).tril()
        allowed = causal & ((key == 0) | (key == query))
        return (allowed | torch.eye(self.tokens.shape[1], dtype=torch.bool))[:, None]


class Batcher:
    """Makes batches out of a scene store; the same step gives the same batch, so that training resumes exactly."""

    def __init__(self, store: SceneStore, tokenizer: PreTrainedTokenizerFast, mean: float, std: float, seed: int = 0):
        self.store, self.tokenizer, self.seed = store, tokenizer, seed
        self.mean, self.std = mean, std
        self.image_id = tokenizer.convert_tokens_to_ids(IMAGE_TOKEN)
        head, tail = PREFIX.split(IMAGE_TOKEN)
        self.image_prefix = [*tokenizer(head).input_ids, *[self.image_id] * CELLS, *self._ids(tail)]
        self._pieces: dict[str, list[int]] = {}

    def _ids(self, text: str) -> list[int]:
        return list(self.tokenizer(text, add_special_tokens=False).input_ids)

    def batch(self, step: int, size: int, *, prose: bool = False, pixels: bool = True, drop: float = 0.0) -> Batch:
        """Batch number ``step``; ``drop`` is the chance that a patch keeps a word back."""
        rng = np.random.default_rng((self.seed, step))
        picked = np.sort(rng.integers(0, self.store.count, size))
        scenes = [self.store.contents(int(i)) for i in picked]
        rows = [self._sequence(contents, rng, prose) for contents in scenes]
        fills = (self.tokenizer.pad_token_id, 0, -1, 0.0, *[-100] * len(NOUN_CLASSES))
        tokens, positions, segment, weight, *nouns = (
            _pad([row[part] for row in rows], fill) for part, fill in enumerate(fills)
        )
        cells = np.asarray(self.store.cells[picked]).reshape(size, CELLS)
        bags = self._bags(scenes, cells, rng, drop)
        dense = {name: torch.from_numpy(labels) for name, labels in dense_labels(scenes, cells).items()}
        images = torch.from_numpy(np.asarray(self.store.images[picked])) if pixels else torch.zeros(0)
        return Batch(
            tokens,
            positions,
            segment.long(),
            weight,
            bags,
            dense,
            self._normalise(images),
            dict(zip(NOUN_CLASSES, nouns, strict=True)),
        )

    def _normalise(self, images: torch.Tensor) -> torch.Tensor:
        if not len(images):
            return images
        mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in (self.mean, self.std))
        return (images.permute(0, 3, 1, 2).float() / 255 - mean) / std

    def _sequence(self, contents: Listed, rng: np.random.Generator, prose: bool) -> list[np.ndarray]:
        if prose:
            prefix = [*self.tokenizer("USER: " + describe(contents, rng)).input_ids, *self._ids("\n")]
        else:
            prefix = self.image_prefix
        tokens, segment = list(prefix), [0] * len(prefix)
        positions, weight = list(range(len(prefix))), [0.3 if prose else 0.0] * len(prefix)
        facts: list[list[int]] = [[-100] * len(prefix) for _ in NOUN_CLASSES]
        turns = [] if self.store.crowded else self._turns(contents, rng)  # nobody asks about a crowd
        for number, (asked, answered, known) in enumerate(turns, start=1):
            tokens += asked + answered
            segment += [number] * (len(asked) + len(answered))
            positions += range(len(prefix), len(prefix) + len(asked) + len(answered))
            weight += [0.0] + [0.05] * (len(asked) - 1) + [1.0] * len(answered)
            for column, values in zip(facts, known, strict=True):
                column += values + [-100] * len(answered)
        return [np.array(part) for part in (tokens, positions, segment, weight, *facts)]

    def _turns(self, contents: Listed, rng: np.random.Generator) -> list[tuple[list[int], list[int], list[list[int]]]]:
        """Ids of question and answer of every turn, and the noun facts of the question."""
        chosen = choose_questions(contents, rng)
        asked = [self._casual(question.text, rng) + " ASSISTANT:" for question in chosen]
        answered = [" " + question.answer for question in chosen]
        coded = self.tokenizer(asked + answered, add_special_tokens=False, return_offsets_mapping=True)
        ids, end = coded.input_ids, [self.tokenizer.eos_token_id]
        known = [noun_facts(text, spans, contents[0]) for text, spans in zip(asked, coded.offset_mapping, strict=False)]
        return [(ids[i], ids[i + len(chosen)] + end, known[i]) for i in range(len(chosen))]

    @staticmethod
    def _casual(text: str, rng: np.random.Generator) -> str:
        """Now and then as people type: no capital, no question mark."""
        chance = rng.random()
        if chance < 0.06:
            text = text.rstrip("?.:")
        return text.lower() if 0.04 < chance < 0.1 else text

    def _bags(self, scenes: Sequence[Listed], cells: np.ndarray, rng: np.random.Generator, drop: float) -> torch.Tensor:
        bags = [
            [
                self._bag(cell_words(things, ground, int(label), *divmod(i, GRID)), rng, drop)
                for i, label in enumerate(row)
            ]
            for (things, ground), row in zip(scenes, cells, strict=True)
        ]
        longest = max(len(bag) for row in bags for bag in row)
        return torch.tensor([[bag + [-1] * (longest - len(bag)) for bag in row] for row in bags])

    def _bag(self, words: list[str], rng: np.random.Generator, drop: float) -> list[int]:
        bag = []
        for word in words:
            if drop and rng.random() < drop and len(words) > 1:
                continue
            if word not in self._pieces:
                self._pieces[word] = self._ids(" " + word)
            bag += self._pieces[word]
        return bag or self._pieces.get(words[0]) or self._ids(" " + words[0])


def choose_questions(contents: Listed, rng: np.random.Generator) -> list[Question]:
    """Ten turns, evenly spread over the question types that the scene allows, one of them a caption."""
    by_type: dict[str, list[Question]] = defaultdict(list)
    for question in questions(contents, rng):
        by_type[question.type].append(question)
    style = str(rng.choice(["full", "scene", "short"], p=[0.4, 0.25, 0.35]))
    chosen = [caption_request(contents, style, rng)]
    pools = [list(rng.permutation(np.array(pool, dtype=object))) for pool in by_type.values()]
    while len(chosen) < TURNS and any(pools):
        chosen += [pool.pop() for pool in pools if pool]
    return chosen[:TURNS]


def noun_facts(question: str, spans: Sequence[tuple[int, int]], things: Sequence[Thing]) -> list[list[int]]:
    """For every token of a question, what is true of the thing whose name ends there; one list per label set."""
    facts = {name: [-100] * len(spans) for name in NOUN_CLASSES}
    ends = {stop: token for token, (_, stop) in enumerate(spans)}
    for kind, end in mentions(question):
        if end in ends:
            facts["count"][ends[end]] = sum(thing.kind == kind for thing in things)
    for index, thing in enumerate(things):
        name = name_of(things, index)
        if name is None or (start := question.find(name)) < 0 or start + len(name) not in ends:
            continue
        token = ends[start + len(name)]
        facts["colour"][token] = list(COLOURS).index(thing.colour)
        facts["text"][token] = TEXTS.index(thing.text) if thing.text in TEXTS else -100
        facts["column"][token], facts["row"][token] = (min(int(value * 3), 2) for value in thing.at)
    return list(facts.values())


def dense_labels(scenes: Sequence[Listed], cells: np.ndarray) -> dict[str, np.ndarray]:
    """Labels of every patch, int64 (scenes, cells) per label set, -100 where the set does not apply."""
    labels = {name: np.full(cells.shape, -100, np.int64) for name in DENSE_CLASSES}
    colours, texts, sizes = list(COLOURS), list(TEXTS), ["small", "medium", "large"]
    for row, (things, ground) in enumerate(scenes):
        labels["kind"][row, cells[row] == 0] = _KIND_IDS[ground]
        for index, thing in enumerate(things, start=1):
            here = cells[row] == index
            labels["kind"][row, here] = _KIND_IDS[thing.kind]
            labels["colour"][row, here] = colours.index(thing.colour)
            labels["size"][row, here] = sizes.index(thing.size)
            if thing.text in texts:
                labels["text"][row, here] = texts.index(thing.text)
    return labels


def _pad(rows: list[np.ndarray], fill: float) -> torch.Tensor:
    longest = max(map(len, rows))
    return torch.from_numpy(np.stack([np.pad(row, (0, longest - len(row)), constant_values=fill) for row in rows]))
