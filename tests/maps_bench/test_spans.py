"""From characters of an answer to its tokens."""

from dataclasses import replace

import pytest

from explore.bench.spans import span_tokens
from explore.errors import ParameterError
from tests.maps.fakes import fake_trace

TRACE = fake_trace()
"""Its answer: On the bench near the bench."""


def spelled(span, trace=TRACE):
    return [token.text for token in span_tokens(trace, span)]


@pytest.mark.parametrize(
    ("span", "texts"),
    [
        ((0, 2), ["On"]),
        ((7, 12), [" be", "nch"]),
        ((3, 12), [" the", " be", "nch"]),
        ((22, 28), [" bench", "."]),
        ((8, 9), [" be"]),
    ],
)
def test_a_span_has_the_tokens_that_spell_it(span, texts):
    assert TRACE.answer == "On the bench near the bench."
    assert spelled(span) == texts


def test_the_second_of_equal_words_is_not_the_first():
    assert span_tokens(TRACE, (18, 21)) != span_tokens(TRACE, (3, 6))


def test_blanks_before_an_answer_do_not_count():
    trace = fake_trace(answer=(" A", " dog", "</s>"))
    assert trace.answer == "A dog"
    assert spelled((2, 5), trace) == [" dog"]
    assert spelled((0, 1), trace) == [" A"]


def test_special_tokens_in_between_are_no_text():
    trace = replace(fake_trace(answer=("A", "</s>", " dog")), answer="A dog")
    assert spelled((2, 5), trace) == [" dog"]


def test_pieces_of_a_character_belong_to_it():
    """The last piece carries the character; those before it have no text of their own."""
    trace = fake_trace(answer=("A", " ", "", "🐕", " runs"))
    assert trace.answer == "A 🐕 runs"
    assert spelled((2, 3), trace) == ["", "🐕"]
    assert spelled((4, 8), trace) == [" runs"]


@pytest.mark.parametrize("span", [(3, 3), (-1, 2), (20, 99), (5, 2)])
def test_spans_outside_the_answer_are_refused(span):
    with pytest.raises(ParameterError, match="characters 0 to 28"):
        span_tokens(TRACE, span)


def test_an_answer_that_its_tokens_do_not_spell_is_refused():
    with pytest.raises(ParameterError, match="A cat"):
        span_tokens(replace(TRACE, answer="A cat."), (0, 1))
