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
from explore.sketch.cells import GRID, centre_cells, order_ranks, scene_words
from explore.sketch.language import QUESTION_TYPES, SIDES, Question, caption_request, name_of, questions
from explore.sketch.pens import COLOURS
from explore.sketch.prompts import IMAGE_TOKEN, PREFIX
from explore.sketch.scenes import BACKGROUNDS, MOST_THINGS, Thing
from explore.sketch.things import KINDS
from explore.sketch.things.signs import TEXTS
from explore.sketch.training.prose import describe
from explore.sketch.training.scene_store import SceneStore

TURNS = 10
CELLS = GRID * GRID
Listed = tuple[Sequence[Thing], str]
"""Things and background of a scene."""
Turn = tuple[list[int], list[int], list[list[int]], str]
"""Ids of the question, ids of the answer, noun facts of both, type."""
_KIND_IDS = {name: i + len(BACKGROUNDS) for i, name in enumerate(KINDS)} | {n: i for i, n in enumerate(BACKGROUNDS)}
DENSE_CLASSES = {"kind": len(_KIND_IDS), "colour": len(COLOURS), "text": len(TEXTS), "size": 3, "centre": 2}
ORDERS = ("left", "top")
DENSE_CLASSES |= dict.fromkeys(ORDERS, MOST_THINGS)
"""Per-patch label sets of the tower's first lessons; everything but "kind" is labelled on things only."""
TURN_TYPES = ("caption", *QUESTION_TYPES)
NOUN_CLASSES = {"count": 5, "colour": len(COLOURS), "row": 3, "column": 3, "text": len(TEXTS)}
NOUN_CLASSES |= dict.fromkeys(ORDERS, MOST_THINGS)
"""What the decoder's states over a named thing are taught to know of it; also what else lies on its four sides."""


