"""Names in texts, plurals, and function words."""

import sys
from itertools import pairwise
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explore.bench.metrics import CLOSED_CLASSES, NameMatcher, function_word_spans, nltk_tagger, tag_closed_class
from explore.bench.metrics.plurals import plural_forms, same_noun
from explore.errors import ParameterError
from explore.sketch import KINDS

# The categories of COCO whose plurals or parts are easy to get wrong.
NAMES = (
    "person",
    "bus",
    "wine glass",
    "knife",
    "dog",
    "hot dog",
    "skis",
    "mouse",
    "sheep",
    "scissors",
    "teddy bear",
    "bear",
)


def named(text, names=NAMES, **options):
    return [(text[each.start : each.end], each.name) for each in NameMatcher(names, **options).find(text)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("A dog.", [("dog", "dog")]),
        ("HOT DOGS!", [("HOT DOGS", "hot dog")]),
        ("a hot-dog stand", [("hot-dog", "hot dog")]),
        ("two buses, three knives", [("buses", "bus"), ("knives", "knife")]),
        ("people with wine glasses", [("people", "person"), ("wine glasses", "wine glass")]),
        ("glass of wine", []),
        ("a teddy bear beside bears", [("teddy bear", "teddy bear"), ("bears", "bear")]),
        (
            "mice, sheep, scissors, skis",
            [("mice", "mouse"), ("sheep", "sheep"), ("scissors", "scissors"), ("skis", "skis")],
        ),
        ("the dog's bone", [("dog", "dog")]),
        ("dogma and hotdog", []),
        ("", []),
    ],
)
def test_names_are_found_whole_longest_first_and_in_any_number(text, found):
    assert named(text) == found


def test_a_name_wins_over_a_plural():
    assert named("glasses", ("glass", "glasses")) == [("glasses", "glasses")]


def test_synonyms_are_asked_for():
    assert named("a man") == []
    assert named("two men", synonyms={"man": "person"}) == [("men", "person")]
    with pytest.raises(ParameterError, match="animal"):
        NameMatcher(NAMES, {"cat": "animal"})


def test_names_without_words_are_refused():
    with pytest.raises(ParameterError, match="'--'"):
        NameMatcher(["--"])


@given(st.lists(st.sampled_from(["dog", "hot", "Hot", "dogs", "a", ",", "bear", "teddy", "ß", "İ"]), max_size=12))
def test_spans_are_in_order_and_do_not_overlap(words):
    text = " ".join(words)
    found = NameMatcher(NAMES).find(text)
    assert all(one.end <= two.start for one, two in pairwise(found))
    assert all(0 <= each.start < each.end <= len(text) for each in found)


@pytest.mark.parametrize("kind", KINDS)
def test_every_plural_of_the_sketch_world_is_known(kind):
    assert KINDS[kind].plural in plural_forms(kind)


@pytest.mark.parametrize("name", ["3", "?!", "t-shirt", "ice cream"])
def test_odd_names_have_plurals_or_none(name):
    assert all(form for form in plural_forms(name))


def test_nouns_are_the_same_in_any_number():
    assert same_noun("Benches", "bench")
    assert same_noun("bench", "benches")
    assert same_noun("T-shirt", "tshirt")
    assert not same_noun("bench", "beach")


@pytest.mark.parametrize(
    "word", ["The", "a", "and", "it's", "its", "there", "which", "can't", "won’t", " them", "they'll"]
)
def test_function_words_are_known(word):
    assert tag_closed_class(word) == "function"


@pytest.mark.parametrize("word", ["on", "in", "of", "two", "dog", "red", "left", "is", "", "dog's", "canter"])
def test_prepositions_numbers_and_content_words_are_none(word):
    assert tag_closed_class(word) == "other"


def test_the_classes_are_closed_lower_case_and_apart():
    words = [word for each in CLOSED_CLASSES.values() for word in each]
    assert len(words) == len(set(words))
    assert all(word == word.lower() for word in words)
    assert set(CLOSED_CLASSES) == {"determiner", "pronoun", "conjunction", "modal", "wh-word", "existential"}


def test_spans_of_function_words():
    text = "There is a dog, and it can't see the cat."
    assert [text[start:end] for start, end in function_word_spans(text)] == ["There", "a", "and", "it", "can't", "the"]
    assert function_word_spans("The dog", lambda word: "other") == ()


def test_a_missing_tagger_says_what_it_needs(monkeypatch):
    monkeypatch.setitem(sys.modules, "nltk", None)
    with pytest.raises(ParameterError, match="averaged_perceptron_tagger_eng"):
        nltk_tagger()


def test_missing_data_of_the_tagger_says_so_too(monkeypatch):
    def pos_tag(words):
        raise LookupError("averaged_perceptron_tagger_eng")

    monkeypatch.setitem(sys.modules, "nltk", SimpleNamespace(pos_tag=pos_tag))
    with pytest.raises(ParameterError, match="data"):
        nltk_tagger()


def test_penn_tags_are_sorted_into_kinds(monkeypatch):
    tags = {"the": "DT", "dogs": "NNS", "on": "IN", "two": "CD", "her": "PRP$", "word": "NN"}
    monkeypatch.setitem(sys.modules, "nltk", SimpleNamespace(pos_tag=lambda words: [(w, tags[w]) for w in words]))
    tag = nltk_tagger()
    assert [tag(word) for word in ("the", "dogs", "on", "two", "her")] == [
        "function",
        "noun",
        "other",
        "other",
        "function",
    ]
