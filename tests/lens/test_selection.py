"""Which tokens become rows: the published rule (golden G3), and one that no order or division can change."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explore.errors import ParameterError
from explore.lens import selection
from explore.lens.prefix_hashing import prefix_hashes
from explore.lens.selection import Selection, merge, select
from explore.lens.selection_rule import SelectionRule
from tests.lens.words import FIRST_WORD, GOLDEN, WordLanguage

LANGUAGE = WordLanguage()
corpora = st.lists(
    st.lists(st.integers(0, 4), max_size=5).map(lambda words: " ".join(f"w{each:02d}" for each in words))
)


def kept(found: Selection) -> list[tuple[int, int, int]]:
    """Word, position and sentence of every row."""
    rows = found.rows
    return list(
        zip((rows["token"] - FIRST_WORD).tolist(), rows["position"].tolist(), rows["number"].tolist(), strict=True)
    )


def in_shards(corpus: Sequence[str], rule: SelectionRule, count: int, seed: int) -> Selection:
    """The selection from shards of consecutive sentences, merged in shuffled order, two at a time."""
    pieces = np.array_split(np.arange(len(corpus)), count)
    made = [
        select(LANGUAGE, [corpus[i] for i in each], rule, first_number=int(min(each, default=0))) for each in pieces
    ]
    order = np.random.default_rng(seed).permutation(count).tolist()
    found = made[order[0]]
    for each in order[1:]:
        found = merge([made[each], found])
    return found


def same(one: Selection, other: Selection) -> bool:
    texts = {key: each.text for key, each in one.sentences.items()} == {
        key: each.text for key, each in other.sentences.items()
    }
    counts = (one.seen, one.tokens, one.corpus_hash) == (other.seen, other.tokens, other.corpus_hash)
    return bool(np.array_equal(one.rows, other.rows)) and texts and counts and one.digest == other.digest


def published(corpus: Sequence[str], cap: int) -> list[tuple[int, int, int]]:
    """The reference's loop, one token at a time."""
    stored, count, found = set[tuple[int, ...]](), Counter[int](), []
    for number, text in enumerate(corpus):
        words = [int(word[1:]) for word in text.split()]
        for place in range(2, len(words)):
            prefix = tuple(words[: place + 1])
            if prefix not in stored and count[words[place]] < cap:
                stored.add(prefix)
                count[words[place]] += 1
                found.append((words[place], place, number))
    return found


def test_golden_g3_the_published_selection() -> None:
    found = select(LANGUAGE, GOLDEN, SelectionRule("reference", 3))
    rows = kept(found)
    assert (found.seen, found.tokens, len(found)) == (64, 476, 112)
    assert found.rows["token"].sum() == 2528
    assert found.rows["position"].sum() == 495
    assert len({word for word, _, _ in rows}) == 40
    assert rows[:5] == [(4, 2, 0), (9, 3, 0), (16, 4, 0), (17, 2, 1), (25, 3, 1)]
    assert rows[-2:] == [(10, 8, 46), (22, 8, 58)]
    assert rows == published(GOLDEN, 3)
    assert len(select(LANGUAGE, GOLDEN, SelectionRule("reference", 10**6))) == 248


@pytest.mark.parametrize("shards", [1, 2, 7])
@pytest.mark.parametrize("seed", range(5))
def test_golden_g3_by_smallest_hash_in_any_number_of_shards(shards: int, seed: int) -> None:
    rule = SelectionRule("default", 3, seed=seed, first_position=2)
    whole = select(LANGUAGE, GOLDEN, rule)
    assert len(whole) == 112
    assert same(in_shards(GOLDEN, rule, shards, seed), whole)


@settings(deadline=None, max_examples=60)
@given(corpora, st.integers(1, 3), st.integers(1, 5), st.integers(0, 99))
def test_shards_in_any_order_select_the_same(corpus: list[str], cap: int, shards: int, seed: int) -> None:
    for mode in ("default", "reference"):
        rule = SelectionRule(mode, cap, seed=seed)  # type: ignore[arg-type]
        assert same(in_shards(corpus, rule, shards, seed), select(LANGUAGE, corpus, rule))


@settings(deadline=None, max_examples=60)
@given(corpora, st.integers(1, 3), st.randoms())
def test_an_oracle_that_goes_token_by_token_agrees(corpus: list[str], cap: int, random: Any) -> None:
    assert kept(select(LANGUAGE, corpus, SelectionRule("reference", cap))) == published(corpus, cap)
    found = select(LANGUAGE, corpus, SelectionRule("default", cap))
    prefixes = {tuple(text.split()[: end + 1]) for text in corpus for end in range(len(text.split()))}
    owned = [tuple(found.sentences[int(row["text"])].text.split()[: row["position"] + 1]) for row in found.rows]
    assert len(set(owned)) == len(owned)
    assert set(owned) <= prefixes
    available = Counter(each[-1] for each in prefixes)
    assert Counter(each[-1] for each in owned) == {word: min(cap, number) for word, number in available.items()}
    # The bank is decided by the sentences, not by their order.
    mixed = random.sample(corpus, len(corpus))
    again = select(LANGUAGE, mixed, SelectionRule("default", cap))
    assert again.digest == found.digest
    assert again.corpus_hash == found.corpus_hash


