"""Which tokens of a corpus become rows of a bank, decided from token ids alone, before any forward pass.

Sentences that begin alike give the same states, so every distinct beginning counts once; and frequent tokens would
fill the bank, so every token id has at most `cap` rows: those whose beginnings have the smallest keyed hashes. What is
smallest in a corpus is smallest in each part of it that holds it, so parts can be selected from one by one, in any
order and on any machine, and merged: the result is the same. Only what may still be kept stays in memory.

Source: arXiv 2602.00462; McGill-NLP/latentlens 0.1.0, `build_index`, whose rule is `mode="reference"`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import islice
from typing import NamedTuple

import numpy as np

from explore.errors import ParameterError
from explore.lens.prefix_hashing import prefix_hashes
from explore.lens.selection_rule import ROW, VERSION, SelectionRule, reduced
from explore.lens.tokenized_texts import TokenizedTexts, text_hash, text_key, tokenized
from explore.runs import LanguageLike, Report

_AT_ONCE = 32_768  # sentences between two reductions


class Sentence(NamedTuple):
    """A sentence that owns a kept row: its text and its token ids, (tokens,) int32."""

    text: str
    ids: np.ndarray


@dataclass(frozen=True, eq=False)
class Selection:
    """What is kept of a corpus, or of the parts of it seen so far.

    Parameters
    ----------
    rule
        What decided.
    rows
        Kept tokens, (rows,): `token`, `position`, `number` of the sentence in the corpus, `text` (a key of
        `sentences`), and `first` and `last` character (exclusive). In reference mode in the order of the corpus; else
        in an order that the sentences themselves decide.
    sentences
        Those that own a row.
    seen
        How many sentences were looked at.
    tokens
        How many tokens they have.
    corpus_hash
        The same for the same sentences in any order.
    """

    rule: SelectionRule
    rows: np.ndarray
    sentences: dict[int, Sentence]
    seen: int = 0
    tokens: int = 0
    corpus_hash: int = 0

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def digest(self) -> str:
        """A hash of what is kept."""
        fields = ("prefix", "text", "position", "token", "first", "last")
        return hashlib.sha256(b"".join(self.rows[name].tobytes() for name in fields)).hexdigest()


def select(
    language: LanguageLike,
    texts: Iterable[str],
    rule: SelectionRule,
    *,
    first_number: int = 0,
    progress: Report | None = None,
) -> Selection:
    """Select from a corpus or a part of one, read once and piece by piece.

    Parameters
    ----------
    language
        The model's tokenizer.
    texts
        Sentences.
    rule
        What decides.
    first_number
        Number of the first of them in the whole corpus.
    progress
        Called with a message after every piece.

    Raises
    ------
    ParameterError
        Something in the corpus is no text.
    """
    found = Selection(rule, np.zeros(0, ROW), {})
    groups = _Groups(language, rule)
    for piece in _pieces(texts):
        flat = tokenized(language, piece, rule.longest)
        rows = _candidates(flat, rule, groups, first_number + found.seen)
        kept = reduced(rows, rule)
        at = dict(zip(flat.keys.tolist(), range(len(piece)), strict=True))
        owners = {key: at[key] for key in np.unique(kept["text"]).tolist()}
        sentences = {key: Sentence(piece[place], flat.sentence(place).copy()) for key, place in owners.items()}
        total = sum(int.from_bytes(text_hash(text), "little") for text in piece)
        found = merge([found, Selection(rule, kept, sentences, len(piece), len(flat.ids), total)])
        if progress is not None:
            progress(None, f"{len(found)} tokens of {found.seen} sentences selected")
    return found


def merge(selections: Sequence[Selection]) -> Selection:
    """One selection from those of several parts of a corpus, the same for any division and any order.

    Raises
    ------
    ParameterError
        There is none, or they were made by different rules.
    """
    if not selections or any(each.rule != selections[0].rule for each in selections):
        raise ParameterError("Selections by different rules, or none, were to be merged", "All share one rule.")
    rule = selections[0].rule
    rows = reduced(np.concatenate([each.rows for each in selections]), rule)
    place = "number" if rule.mode == "reference" else "text"
    rows = rows[np.lexsort((rows["position"], rows[place]))]
    together: dict[int, Sentence] = reduce(lambda one, other: one | other, (each.sentences for each in selections))
    return Selection(
        rule,
        rows,
        {key: together[key] for key in np.unique(rows["text"]).tolist()},
        sum(each.seen for each in selections),
        sum(each.tokens for each in selections),
        sum(each.corpus_hash for each in selections) % 2**128,
    )


class _Groups:
    """What the cap counts by: the token id, or a hash of the text it spells."""

    def __init__(self, language: LanguageLike, rule: SelectionRule) -> None:
        self._language, self._by_text = language, rule.mode == "reference"
        self._known: dict[int, int] = {}

    def __call__(self, tokens: np.ndarray) -> np.ndarray:
        if not self._by_text:
            return tokens.astype(np.uint64)
        each, back = np.unique(tokens, return_inverse=True)
        new = [token for token in each.tolist() if token not in self._known]
        self._known |= zip(new, map(text_key, self._language.token_texts(new)), strict=True)
        return np.array([self._known[token] for token in each.tolist()], np.uint64)[back]


def _pieces(texts: Iterable[str]) -> Iterator[list[str]]:
    if isinstance(texts, (str, bytes)):
        raise ParameterError("One text was given as a corpus", "A corpus is many sentences.", "Give a list of them.")
    left = iter(texts)
    while piece := list(islice(left, _AT_ONCE)):
        for text in piece:
            if not isinstance(text, str):
                raise ParameterError(
                    f"The corpus holds {text!r}, a {type(text).__name__}",
                    "A corpus is an iterable of str.",
                    "Give the column of texts of a table.",
                )
        yield piece


def _candidates(flat: TokenizedTexts, rule: SelectionRule, groups: _Groups, first_number: int) -> np.ndarray:
    positions, owners = flat.positions, flat.owners
    prefixes = prefix_hashes(flat.ids, flat.starts, f"{VERSION} {rule.seed} {rule.tokenizer}")
    eligible = positions >= rule.first_position
    if rule.mode == "default":
        eligible &= _plain(flat, owners)
    at = np.flatnonzero(eligible)
    rows = np.empty(len(at), ROW)
    rows["group"], rows["prefix"] = groups(flat.ids[at]), prefixes[at]
    rows["text"], rows["number"] = flat.keys[owners[at]], owners[at] + first_number
    rows["position"], rows["token"] = positions[at], flat.ids[at]
    rows["first"], rows["last"] = flat.spans[at].T
    return rows


def _plain(flat: TokenizedTexts, owners: np.ndarray) -> np.ndarray:
    """Tokens that are no control tokens and behind none but those a sentence begins with, (tokens,) bool.

    A control token inside a sentence may stand for a picture that is not there.
    """
    count = np.concatenate([[0], np.cumsum(flat.special)])
    before = count[1:] - count[flat.starts[owners]]  # control tokens up to each token, within its sentence
    leading = np.full(len(flat.texts), len(flat.ids) + 1)
    plain = ~flat.special
    np.minimum.at(leading, owners[plain], before[plain])
    found: np.ndarray = plain & (before == leading[owners])
    return found
