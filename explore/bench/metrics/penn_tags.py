"""Kinds of words from a part-of-speech tagger, for those who have one installed."""

from __future__ import annotations

from explore.bench.metrics.function_words import Tagger, WordKind
from explore.errors import ParameterError

_FUNCTION = frozenset({"CC", "DT", "EX", "MD", "POS", "PRP", "PRP$", "UH", "WDT", "WP", "WP$", "WRB"})
_NOUN = frozenset({"NN", "NNS", "NNP", "NNPS"})


def nltk_tagger() -> Tagger:
    """A tagger that knows nouns too: NLTK's perceptron tagger on each word by itself.

    Source: the tags that eval.py of xmed-lab/TAM 7c7df1d counts as function words and as nouns.

    Raises
    ------
    ParameterError
        NLTK or the data of its tagger is not installed here.
    """
    try:
        from nltk import pos_tag

        pos_tag(["word"])
    except (ImportError, LookupError) as error:
        raise ParameterError(
            "NLTK's tagger was asked for, and it is not here",
            "It needs the package nltk and its data averaged_perceptron_tagger_eng.",
            "Install both, or use the default tagger.",
        ) from error

    def tag(word: str) -> WordKind:
        part = pos_tag([word])[0][1]
        return "function" if part in _FUNCTION else "noun" if part in _NOUN else "other"

    return tag