def test_another_seed_or_tokenizer_draws_other_rows() -> None:
    digests = {
        select(LANGUAGE, GOLDEN, SelectionRule("default", 3, **named)).digest
        for named in ({}, {"seed": 1}, {"tokenizer": "other"})  # type: ignore[arg-type]
    }
    assert len(digests) == 3


def test_corpora_are_read_piece_by_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    rule, said = SelectionRule("default", 3), list[str]()
    whole = select(LANGUAGE, iter(GOLDEN), rule)
    monkeypatch.setattr(selection, "_AT_ONCE", 5)
    pieces = select(LANGUAGE, iter(GOLDEN), rule, progress=lambda share, message: said.append(message))
    assert same(whole, pieces)
    assert len(said) == 13
    assert "64 sentences" in said[-1]


def test_control_tokens_and_what_stands_behind_them_inside_a_sentence_are_left_out() -> None:
    texts = ["<s> w01 w02", "<s> <s> w03 <s> w04", "w05 <s>", "<s>", "", "w06"]
    rows = kept(select(LANGUAGE, texts, SelectionRule()))
    assert sorted(rows) == [(1, 1, 0), (2, 2, 0), (3, 2, 1), (5, 0, 2), (6, 0, 5)]
    assert [word for word, _, _ in kept(select(LANGUAGE, texts, SelectionRule("reference")))] == [2, 3, -2, 4]


def test_the_published_cap_counts_texts_and_ours_counts_ids() -> None:
    class Halves(WordLanguage):
        def token_texts(self, ids: Any) -> list[str]:
            return ["\ufffd" for _ in np.asarray(ids)]

    texts = ["w00 w01 w02 w03 w04"]
    assert len(select(Halves(), texts, SelectionRule("reference", 1))) == 1
    assert len(select(Halves(), texts, SelectionRule("default", 1))) == 5


def test_tokens_beyond_the_longest_are_not_seen() -> None:
    found = select(LANGUAGE, ["w00 w01 w02 w03"], SelectionRule(longest=3))
    assert [word for word, _, _ in kept(found)] == [0, 1, 2]
    assert found.tokens == 3


def test_what_is_no_corpus_is_refused() -> None:
    rule = SelectionRule()
    with pytest.raises(ParameterError, match="One text was given"):
        select(LANGUAGE, "w01 w02", rule)
    with pytest.raises(ParameterError, match="dict"):
        select(LANGUAGE, [{"text": "w01"}], rule)  # type: ignore[list-item]
    with pytest.raises(ParameterError, match="surrogate"):
        select(_Any(), ["\ud800"], rule)
    for wrong in ({"mode": "other"}, {"cap": 0}, {"first_position": -1}, {"longest": 0}):
        with pytest.raises(ParameterError, match=next(iter(wrong))):
            SelectionRule(**wrong)  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="different rules"):
        merge([select(LANGUAGE, GOLDEN, rule), select(LANGUAGE, GOLDEN, SelectionRule(seed=1))])


class _Any(WordLanguage):
    def tokenize(self, texts: Sequence[str], *, special: bool = True) -> Any:
        return super().tokenize(["w01"] * len(texts))


@settings(deadline=None)
@given(st.lists(st.lists(st.integers(0, 2**31 - 1), max_size=6), max_size=8))
def test_hashes_are_equal_where_beginnings_are(sentences: list[list[int]]) -> None:
    starts = np.cumsum([0, *map(len, sentences)])
    ids = np.array([each for sentence in sentences for each in sentence], np.int32)
    hashes = prefix_hashes(ids, starts, "key")
    by_prefix: dict[tuple[int, ...], set[tuple[int, ...]]] = {}
    for number, sentence in enumerate(sentences):
        for place in range(len(sentence)):
            at = starts[number] + place
            by_prefix.setdefault(tuple(sentence[: place + 1]), set()).add(tuple(hashes[at].tolist()))
    assert all(len(each) == 1 for each in by_prefix.values())
    assert len(set().union(*by_prefix.values())) == len(by_prefix)
    other = prefix_hashes(ids, starts, "another key")
    assert not len(ids) or (other != hashes).all()


def test_hashes_look_random() -> None:
    """Bits are as often set as not, and equal halves are as rare as they should be."""
    ids = np.arange(200_000, dtype=np.int32) % 50
    hashes = prefix_hashes(ids, np.arange(0, 200_001, 10), "key")
    distinct = np.unique(hashes, axis=0)
    assert len(distinct) == 50  # five kinds of sentences, ten beginnings each
    ids = np.random.default_rng(0).integers(0, 5, 200_000).astype(np.int32)
    hashes = np.unique(prefix_hashes(ids, np.arange(0, 200_001, 20), "key"), axis=0)
    bits = (hashes[:, :, None] >> np.arange(64, dtype=np.uint64)) & np.uint64(1)
    assert abs(bits.mean(axis=0) - 0.5).max() < 0.02
    assert len(np.unique(hashes[:, 0])) == len(hashes)