@dataclass(kw_only=True)
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
    types: torch.Tensor
    """Which of ``TURN_TYPES`` an answer token answers, (scenes, positions), -1 elsewhere."""
    named: torch.Tensor
    """Which thing of the scene a token just named, (scenes, positions), -1 elsewhere."""
    sides: torch.Tensor
    """Which kinds lie on each side of each thing, float (scenes, things, sides, kinds)."""

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
        fills = (self.tokenizer.pad_token_id, 0, -1, 0.0, -1, -1, *[-100] * len(NOUN_CLASSES))
        tokens, positions, segment, weight, types, named, *nouns = (
            _pad([row[part] for row in rows], fill) for part, fill in enumerate(fills)
        )
        cells = np.asarray(self.store.cells[picked]).reshape(size, CELLS)
        bags = self._bags(scenes, cells, rng, drop)
        dense = {name: torch.from_numpy(labels) for name, labels in dense_labels(scenes, cells).items()}
        images = torch.from_numpy(np.asarray(self.store.images[picked])) if pixels else torch.zeros(0)
        return Batch(
            tokens=tokens,
            positions=positions,
            segment=segment.long(),
            weight=weight,
            bags=bags,
            dense=dense,
            pixels=self._normalise(images),
            nouns=dict(zip(NOUN_CLASSES, nouns, strict=True)),
            types=types,
            named=named,
            sides=torch.from_numpy(np.stack([kinds_beside(things) for things, _ in scenes])),
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
        types = [-1] * len(prefix)
        facts = [[fill] * len(prefix) for fill in (-1, *[-100] * len(NOUN_CLASSES))]
        turns = [] if self.store.crowded else self._turns(contents, rng)  # nobody asks about a crowd
        for number, (asked, answered, known, kind) in enumerate(turns, start=1):
            tokens += asked + answered
            segment += [number] * (len(asked) + len(answered))
            positions += range(len(prefix), len(prefix) + len(asked) + len(answered))
            weight += [0.0] + [0.05] * (len(asked) - 1) + [1.0] * len(answered)
            types += [-1] * len(asked) + [TURN_TYPES.index(kind)] * len(answered)
            for column, values in zip(facts, known, strict=True):
                column += values
        return [np.array(part) for part in (tokens, positions, segment, weight, types, *facts)]

    def _turns(self, contents: Listed, rng: np.random.Generator) -> list[Turn]:
        """Every turn about a scene."""
        chosen = choose_questions(contents, rng)
        asked = [self._casual(question.text, rng) + " ASSISTANT:" for question in chosen]
        answered = [" " + question.answer for question in chosen]
        coded = self.tokenizer(asked + answered, add_special_tokens=False, return_offsets_mapping=True)
        ids, end = coded.input_ids, [self.tokenizer.eos_token_id]
        spans = coded.offset_mapping
        turns = []
        for i, question in enumerate(chosen):
            at = i + len(chosen)
            of_question = noun_facts(asked[i], spans[i], contents[0])
            of_answer = noun_facts(answered[i], [*spans[at], (0, 0)], contents[0])  # the last span is the end's
            facts = [before + after for before, after in zip(of_question, of_answer, strict=True)]
            turns.append((ids[i], ids[at] + end, facts, question.type))
        return turns

    @staticmethod
    def _casual(text: str, rng: np.random.Generator) -> str:
        """Now and then as people type: no capital, no question mark."""
        chance = rng.random()
        if chance < 0.06:
            text = text.rstrip("?.:")
        return text.lower() if 0.04 < chance < 0.1 else text

    def _bags(self, scenes: Sequence[Listed], cells: np.ndarray, rng: np.random.Generator, drop: float) -> torch.Tensor:
        bags = [
            [self._bag(words, rng, drop) for words in scene_words(things, ground, row.reshape(GRID, GRID))]
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
    """Ten turns, evenly spread over the question types that the scene allows, one of them a caption.

    Relations, which are learned last, come twice as often as the others.
    """
    by_type: dict[str, list[Question]] = defaultdict(list)
    for question in questions(contents, rng):
        by_type[question.type].append(question)
    style = str(rng.choice(["full", "scene", "short"], p=[0.4, 0.25, 0.35]))
    chosen = [caption_request(contents, style, rng)]
    pools = {name: list(rng.permutation(np.array(pool, dtype=object))) for name, pool in by_type.items()}
    while len(chosen) < TURNS and any(pools.values()):
        for name, pool in pools.items():
            chosen += [pool.pop() for _ in range(min(len(pool), 2 if name == "relation" else 1))]
    return chosen[:TURNS]


def noun_facts(text: str, spans: Sequence[tuple[int, int]], things: Sequence[Thing]) -> list[list[int]]:
    """For every token of a text, what is true of the thing whose name ends there.

    One list for which thing it is (-1 elsewhere), then one per set of ``NOUN_CLASSES`` (-100 elsewhere).
    """
    named = [-1] * len(spans)
    facts = {name: [-100] * len(spans) for name in NOUN_CLASSES}
    ends = {stop: token for token, (_, stop) in enumerate(spans)}
    for kind, end in mentions(text):
        if end in ends:
            facts["count"][ends[end]] = sum(thing.kind == kind for thing in things)
    ranks = order_ranks(things)
    for index, thing in enumerate(things):
        name = name_of(things, index)
        if name is None or (start := text.find(name)) < 0 or start + len(name) not in ends:
            continue
        token = ends[start + len(name)]
        named[token] = index
        facts["colour"][token] = list(COLOURS).index(thing.colour)
        facts["text"][token] = TEXTS.index(thing.text) if thing.text in TEXTS else -100
        facts["column"][token], facts["row"][token] = (min(int(value * 3), 2) for value in thing.at)
        for name, rank in zip(ORDERS, ranks[index], strict=True):
            facts[name][token] = int(rank)
    return [named, *facts.values()]


def kinds_beside(things: Sequence[Thing]) -> np.ndarray:
    """Which kinds lie left of, right of, above and below each thing, float32 (``MOST_THINGS``, sides, kinds)."""
    table = np.zeros((MOST_THINGS, len(SIDES), len(KINDS)), np.float32)
    for one, thing in enumerate(things[:MOST_THINGS]):
        for side, (axis, sign, _) in enumerate(SIDES.values()):
            for other in things:
                if sign * (other.at[axis] - thing.at[axis]) > 0:
                    table[one, side, list(KINDS).index(other.kind)] = 1
    return table


def dense_labels(scenes: Sequence[Listed], cells: np.ndarray) -> dict[str, np.ndarray]:
    """Labels of every patch, int64 (scenes, cells) per label set, -100 where the set does not apply."""
    labels = {name: np.full(cells.shape, -100, np.int64) for name in DENSE_CLASSES}
    colours, texts, sizes = list(COLOURS), list(TEXTS), ["small", "medium", "large"]
    for row, (things, ground) in enumerate(scenes):
        labels["kind"][row, cells[row] == 0] = _KIND_IDS[ground]
        ranks = order_ranks(things)
        for index, thing in enumerate(things, start=1):
            here = cells[row] == index
            if len(things) <= MOST_THINGS:
                for name, rank in zip(ORDERS, ranks[index - 1], strict=True):
                    labels[name][row, here] = rank
            labels["kind"][row, here] = _KIND_IDS[thing.kind]
            labels["colour"][row, here] = colours.index(thing.colour)
            labels["size"][row, here] = sizes.index(thing.size)
            labels["centre"][row, here] = 0
            if thing.text in texts:
                labels["text"][row, here] = texts.index(thing.text)
        centres = centre_cells(things, cells[row].reshape(GRID, GRID))
        labels["centre"][row, centres[centres >= 0]] = 1
    return labels


def _pad(rows: list[np.ndarray], fill: float) -> torch.Tensor:
    longest = max(map(len, rows))
    return torch.from_numpy(np.stack([np.pad(row, (0, longest - len(row)), constant_values=fill) for row in rows]))
