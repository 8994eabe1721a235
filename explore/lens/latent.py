"""LatentLens: the text states, in whole sentences, that a state is most like."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from explore.errors import ParameterError
from explore.lens.choices import Tokens
from explore.lens.method import HANDED, LensMethod, LensRun, Ranked
from explore.lens.origins import identity_of
from explore.lens.reading import NOTHING, Entry, LensReading, aimless_note
from explore.lens.whole_words import same_word, whole_word
from explore.lens.word_forms import Combine, combined
from explore.runs import Report, RunnerLike
from explore.trace import Trace

if TYPE_CHECKING:
    from explore.lens.banks import Bank
    from explore.lens.neighbours import Neighbours

_ASKED = 50  # neighbours looked through for a word


@dataclass(frozen=True)
class LatentLens(LensMethod):
    r"""The `k` rows of a bank with the largest :math:`\cos(h, r)`, over all its layers at once.

    The layer of a visual token and the layer of its neighbours are two different things: a state of layer 0 may be most
    like text states of layer 8. One search serves all layers and tokens.

    Parameters
    ----------
    bank_layers
        Search only these layers of the bank; None means all.
    centred
        Compare as seen from the mean of each layer of the bank: states of one layer share a large direction, and a
        ranking over all layers favours the layers where it is largest. No part of the published method.
    backend
        How the bank is searched, see `explore.lens.searching`.
    words
        "offsets" names the whole word around a neighbour's token where it stands, "legacy" by the published rule, and
        "tokens" names the token as it is.
    bank
        What is searched.
    """

    name: ClassVar[str] = "latent"
    source: ClassVar[str] = "LatentLens, Krojer et al., ICML 2026, arXiv 2602.00462; McGill-NLP/latentlens"
    needs: ClassVar[tuple[str, ...]] = ("bank",)

    bank_layers: tuple[int, ...] | None = None
    centred: bool = False
    backend: str = "exact"
    words: Literal["offsets", "legacy", "tokens"] = "offsets"
    bank: Bank | None = field(default=None, repr=False, metadata=HANDED)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.words not in ("offsets", "legacy", "tokens"):
            raise ParameterError(f"words={self.words!r} was given", "Allowed are 'offsets', 'legacy' and 'tokens'.")
        if self.bank_layers is not None:
            object.__setattr__(self, "bank_layers", tuple(int(each) for each in self.bank_layers))

    @property
    def made_with(self) -> dict[str, Any]:
        manifest = getattr(self.bank, "manifest", {})
        told = {name: manifest.get(name) for name in ("model", "corpus", "selection", "store_dtype")}
        return {"bank": {**told, "layers": list(getattr(self.bank, "layers", ()))}}

    def compute(self, run: LensRun) -> Ranked:
        found, told = self._neighbours(run, self.k)
        shape = (len(run.stacked), found.similarities.shape[-1])
        scores, rows, layers = np.zeros(shape, np.float32), np.full(shape, NOTHING), np.full(shape, NOTHING)
        for array, values in ((scores, found.similarities), (rows, found.rows), (layers, found.layers)):
            array[told] = values
        return Ranked(
            run.unstacked(scores),
            run.unstacked(rows),
            {int(row): self._entry(int(row)) for row in np.unique(found.rows)},
            bank_layers=run.unstacked(layers),
            notes=self._notes(run, found, told),
        )

    @property
    def word_unit(self) -> str:
        return "share"

    def word_scores(self, run: LensRun, text: str, combine: Combine = "mean") -> NDArray[np.float32]:
        """The share of the nearest neighbours whose whole word is the word, (layers, tokens) float32.

        At least 50 neighbours are looked through. In a text of several words every word has its share.
        """
        found, told = self._neighbours(run, max(self.k, _ASKED))
        rows, words = np.unique(found.rows), text.split()
        if not words:
            raise ParameterError(f"The word {text!r} was given", "It has at least one letter.")
        spoken = [self._entry(int(row)).text for row in rows]
        says = np.array([[same_word(each, word) for word in words] for each in spoken])
        shares = np.zeros((len(told), len(words)), np.float32)
        shares[told] = says[np.searchsorted(rows, found.rows)].mean(axis=1)
        return run.unstacked(combined(shares, combine))

    def _neighbours(self, run: LensRun, k: int) -> tuple[Neighbours, NDArray[np.bool_]]:
        """Neighbours of all states that have a direction, and which those are, (layers x tokens,) bool."""
        bank = self._bank(run)
        told = (run.stacked != 0).any(axis=-1)

        from explore.lens.searching import search_bank

        return search_bank(
            bank,
            run.stacked[told],
            k,
            layers=self.bank_layers,
            centred=self.centred,
            backend=self.backend,
            progress=run.progress,
        ), told

    def _bank(self, run: LensRun) -> Bank:
        if self.bank is None:
            raise ParameterError(
                "LatentLens was given no bank",
                "It compares with text states in a bank.",
                "Build one with explore.lens.build_bank(runner, corpus, path), or open one with open_bank(path).",
            )
        if self.bank.width != run.trace.width:
            raise ParameterError(
                f"The rows of the bank are {self.bank.width} numbers wide, and states of this trace {run.trace.width}",
                "A bank has to be built with the language model that reads the visual tokens.",
                "Build one: explore.lens.build_bank(runner, corpus, path).",
            )
        return self.bank

    def _entry(self, row: int) -> Entry:
        assert self.bank is not None
        token, phrase, span = str(self.bank.token_texts[row]), self.bank.sentence(row), self.bank.span(row)
        text = token if self.words == "tokens" else whole_word(phrase, token, span, self.words)
        return Entry(text, phrase, span)

    def _notes(self, run: LensRun, found: Neighbours, told: NDArray[np.bool_]) -> tuple[str, ...]:
        notes = []
        made = getattr(self.bank, "manifest", {}).get("model")
        if made is not None and identity_of(made) != identity_of(run.trace.fingerprint):
            notes.append(
                f"The bank was built with {made.get('checkpoint')!r}, the trace with "
                f"{run.trace.fingerprint.get('checkpoint')!r}: right only if both have the same language model."
            )
        if not getattr(found, "exact", True):
            notes.append(f"The search was {found.quality}.")
        return (*notes, *aimless_note(~told))


def latent_lens(
    trace: Trace,
    bank: Bank,
    k: int = 5,
    *,
    layers: Iterable[int] | None = None,
    positions: Tokens | None = None,
    bank_layers: Iterable[int] | None = None,
    centred: bool = False,
    backend: str = "exact",
    words: Literal["offsets", "legacy", "tokens"] = "offsets",
    runner: RunnerLike | None = None,
    progress: Report | None = None,
) -> LensReading:
    """The phrases whose text states are nearest to every visual token; needs no model, only its bank.

    Parameters are those of `LatentLens` and of its `read`.
    """
    searched = None if bank_layers is None else tuple(bank_layers)
    lens = LatentLens(k=k, bank_layers=searched, centred=centred, backend=backend, words=words, bank=bank)
    return lens.read(trace, layers, positions, runner=runner, progress=progress)
