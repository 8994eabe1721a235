"""The language of the scene world: captions with word spans, and questions with answers, both varied in wording."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from explore.sketch.pens import COLOURS
from explore.sketch.scenes import Scene, Thing
from explore.sketch.things import KINDS

NUMBERS = ("none", "one", "two", "three", "four")
ROWS, COLUMNS = ("top", "", "bottom"), ("left", "", "right")
GROUNDS = {
    "grass": "on the grass",
    "sand": "on the sand",
    "snow": "in the snow",
    "water": "on the water",
    "wood": "on a wooden floor",
    "brick": "in front of a brick wall",
    "paper": "on a sheet of paper",
    "stone": "on grey stones",
}
CAPTION_REQUESTS = {
    "full": (
        "Describe the {picture}.",
        "Describe this {picture} in detail.",
        "What do you see?",
        "Tell me about the {picture}.",
    ),
    "scene": (
        "Write a one-sentence caption for this {picture}:",
        "Write a caption for the {picture}.",
        "What is going on here?",
    ),
    "short": (
        "What is in the {picture}?",
        "What is this?",
        "Name the things in the {picture}.",
        "What does the {picture} show?",
    ),
}
PICTURES = ("picture", "image", "photo", "picture")
MARGIN = 0.06
"""Places and relations closer to a border than this share of the picture are never asked about."""


@dataclass(frozen=True)
class Caption:
    """A caption and, per mention, ``(start, end, thing)``: characters of the text and index of the thing."""

    text: str
    spans: tuple[tuple[int, int, int], ...]


@dataclass(frozen=True)
class Question:
    """A question about a scene with its answer, its type (a key of ``QUESTION_TYPES``) and the things it is about."""

    type: str
    text: str
    answer: str
    things: tuple[int, ...] = ()


Contents = Scene | tuple[Sequence[Thing], str]


def contents_of(scene: Contents) -> tuple[Sequence[Thing], str]:
    return (scene.things, scene.background) if isinstance(scene, Scene) else scene


def article(words: str) -> str:
    """``words`` with "a" or "an" before them."""
    return ("an " if words[0] in "aeiou" else "a ") + words


def place_phrase(thing: Thing) -> str:
    """Where a thing's centre lies in the 3 x 3 regions of the picture: "at the top left", "in the middle" …"""
    column, row = (min(int(value * 3), 2) for value in thing.at)
    if (row, column) == (1, 1):
        return "in the middle"
    words = " ".join(word for word in (ROWS[row], COLUMNS[column]) if word)
    return ("on the " if row == 1 else "at the ") + words


def reading_order(things: Sequence[Thing]) -> list[int]:
    """Captions name things from left to right."""
    return sorted(range(len(things)), key=lambda i: things[i].at[0])


def caption(scene: Contents, style: str = "full") -> Caption:
    """A caption of a scene.

    Parameters
    ----------
    scene
        A ``Scene`` or its (things, background).
    style
        "short" names the things, "scene" adds the ground, "full" adds sizes and places.
    """
    things, background = contents_of(scene)
    text, spans = "There is " if style == "scene" else "", []
    order = reading_order(things)
    for n, index in enumerate(order):
        thing = things[index]
        size = f"{thing.size} " if style == "full" and thing.size != "medium" else ""
        phrase = article(f"{size}{thing.colour} {thing.kind}")
        text += "" if n == 0 else (" and " if n == len(order) - 1 else ", ")
        spans.append((len(text), len(text) + len(phrase), index))
        text += phrase + (f" {place_phrase(thing)}" if style == "full" else "")
    ground = {"short": "", "scene": f" {GROUNDS[background]}", "full": f", {GROUNDS[background]}"}[style]
    text = text[:1].upper() + text[1:] + ground + "."
    return Caption(text, tuple(spans))


def name_of(things: Sequence[Thing], index: int) -> str | None:
    """The shortest noun that fits only this thing: "dog", else "red dog"; ``None`` where two look alike."""
    thing = things[index]
    same_kind = [other for other in things if other.kind == thing.kind]
    if len(same_kind) == 1:
        return thing.kind
    same_colour = [other for other in same_kind if other.colour == thing.colour]
    return f"{thing.colour} {thing.kind}" if len(same_colour) == 1 else None


