"""Many sentences as flat arrays of tokens: what a selection is computed on."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from explore.errors import ParameterError
from explore.runs import LanguageLike

_PROBES = (
    "There is a red dog on the grass.",
    "  Two\tspaces,\n\na line; 3.14159 + 2,718 = $5 (60%) [x] {y} <z> a_b~c|d\\e/f@g#h^i&j*k`l\"m'n",
    "Ünïcödé naïve café straße Ελληνικά русский עברית العربية हिन्दी ไทย 中文字符 日本語 한국어 🙂👩‍👩‍👧",
    "antidisestablishmentarianism GetElementById snake_case_name HTTPServer2 don't O'Neill's",
    "def f(x):\n    return x**2  # comment",
)
_SAMPLED = 512  # of the vocabulary, for the tokenizer's hash


@dataclass(frozen=True, eq=False)
class TokenizedTexts:
    """Sentences as tokens, end to end.

    Parameters
    ----------
    texts
        The sentences.
    keys
        A hash of each of them, (sentences,) uint64.
    starts
        Where each begins in the arrays below, and the end of the last, (sentences + 1,) int64.
    ids
        Token ids, (tokens,) int32.
    special
        Control tokens, (tokens,) bool.
    spans
        First and last character (exclusive) of every token in its sentence, (tokens, 2) int32; -1 where not known.
    """

    texts: Sequence[str]
    keys: np.ndarray
    starts: np.ndarray
    ids: np.ndarray
    special: np.ndarray
    spans: np.ndarray

    @property
    def owners(self) -> np.ndarray:
        """Which sentence each token belongs to, (tokens,) int64."""
        return np.repeat(np.arange(len(self.texts)), np.diff(self.starts))

    @property
    def positions(self) -> np.ndarray:
        """Place of each token in its sentence, (tokens,) int64."""
        return np.arange(len(self.ids)) - np.repeat(self.starts[:-1], np.diff(self.starts))

    def sentence(self, number: int) -> np.ndarray:
        """Token ids of one sentence, (its tokens,) int32."""
        return self.ids[self.starts[number] : self.starts[number + 1]]


def tokenized(language: LanguageLike, texts: Sequence[str], longest: int) -> TokenizedTexts:
    """Sentences as tokens, none longer than `longest`; no padding, so no side of it can matter."""
    made = language.tokenize(texts)
    lengths = np.array([min(len(each.ids), longest) for each in made], np.int64)
    empty = np.zeros(0, np.int64)
    return TokenizedTexts(
        texts,
        np.array([text_key(text) for text in texts], np.uint64),
        np.concatenate([[0], np.cumsum(lengths)]),
        np.concatenate([empty, *(each.ids[:longest] for each in made)]).astype(np.int32),
        np.concatenate([empty, *(each.special[:longest] for each in made)]).astype(bool),
        np.concatenate([empty.reshape(0, 2), *(each.offsets[:longest] for each in made)]).astype(np.int32),
    )


def text_key(text: str) -> int:
    """A hash of one text, 64 bits."""
    return int.from_bytes(text_hash(text)[:8], "little")


def text_hash(text: str) -> bytes:
    """A hash of one text, 128 bits."""
    try:
        return hashlib.blake2b(text.encode(), digest_size=16).digest()
    except UnicodeEncodeError as error:
        raise ParameterError(
            f"A sentence of the corpus is no text that can be stored: {error.reason} at character {error.start}",
            "Sentences are Unicode text without lone surrogates.",
            "Read the file again with its right encoding.",
        ) from error


def tokenizer_hash(language: LanguageLike, vocabulary: int) -> str:
    """What identifies a tokenizer: how it cuts a few difficult texts, and what a sample of its tokens spells."""
    hashed = hashlib.sha256(str(vocabulary).encode())
    for each in language.tokenize(list(_PROBES)):
        hashed.update(each.ids.astype("<i8").tobytes() + each.special.tobytes())
    sample = np.unique(np.linspace(0, vocabulary - 1, min(vocabulary, _SAMPLED)).astype(np.int64))
    hashed.update("\0".join(language.token_texts(sample)).encode(errors="surrogatepass"))
    return hashed.hexdigest()[:32]
