"""The corpora that come along: many different phrases, in good English, about all that is in the word lists."""

import itertools
import re
from collections import Counter

import inflect
import numpy as np
import pytest

from explore.errors import ParameterError
from explore.lens.corpora import default_corpus
from explore.lens.corpora.lexicon import all_nouns
from explore.lens.corpora.patterns import PATTERNS
from explore.lens.corpora.phrases import MOST
from explore.lens.corpora.wording import Dice, plural
from explore.sketch import COLOURS, KINDS
from explore.sketch.language import GROUNDS
from explore.sketch.sentences import sketch_corpus


@pytest.fixture(scope="module")
def phrases():
    return list(default_corpus())


def test_there_are_twenty_thousand_different_phrases(phrases):
    assert len(phrases) == len(default_corpus()) == 20_000
    assert len({phrase.casefold() for phrase in phrases}) > 19_900
    assert len(set(phrases)) == 20_000


def test_the_same_seed_gives_the_same_phrases_and_another_others(phrases):
    assert list(default_corpus()) == phrases
    assert default_corpus().fingerprint == default_corpus().fingerprint
    other = default_corpus(seed=1)
    assert other.fingerprint["sha256"] != default_corpus().fingerprint["sha256"]
    assert other.name != default_corpus().name
    assert len(set(other) & set(phrases)) < 6_000


def test_phrases_are_made_as_they_are_read(phrases):
    larger = default_corpus(MOST)
    assert list(itertools.islice(larger, 500)) == phrases[:500]


@pytest.mark.slow
def test_a_hundred_thousand_are_different_too():
    found = list(default_corpus(100_000))
    assert len(set(found)) == 100_000


def test_lengths_vary_and_stay_short(phrases):
    lengths = Counter(len(phrase.split()) for phrase in phrases)
    assert set(lengths) == set(range(2, 13))
    assert max(lengths.values()) < 0.3 * len(phrases)


def test_every_noun_comes_about_as_often_as_the_others(phrases):
    nouns = all_nouns()
    assert len(nouns) >= 500
    assert len({noun.group.category for noun in nouns}) >= 15
    text = [f" {re.sub('[^a-zA-Z0-9-]+', ' ', phrase)} " for phrase in phrases]
    joined = "|".join(text)
    counts = [
        joined.count(f" {noun.text} ") + (joined.count(f" {plural(noun.text)} ") if noun.number == "count" else 0)
        for noun in nouns
    ]
    assert min(counts) >= 12, [noun.text for noun, count in zip(nouns, counts, strict=True) if count < 12]
    assert np.median(counts) < 30


def test_nouns_stand_in_many_places(phrases):
    places = Counter(
        round(phrase.find(" dog") / len(phrase), 1)
        for phrase in default_corpus(60_000)
        if phrase.endswith(" dog") or " dog " in phrase
    )
    assert len(places) >= 5


def test_articles_are_those_of_inflect(phrases):
    engine = inflect.engine()
    for phrase in phrases:
        for article, word in re.findall(r"\b(an?) ([\w-]+)", phrase):
            assert engine.a(word) == f"{article} {word}", phrase


def test_no_article_twice_no_article_before_plurals_and_no_word_twice(phrases):
    several = {plural(noun.text) for noun in all_nouns() if noun.number == "count"} - {
        noun.text for noun in all_nouns()
    }
    for phrase in phrases:
        assert not re.search(r"\b(a|an|the|some) (a|an|the|some|two|three|four|several|many)\b", phrase), phrase
        found = re.fullmatch(r"an? ([\w-]+)", phrase)
        assert not found or found.group(1) not in several, phrase
        words = [word for word in phrase.split() if len(word) > 4]
        assert len(words) == len(set(words)), phrase
        assert phrase == " ".join(phrase.split())


def test_numerals_stand_before_plurals(phrases):
    several = {f" {plural(noun.text)} " for noun in all_nouns() if noun.number == "count"}
    counted = [phrase for phrase in phrases if re.match(r"(two|three|four|several|many) ", phrase)]
    assert len(counted) > 100
    for phrase in counted:
        assert any(each in f" {phrase.replace(',', '')} " for each in several), phrase


def test_every_pattern_makes_phrases_and_its_docstring_tells_of_them():
    for pattern in PATTERNS:
        dice = Dice(3)
        made = [pattern(noun, dice) for noun in all_nouns()]
        assert sum(map(bool, made)) > 3, pattern.__name__
        assert pattern.__doc__, pattern.__name__


def test_dice_do_not_hang_on_the_version_of_python():
    dice = Dice(5)
    assert [dice.below(1000) for _ in range(4)] == [622, 741, 795, 942]


@pytest.mark.parametrize("count", [0, -1, MOST + 1])
def test_counts_that_cannot_be_are_refused(count):
    with pytest.raises(ParameterError, match="phrases="):
        default_corpus(count)


def test_sketch_sentences_are_different_and_the_same_again():
    found = list(sketch_corpus(3000))
    assert len(set(found)) == 3000
    assert list(sketch_corpus(3000)) == found
    assert list(itertools.islice(sketch_corpus(8000), 3000)) == found
    assert list(sketch_corpus(3000, seed=1)) != found
    assert sketch_corpus(50).fingerprint != sketch_corpus(50, seed=1).fingerprint


def test_every_word_of_the_sketch_language_comes_in_many_sentences():
    found = list(sketch_corpus(5000))
    for words in (KINDS, COLOURS, GROUNDS.values()):
        for word in words:
            assert sum(word in sentence for sentence in found) >= 40, word


def test_all_kinds_of_text_are_there():
    found = list(sketch_corpus(1000))
    for pattern in (
        r"^An? [\w ]+$",
        r"^There is .* on .*\.$",
        r"^Everything is|^I see|^At ",
        r"^USER: .*\? ASSISTANT: .*",
        r"^USER: .*\n.* ASSISTANT: ",
        r"ASSISTANT: (Yes|No)\.$",
        r"^The \w+ is (at|on|in) the",
        r"says [A-Z1-9]+",
    ):
        assert any(re.search(pattern, sentence) for sentence in found), pattern


def test_a_sketch_corpus_of_nothing_is_refused():
    for given in ({"sentences": 0}, {"seed": -1}):
        with pytest.raises(ParameterError, match="sentences="):
            sketch_corpus(**given)
