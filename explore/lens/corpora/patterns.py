"""Kinds of phrases: each says something else of a noun, with the noun in another place.

A pattern takes a noun and dice and gives a phrase, or "" where the noun's group has nothing to say of that kind.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from explore.lens.corpora.lexicon import Noun, all_nouns
from explore.lens.corpora.wording import Dice, noun_phrase, plural, with_article

_PREPOSITIONS = frozenset(("on", "in", "at", "by", "against", "through", "around", "across"))
_ALONE = ("body", "landscape", "weather", "room", "place")
Pattern = Callable[[Noun, Dice], str]

_PLACES = ("next to", "in front of", "behind", "beside", "near")
_MATERIALS = {"wooden": "wood", "woolen": "wool"}
_VIEWS = ("a close-up of", "a photo of", "a side view of", "a view of", "a picture of", "a blurry picture of")
_COLLECTIVES = ("a group of", "a row of", "lots of", "a picture of")


def named(noun: Noun, dice: Dice) -> str:
    """A small brown dog."""
    return noun_phrase(noun, dice, 1 + dice.below(3)).text


def doing(noun: Noun, dice: Dice) -> str:
    """Two dogs running."""
    does = dice.pick(noun.group.does)
    return does and f"{noun_phrase(noun, dice, dice.below(3)).text} {does}"


def doing_there(noun: Noun, dice: Dice) -> str:
    """A dog is sleeping on a sofa."""
    does, place = dice.pick(noun.group.does), dice.pick(noun.group.at)
    if not does or not place or _has_place(does):
        return ""
    phrase = noun_phrase(noun, dice, dice.below(2))
    verb = f" {phrase.verb}" if dice.chance(0.4) else ""
    return f"{phrase.text}{verb} {does} {place}"


def there(noun: Noun, dice: Dice) -> str:
    """A white cup on a table; on a table, a white cup; there is a white cup on a table."""
    place = dice.pick(noun.group.at)
    if not place:
        return ""
    phrase = noun_phrase(noun, dice, dice.below(3))
    if place.startswith(("of ", "along ")) or dice.chance(0.55):
        return f"{phrase.text} {place}"
    if phrase.text.startswith("the "):
        return f"{phrase.text} {phrase.verb} {place}"
    return f"{place}, {phrase.text}" if dice.chance(0.4) else f"there {phrase.verb} {phrase.text} {place}"


def having(noun: Noun, dice: Dice) -> str:
    """A house with a red roof."""
    what = dice.pick(noun.group.having)
    return what and f"{noun_phrase(noun, dice, dice.below(2), single=True).text} with {what}"


def having_there(noun: Noun, dice: Dice) -> str:
    """A house with a red roof by the sea."""
    what, place = dice.pick(noun.group.having), dice.pick(noun.group.at)
    if not what or not place or place.startswith("of ") or _has_place(what):
        return ""
    return f"{noun_phrase(noun, dice, dice.below(2), single=True).text} with {what} {place}"


def part(noun: Noun, dice: Dice) -> str:
    """The wheel of an old car; a dog's tail."""
    what = dice.pick(noun.group.parts)
    if not what:
        return ""
    whole = noun_phrase(noun, dice, dice.below(2), single=True)
    if noun.group.category in ("animal", "person") and dice.chance(0.5):
        return f"{whole.text}'s {what}"
    return f"the {what} of {whole.text}"


def beside(noun: Noun, dice: Dice) -> str:
    """A horse next to a farmer; a farmer behind a black horse."""
    other = dice.pick(noun.group.beside)
    if not other:
        return ""
    phrase = noun_phrase(noun, dice, dice.below(3))
    neighbour = f"the {other}" if dice.chance(0.2) else with_article(other)
    one, two = (phrase.text, neighbour) if dice.chance(0.6) else (neighbour, phrase.text)
    return f"{one} and {two}" if dice.chance(0.15) else f"{one} {dice.pick(_PLACES)} {two}"


def handled(noun: Noun, dice: Dice) -> str:
    """A woman in a white dress holding a red umbrella."""
    does = dice.pick(noun.group.handled)
    if not does:
        return ""
    person, thing = _person(noun, dice), noun_phrase(noun, dice, dice.below(3))
    return f"{person} {does} {thing.text}"


