"""What does a visual token say? Lenses: one method per file, one result type, and banks of text states.

>>> lens = explore.lens.logit_lens(trace)                        # what the model's own head makes of every token
>>> lens.at(trace.layout.visual[0])                              # its labels, layer by layer
>>> bank = explore.lens.build_bank(runner, corpus, "my-bank")    # text states of the same model, once
>>> explore.lens.latent_lens(trace, bank).grid(layer=0)          # the nearest phrases, as they lie in the picture
>>> explore.lens.word_map(trace, "house").grid(layer=0)          # and the other way round: who says "house"?

Names are looked up when first used: a saved reading needs neither torch nor a bank's files.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from explore.lens.bank_building import build_bank
    from explore.lens.banks import Bank, open_bank
    from explore.lens.controls import control
    from explore.lens.corpora import default_corpus
    from explore.lens.drift import Drift, context_ratio, token_drift
    from explore.lens.embedding import embedding_lens
    from explore.lens.latent import latent_lens
    from explore.lens.logit import logit_lens
    from explore.lens.method import LensMethod
    from explore.lens.patchscope import patchscope_lens
    from explore.lens.reading import Label, LensReading
    from explore.lens.searching import search_bank
    from explore.lens.table import METHODS
    from explore.lens.translators import Translators, open_tuned_lens
    from explore.lens.tuned import tuned_lens
    from explore.lens.tuned_fit import fit_tuned_lens
    from explore.lens.whole_words import whole_word
    from explore.lens.word_maps import WordMap, word_map

_NAMES = {
    "Bank": "banks",
    "Drift": "drift",
    "Label": "reading",
    "LensMethod": "method",
    "LensReading": "reading",
    "METHODS": "table",
    "Translators": "translators",
    "WordMap": "word_maps",
    "build_bank": "bank_building",
    "context_ratio": "drift",
    "control": "controls",
    "default_corpus": "corpora",
    "embedding_lens": "embedding",
    "fit_tuned_lens": "tuned_fit",
    "latent_lens": "latent",
    "logit_lens": "logit",
    "open_bank": "banks",
    "open_tuned_lens": "translators",
    "patchscope_lens": "patchscope",
    "search_bank": "searching",
    "token_drift": "drift",
    "tuned_lens": "tuned",
    "whole_word": "whole_words",
    "word_map": "word_maps",
}

__all__ = [
    "METHODS",
    "Bank",
    "Drift",
    "Label",
    "LensMethod",
    "LensReading",
    "Translators",
    "WordMap",
    "build_bank",
    "context_ratio",
    "control",
    "default_corpus",
    "embedding_lens",
    "fit_tuned_lens",
    "latent_lens",
    "logit_lens",
    "open_bank",
    "open_tuned_lens",
    "patchscope_lens",
    "search_bank",
    "token_drift",
    "tuned_lens",
    "whole_word",
    "word_map",
]


def __getattr__(name: str) -> Any:
    """Import a public name the first time it is asked for (PEP 562)."""
    if name not in _NAMES:
        raise AttributeError(f"explore.lens has no {name!r}; it offers {', '.join(__all__)}")
    value = getattr(import_module(f"{__name__}.{_NAMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
