"""Pieces and words of token sequences."""

from __future__ import annotations

import pytest

from explore.models.texts import pieces_of, word_numbers
from tests.tiny import tiny_tokenizer


class Bytes:
    """A tokenizer whose tokens are UTF-8 bytes, as byte-level vocabularies fall back to."""

    def decode(self, ids: list[int], **options: object) -> str:
        return bytes(ids).decode("utf-8", errors="replace")


class Stripping:
    """A tokenizer of whole words that drops the space before a text's first word, as sentencepiece does."""

    words = ("▁the", "▁red", "house", ".")

    def decode(self, ids: list[int], **options: object) -> str:
        return "".join(self.words[each] for each in ids).replace("▁", " ").lstrip()


def test_pieces_join_to_the_text() -> None:
    tokenizer = tiny_tokenizer()
    ids = tokenizer("what is this, a red dog?")["input_ids"]
    assert "".join(pieces_of(tokenizer, ids)) == "what is this, a red dog?"


def test_the_last_byte_carries_the_character() -> None:
    assert pieces_of(Bytes(), list("aé✓😀b".encode())) == ["a", "", "é", "", "", "✓", "", "", "", "😀", "b"]


def test_an_unfinished_character_shows_where_the_text_ends() -> None:
    assert pieces_of(Bytes(), list("a😀".encode())[:3]) == ["a", "", "\ufffd"]


def test_the_first_space_survives_behind_context() -> None:
    assert pieces_of(Stripping(), [1, 2, 3], context=[0]) == [" red", "house", "."]
    assert pieces_of(Stripping(), [1, 2]) == ["red", "house"]


@pytest.mark.parametrize(
    ("pieces", "words"),
    [
        ([" a", " red", " do", "g", "."], [0, 1, 2, 2, 3]),
        (["it", "'", "s", " well", "-", "known"], [0, 0, 0, 1, 1, 1]),
        ([" 3", ".", "5", " m", "."], [0, 0, 0, 1, 2]),
        (["赤い", "家"], [0, 1]),
        ([" ", " a", "\n", " b"], [-1, 0, -1, 1]),
        (["", "é", " b"], [0, 0, 1]),
        (["a b", " c"], [0, 1]),
        ([], []),
    ],
)
def test_words(pieces: list[str], words: list[int]) -> None:
    assert word_numbers(pieces) == words


def test_skipped_pieces_have_no_word() -> None:
    assert word_numbers(["a", "</s>", "b"], [False, True, False]) == [0, -1, 0]
    assert word_numbers(["a", "</s>", " b"], [False, True, False]) == [0, -1, 1]
