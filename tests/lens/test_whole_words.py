"""From a token to its word: golden G6 of specs/latent-lens.md, and what the old rule gets wrong."""

from __future__ import annotations

import pytest

from explore.errors import ParameterError
from explore.lens.whole_words import same_word, whole_word

GOLDEN = [
    ("a rendering of a cat", "ing", "rendering"),
    ("old belfry on hill", "elf", "belfry"),
    ("catalog near a cat", " cat", "catalog"),
    ("Red car", "red", "Red"),
    ("two dogs", "zebra", "zebra"),
    ("", " dog", "dog"),
    ("multi-windowed brown building", " windowed", "windowed"),
    ("s. w.n . in white", " n", "n"),
    ("snow_man here", "man", "snow_man"),
    ("naïve café", " caf", "café"),
]


@pytest.mark.parametrize(("phrase", "token", "word"), GOLDEN)
def test_golden_g6_legacy(phrase: str, token: str, word: str) -> None:
    assert whole_word(phrase, token, mode="legacy") == word
    assert whole_word(phrase, token) == word  # no span: the old rule stands in


@pytest.mark.parametrize(("phrase", "token", "word"), [each for each in GOLDEN if each[2] not in ("zebra", "dog")])
def test_golden_g6_by_offsets(phrase: str, token: str, word: str) -> None:
    at = phrase.lower().rfind(token.strip())
    expected = "cat" if word == "catalog" else word
    expected = "n" if phrase.startswith("s. w.n") else expected
    span = (phrase.index("n ", 3), phrase.index("n ", 3) + 1) if expected == "n" else (at, at + len(token.strip()))
    assert whole_word(phrase, token, span) == expected
    if span[0] and phrase[span[0] - 1] == " ":
        assert whole_word(phrase, token, (span[0] - 1, span[1])) == expected  # the space belongs to the token


@pytest.mark.parametrize(
    ("phrase", "span", "word"),
    [
        ("a multi-coloured cat", (7, 8), "-"),
        ("a cat.", (5, 6), "."),
        ("a cat's bowl", (5, 7), "'s"),
        ("राम यहाँ है", (4, 5), "यहाँ"),
        ("一只猫在房子里", (2, 3), "猫"),
        ("ein 猫haus", (5, 7), "haus"),
        ("a  cat", (1, 2), "x"),
    ],
)
def test_growth_knows_marks_hyphens_and_scripts_without_spaces(phrase: str, span: tuple[int, int], word: str) -> None:
    assert whole_word(phrase, "x", span) == word


def test_words_are_the_same_whatever_their_case_and_accents() -> None:
    assert same_word(" House", "house")
    assert same_word("cafe\u0301", "CAFÉ")
    assert not same_word("house", "houses")


def test_an_unknown_mode_is_refused() -> None:
    with pytest.raises(ParameterError, match="legacy"):
        whole_word("a cat", "cat", mode="magic")  # type: ignore[arg-type]