def _pick(rng: np.random.Generator, options: Sequence[str]) -> str:
    return str(options[int(rng.integers(len(options)))])


def _listing(things: Sequence[Thing], indices: Sequence[int]) -> str:
    ordered = sorted(indices, key=lambda i: things[i].at[0])
    phrases = [article(f"{things[i].colour} {things[i].kind}") for i in ordered]
    return " and ".join(filter(None, [", ".join(phrases[:-1]), phrases[-1]]))


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + "."


def what_questions(things: Sequence[Thing], background: str, rng: np.random.Generator) -> Iterator[Question]:
    """Which thing has this colour, which lies in this part of the picture."""
    for i, thing in enumerate(things):
        if sum(other.colour == thing.colour for other in things) == 1:
            text = _pick(rng, ("What is the {c} thing?", "Which thing is {c}?", "What is {c}?")).format(c=thing.colour)
            yield Question("what", text, _sentence(article(f"{thing.colour} {thing.kind}")), (i,))
        if _clear_place(thing) and sum(place_phrase(other) == place_phrase(thing) for other in things) == 1:
            yield Question(
                "what", f"What is {place_phrase(thing)}?", _sentence(article(f"{thing.colour} {thing.kind}")), (i,)
            )


def colour_questions(things: Sequence[Thing], background: str, rng: np.random.Generator) -> Iterator[Question]:
    """Which colour a thing has; only for kinds that occur once."""
    for i, thing in enumerate(things):
        if name_of(things, i) == thing.kind:
            word = _pick(rng, ("colour", "color"))
            short = (f"What {word} is the {thing.kind}?", f"Which {word} is the {thing.kind}?")
            long = (f"Tell me the {word} of the {thing.kind}.", f"What is the {word} of the {thing.kind}?")
            if rng.random() < 0.5:
                yield Question("colour", _pick(rng, short), thing.colour.capitalize() + ".", (i,))
            else:
                yield Question("colour", _pick(rng, long), f"The {thing.kind} is {thing.colour}.", (i,))


def _clear_place(thing: Thing) -> bool:
    return all(abs(value - border) > MARGIN / 2 for value in thing.at for border in (1 / 3, 2 / 3))


def where_questions(things: Sequence[Thing], background: str, rng: np.random.Generator) -> Iterator[Question]:
    """In which of the nine regions a thing lies."""
    for i, thing in enumerate(things):
        name = name_of(things, i)
        if name and _clear_place(thing):
            if rng.random() < 0.5:
                text = _pick(rng, ("Where is the {n}?", "Where in the picture is the {n}?")).format(n=name)
                yield Question("where", text, place_phrase(thing).capitalize() + ".", (i,))
            else:
                text = _pick(rng, ("Say where the {n} is.", "Where can I find the {n}?")).format(n=name)
                yield Question("where", text, f"The {name} is {place_phrase(thing)}.", (i,))


SIDES: dict[str, tuple[int, int, tuple[str, ...]]] = {
    "left of": (0, -1, ("left of", "to the left of")),
    "right of": (0, 1, ("right of", "to the right of")),
    "above": (1, -1, ("above", "over")),
    "below": (1, 1, ("below", "under")),
}
"""Side -> (axis of ``Thing.at``, sign of the difference, wordings)."""


def on_side(things: Sequence[Thing], index: int, side: str) -> list[int] | None:
    """Things whose centre lies on that side of ``things[index]``; ``None`` where a centre is too close to call."""
    axis, sign, _ = SIDES[side]
    found = []
    for i, other in enumerate(things):
        gap = sign * (other.at[axis] - things[index].at[axis])
        if i != index and abs(gap) < MARGIN:
            return None
        if i != index and gap > 0:
            found.append(i)
    return found


def relation_questions(things: Sequence[Thing], background: str, rng: np.random.Generator) -> Iterator[Question]:
    """What is left of, right of, above or below a thing."""
    for i, side in itertools.product(range(len(things)), SIDES):
        name, found = name_of(things, i), on_side(things, i, side)
        if name is None or found is None or len(things) == 1:
            continue
        if not found and rng.random() < 0.6:
            continue
        text = f"What is {_pick(rng, SIDES[side][2])} the {name}?"
        yield Question("relation", text, _sentence(_listing(things, found)) if found else "Nothing.", (i, *found))


