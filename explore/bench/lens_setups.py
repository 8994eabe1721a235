"""Lenses with all they need, made where it is not there yet: two banks of different seeds, and a tuned lens."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from explore.bench.spelling import spelled
from explore.lens.bank_building import build_bank
from explore.lens.corpora import default_corpus
from explore.lens.latent import LatentLens
from explore.lens.method import LensMethod
from explore.lens.table import METHODS
from explore.lens.tuned import TunedLens
from explore.lens.tuned_fit import fit_tuned_lens
from explore.runs import Report, RunnerLike
from explore.sketch.sentences import sketch_corpus

EVERY_LENS = ("logit", "embedding", "tuned", "latent", "latent:centred=true")
"""What is scored if nothing is asked for, spelled as `explore.bench.spelling` reads it."""


def made_lenses(
    runner: RunnerLike,
    spellings: Sequence[str],
    folder: str | os.PathLike[str],
    corpus: Iterable[str] | None = None,
    *,
    bank_layers: Sequence[int] | None = None,
    progress: Report | None = None,
) -> tuple[dict[str, LensMethod], dict[str, LensMethod]]:
    """Lenses by their spelling, and those with a bank once more with a bank of another seed.

    Banks and the tuned lens are kept in the folder and opened where they are there already.

    Parameters
    ----------
    runner
        The model.
    spellings
        Such as "logit" or "latent:centred=true".
    corpus
        Texts for banks and the tuned lens; None means sentences of the sketch language for a model that ships, and
        `default_corpus` for any other.
    bank_layers
        Layers of the banks; None goes by the rule of `build_bank`.
    progress
        Called with the fraction done and a message.
    """
    texts = texts_for(runner) if corpus is None else corpus
    lenses: dict[str, LensMethod] = {text: spelled(text, METHODS) for text in spellings}
    searching = {text: lens for text, lens in lenses.items() if isinstance(lens, LatentLens)}
    banks = [
        build_bank(runner, texts, Path(folder) / f"bank-{n}", layers=bank_layers, seed=n, progress=progress)
        for n in (0, 1)
        if searching
    ]
    again: dict[str, LensMethod] = {text: replace(lens, bank=banks[1]) for text, lens in searching.items()}
    for text, lens in lenses.items():
        if isinstance(lens, LatentLens):
            lenses[text] = replace(lens, bank=banks[0])
        elif isinstance(lens, TunedLens):
            layers = range(runner.info.layers)
            fitted = fit_tuned_lens(runner, texts, Path(folder) / "tuned-lens", layers=layers, progress=progress)
            lenses[text] = replace(lens, fitted=fitted)
    return lenses, again


def texts_for(runner: RunnerLike) -> Iterable[str]:
    """The language a model reads: that of the sketch world for those that ship, else plain English phrases."""
    return sketch_corpus() if runner.info.checkpoint in ("sketch", "sketch-frozen") else default_corpus()