def is_like(noun: Noun, dice: Dice) -> str:
    """The apple is green; these apples look fresh."""
    looks = noun.group.looks if dice.chance(0.5) else noun.colours
    look = dice.pick(looks)
    if not look or look == "single":
        return ""
    if noun.number == "count" and dice.chance(0.3):
        return f"{dice.pick(('the', 'these', 'all the'))} {plural(noun.text)} are {look}"
    if noun.number == "pair":
        return f"{dice.pick(('the', 'these'))} {noun.text} are {look}"
    verb = "is" if look in noun.colours or dice.chance(0.6) else "looks"
    return f"{dice.pick(('the', 'this', 'that'))} {noun.text} {verb} {look}"


def two_colours(noun: Noun, dice: Dice) -> str:
    """A red and white boat."""
    if len(noun.colours) < 2:
        return ""
    one, two = dice.pick(noun.colours), dice.pick(noun.colours)
    if one == two or " " in one + two:
        return ""
    both = f"{one} and {two} {plural(noun.text) if noun.number == 'count' and dice.chance(0.25) else noun.text}"
    return with_article(both) if noun.number == "count" and both.endswith(noun.text) else both


def made_of(noun: Noun, dice: Dice) -> str:
    """A chair made of wood."""
    material = dice.pick(noun.group.made)
    if not material:
        return ""
    return f"{noun_phrase(noun, dice, 0, single=True).text} made of {_MATERIALS.get(material, material)}"


def view(noun: Noun, dice: Dice) -> str:
    """A close-up of a ripe lemon."""
    return f"{dice.pick(_VIEWS)} {noun_phrase(noun, dice, dice.below(3)).text}"


def collection(noun: Noun, dice: Dice) -> str:
    """A row of empty bottles on a shelf."""
    if noun.number != "count" or noun.group.category in _ALONE:
        return ""
    look, place = dice.pick(noun.group.looks), dice.pick(noun.group.at)
    many = f"{look} {plural(noun.text)}" if dice.chance(0.6) and look != "single" else plural(noun.text)
    return f"{dice.pick(_COLLECTIVES)} {many}" + (f" {place}" if place and dice.chance(0.4) else "")


def written(noun: Noun, dice: Dice) -> str:
    """A blue sign that says OPEN; the word OPEN on a sign."""
    word = dice.pick(noun.group.says)
    if not word:
        return ""
    phrase = noun_phrase(noun, dice, dice.below(2), single=True)
    return f"{phrase.text} that says {word}" if dice.chance(0.5) else f"the word {word} on {phrase.text}"


def wearing(noun: Noun, dice: Dice) -> str:
    """A smiling woman in a pink hat waiting."""
    worn = dice.pick(noun.group.wears)
    if not worn:
        return ""
    phrase = noun_phrase(noun, dice, dice.below(2), single=True)
    does = dice.pick(noun.group.does) if dice.chance(0.4) else ""
    return f"{phrase.text} {dice.pick(('in', 'wearing'))} {with_worn(worn)} {does}".strip()


def with_worn(worn: str) -> str:
    """A piece of clothing with its article, where it has one."""
    return worn if worn.endswith(("shorts", "boots")) else with_article(worn)


PATTERNS: dict[Pattern, int] = {
    named: 5,
    doing: 4,
    doing_there: 4,
    there: 8,
    having: 3,
    having_there: 2,
    part: 3,
    beside: 6,
    handled: 5,
    is_like: 3,
    two_colours: 1,
    made_of: 1,
    view: 1,
    collection: 2,
    written: 4,
    wearing: 5,
}
"""Patterns and how often each is tried."""


@cache
def _people() -> tuple[Noun, ...]:
    return tuple(noun for noun in all_nouns() if noun.group.name in ("people", "children"))


def _person(thing: Noun, dice: Dice) -> str:
    """Somebody, now and then with what they look like or wear."""
    people = [each for each in _people() if each.text != thing.text]
    who = people[dice.below(len(people))]
    text = noun_phrase(who, dice, int(dice.chance(0.3)), single=True).text
    clothes = thing.group.category != "clothing" and dice.chance(0.2)
    return f"{text} in {with_worn(dice.pick(who.group.wears))}" if clothes else text


def _has_place(words: str) -> bool:
    """Whether words end in a place already, so that another one would be too much."""
    return not _PREPOSITIONS.isdisjoint(words.split())
