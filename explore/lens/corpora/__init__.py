"""Corpora that come with the toolkit, so that a bank can be built without anything from the net."""

from explore.lens.corpora.phrases import PhraseCorpus, default_corpus

__all__ = ["PhraseCorpus", "default_corpus"]