def count_questions(things: Sequence[Thing], background: str, rng: np.random.Generator) -> Iterator[Question]:
    """How many of a kind, how many in all."""
    kinds = {thing.kind for thing in things}
    absent = _pick(rng, [kind for kind in KINDS if kind not in kinds])
    ask = ("How many {p} are there?", "How many {p} do you see?", "Count the {p}.")
    repeated = [kind for kind in kinds if sum(thing.kind == kind for thing in things) > 1]
    for kind in (*sorted(kinds), *repeated, *([absent] if rng.random() < 0.4 else [])):
        members = tuple(i for i, thing in enumerate(things) if thing.kind == kind)
        yield Question(
            "count", _pick(rng, ask).format(p=KINDS[kind].plural), NUMBERS[len(members)].capitalize() + ".", members
        )
    everything = tuple(range(len(things)))
    yield Question("count", _pick(rng, ask).format(p="things"), NUMBERS[len(things)].capitalize() + ".", everything)


def sign_questions(things: Sequence[Thing], background: str, rng: np.random.Generator) -> Iterator[Question]:
    """What a sign says."""
    for i, thing in enumerate(things):
        if thing.kind == "sign":
            short = ("What does the sign say?", "What is written on the sign?")
            if rng.random() < 0.5:
                yield Question("sign", _pick(rng, short), thing.text, (i,))
            else:
                yield Question(
                    "sign",
                    _pick(rng, ("Read the sign.", "Read the text on the sign.")),
                    f"The sign says {thing.text}",
                    (i,),
                )


def yes_no_questions(things: Sequence[Thing], background: str, rng: np.random.Generator) -> Iterator[Question]:
    """Is there, is it this colour, is it left of: as often true as false."""
    for _ in range(2):
        truth, i = bool(rng.random() < 0.5), int(rng.integers(len(things)))
        thing = things[i]
        kind = thing.kind if truth else _pick(rng, [k for k in KINDS if all(k != t.kind for t in things)])
        ask = _pick(rng, ("Is there {a}?", "Do you see {a}?", "Is there {a} in the picture?"))
        yield _yes_no(ask.format(a=article(kind)), truth, (i,) if truth else ())
        truth = bool(rng.random() < 0.5)
        if name_of(things, i) == thing.kind:
            colour = thing.colour if truth else _pick(rng, [c for c in COLOURS if c != thing.colour])
            yield _yes_no(f"Is the {thing.kind} {colour}?", truth, (i,))
        others = [j for j in range(len(things)) if j != i and name_of(things, j)]
        if others and name_of(things, i):
            j, side = others[int(rng.integers(len(others)))], _pick(rng, list(SIDES))
            axis, sign, wordings = SIDES[side]
            gap = sign * (thing.at[axis] - things[j].at[axis])
            if abs(gap) > MARGIN:
                text = f"Is the {name_of(things, i)} {_pick(rng, wordings)} the {name_of(things, j)}?"
                yield _yes_no(text, gap > 0, (i, j))


def _yes_no(text: str, truth: bool, things: tuple[int, ...]) -> Question:
    return Question("yes/no", text, "Yes." if truth else "No.", things)


QUESTION_TYPES: dict[str, Callable[[Sequence[Thing], str, np.random.Generator], Iterator[Question]]] = {
    "what": what_questions,
    "colour": colour_questions,
    "where": where_questions,
    "relation": relation_questions,
    "count": count_questions,
    "sign": sign_questions,
    "yes/no": yes_no_questions,
}


def questions(scene: Contents, rng: np.random.Generator) -> list[Question]:
    """Every question the scene can answer without doubt, in the wordings that ``rng`` picks."""
    things, background = contents_of(scene)
    return [question for make in QUESTION_TYPES.values() for question in make(things, background, rng)]


def caption_request(scene: Contents, style: str, rng: np.random.Generator) -> Question:
    """A request for a caption with the caption as its answer."""
    text = _pick(rng, CAPTION_REQUESTS[style]).format(picture=_pick(rng, PICTURES))
    return Question("caption", text, caption(scene, style).text, tuple(range(len(contents_of(scene)[0]))))
